//! Where in a document an index looks.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest path, in bytes.
pub const BYTES_MAX: usize = 256;

/// A place in a document: a JSON Pointer (RFC 6901) of at most 256 bytes, such as `/total`
/// or `/address/city`; the empty one is the whole value.
#[derive(Clone, PartialEq, Eq)]
pub struct Path(Box<str>);

/// Why a text is not a [`Path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON Pointer of at most {BYTES_MAX} bytes, such as /address/city")]
pub struct NotAPath;

impl Path {
    /// The path that this pointer is.
    ///
    /// # Errors
    /// [`NotAPath`]
    pub fn new(pointer: &str) -> Result<Self, NotAPath> {
        let begins = pointer.is_empty() || pointer.starts_with('/');
        let escapes = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let fits = pointer.len() <= BYTES_MAX;
        if begins && escapes && fits { Ok(Self(pointer.into())) } else { Err(NotAPath) }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names on the way, from the outside in.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.0.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"))
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Path {
    fn schema_name() -> Cow<'static, str> {
        "DocumentPath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "json-pointer", "maxLength": BYTES_MAX })
    }
}

impl<C> minicbor::Encode<C> for Path {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Path {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_json_pointer() {
        let names = |path: &str| Path::new(path).unwrap().names().collect::<Vec<_>>();
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("/a/b c/0"), ["a", "b c", "0"]);
        assert_eq!(names("/a~1b/~01//"), ["a/b", "~1", "", ""]);
        for bad in ["a", "a/b", "/~", "/~2", &format!("/{}", "x".repeat(BYTES_MAX))] {
            assert_eq!(Path::new(bad), Err(NotAPath), "{bad}");
        }
    }
}
