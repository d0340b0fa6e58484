//! Scalars as bytes that sort as they do.
//!
//! A byte says the kind: null, false, true, number, text. Behind a number are its double's
//! eight bytes, turned so that they sort as numbers do; behind a text its UTF-8.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use super::path::Path;

/// The longest text that an index has, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;

const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const NUMBER: u8 = 4;
const TEXT: u8 = 5;

/// The scalar at a path of a JSON value, if an index has it.
pub(in crate::documents) fn at(json: &str, path: &Path) -> Option<Vec<u8>> {
    let mut here = json;
    for name in path.names() {
        here = inside(here, &name)?.get();
    }
    bytes_of(here)
}

/// What a JSON value has under a name, or at a place.
fn inside<'j>(json: &'j str, name: &str) -> Option<&'j RawValue> {
    if json.starts_with('{') {
        let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
        return members.remove(name);
    }
    let canonical = name == "0" || !name.starts_with(['0', '+']);
    if !json.starts_with('[') || !canonical {
        return None;
    }
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    elements.get(name.parse::<usize>().ok()?).copied()
}

/// The bytes of a scalar; `None` for a list, an object and a text that is too long.
fn bytes_of(json: &str) -> Option<Vec<u8>> {
    Some(match json.as_bytes().first()? {
        b'n' => vec![NULL],
        b'f' => vec![FALSE],
        b't' => vec![TRUE],
        b'"' => {
            let text: Cow<'_, str> = serde_json::from_str(json).ok()?;
            return (text.len() <= TEXT_BYTES_MAX).then(|| of_text(&text));
        }
        b'[' | b'{' => return None,
        _ => of_number(json.parse().ok()?),
    })
}

fn of_text(text: &str) -> Vec<u8> {
    [&[TEXT], text.as_bytes()].concat()
}

fn of_number(number: f64) -> Vec<u8> {
    // Minus zero is zero.
    let bits = (number + 0.0).to_bits();
    let turned = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    [&[NUMBER][..], &turned.to_be_bytes()].concat()
}

/// A scalar that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    json: Box<str>,
    bytes: Vec<u8>,
}

/// Why JSON is not a [`Scalar`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected null, a boolean, a number, or a text of at most {TEXT_BYTES_MAX} bytes")]
pub struct NotAScalar;

impl Scalar {
    /// The scalar that this JSON is.
    ///
    /// # Errors
    /// [`NotAScalar`]
    pub fn new(json: &str) -> Result<Self, NotAScalar> {
        let whole = serde_json::from_str::<&RawValue>(json).map_err(|_| NotAScalar)?;
        let bytes = bytes_of(whole.get()).ok_or(NotAScalar)?;
        Ok(Self { json: whole.get().into(), bytes })
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.json).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(raw.get()).map_err(de::Error::custom)
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "DocumentScalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["null", "boolean", "number", "string"],
            "description": "What an index has: no list, no object, no text above 256 bytes."
        })
    }
}

/// A range of scalars' bytes: `from <= bytes < to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
}

impl Span {
    pub(super) fn all() -> Self {
        Self { from: vec![NULL], to: vec![TEXT + 1] }
    }

    fn within(self, from: Vec<u8>, to: Vec<u8>) -> Self {
        Self { from: self.from.max(from), to: self.to.min(to) }
    }

    /// What is this scalar.
    pub(super) fn equal(self, scalar: &Scalar) -> Self {
        self.within(scalar.bytes.clone(), [&scalar.bytes[..], &[0]].concat())
    }

    /// What is of this scalar's kind and not below it.
    pub(super) fn from(self, scalar: &Scalar) -> Self {
        let [_, above] = kind(scalar);
        self.within(scalar.bytes.clone(), above)
    }

    /// What is of this scalar's kind and below it.
    pub(super) fn below(self, scalar: &Scalar) -> Self {
        let [first, _] = kind(scalar);
        self.within(first, scalar.bytes.clone())
    }

    /// Texts that begin so.
    pub(super) fn beginning(self, prefix: &str) -> Self {
        let from = of_text(prefix);
        let mut to = from.clone();
        // Neither the kind nor a byte of UTF-8 is 255.
        *to.last_mut().expect("there is at least the kind") += 1;
        self.within(from, to)
    }
}

/// The first bytes of a scalar's kind, and the first above it. Booleans are one kind.
fn kind(scalar: &Scalar) -> [Vec<u8>; 2] {
    match scalar.bytes[0] {
        FALSE | TRUE => [vec![FALSE], vec![TRUE + 1]],
        kind => [vec![kind], vec![kind + 1]],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scalar(json: &str) -> Scalar {
        Scalar::new(json).unwrap()
    }

    #[test]
    fn kinds_sort_one_after_the_other() {
        let ascending = [
            "null",
            "false",
            "true",
            "-1e300",
            "-1",
            "-0.5",
            "0",
            "1e-300",
            "1",
            "2",
            "10",
            "\"\"",
            "\"10\"",
            "\"A\"",
            "\"a\"",
            "\"a\\u0000\"",
            "\"aa\"",
            "\"ä\"",
        ];
        let bytes: Vec<_> = ascending.iter().map(|json| scalar(json).bytes).collect();
        assert!(bytes.is_sorted_by(|a, b| a < b), "{bytes:?}");
        assert_eq!(scalar("-0.0").bytes, scalar("0").bytes);
        assert_eq!(scalar("1.0").bytes, scalar("1").bytes);
        assert_eq!(scalar("\"\\u0061\"").bytes, scalar("\"a\"").bytes);
    }

    #[test]
    fn a_path_leads_through_objects_and_lists() {
        let json = r#"{"a":{"b":[null,{"c/d":"x"}]},"":5,"a~b":true}"#;
        let at = |path: &str| at(json, &Path::new(path).unwrap());
        assert_eq!(at("/a/b/1/c~1d"), Some(scalar("\"x\"").bytes));
        assert_eq!(at("/a/b/0"), Some(scalar("null").bytes));
        assert_eq!(at("/"), Some(scalar("5").bytes));
        assert_eq!(at("/a~0b"), Some(scalar("true").bytes));
        for nothing in
            ["", "/a", "/a/b", "/a/b/2", "/a/b/01", "/a/b/-1", "/a/b/+1", "/c", "/a~0b/x"]
        {
            assert_eq!(at(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn long_texts_lists_and_objects_are_no_scalars() {
        let text = |bytes| format!("\"{}\"", "x".repeat(bytes));
        assert!(Scalar::new(&text(TEXT_BYTES_MAX)).is_ok());
        for bad in [&text(TEXT_BYTES_MAX + 1), "[]", "{}", "", "x", "1 2"] {
            assert_eq!(Scalar::new(bad), Err(NotAScalar), "{bad}");
        }
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |n| n.is_finite()),
            (-5..5_i32).prop_map(f64::from)
        ]
    }

    proptest! {
        #[test]
        fn numbers_sort_as_doubles(a in number(), b in number()) {
            let bytes = |n: f64| scalar(&serde_json::to_string(&n).unwrap()).bytes;
            prop_assert_eq!(Some(bytes(a).cmp(&bytes(b))), a.partial_cmp(&b));
        }

        #[test]
        fn spans_hold_what_they_say(a in "[a-c]{0,3}", b in "[a-c]{0,3}") {
            let [one, other] = [&a, &b].map(|text| scalar(&format!("\"{text}\"")));
            let holds = |span: Span| span.from <= one.bytes && one.bytes < span.to;
            prop_assert_eq!(holds(Span::all().equal(&other)), a == b);
            prop_assert_eq!(holds(Span::all().from(&other)), a >= b);
            prop_assert_eq!(holds(Span::all().below(&other)), a < b);
            prop_assert_eq!(holds(Span::all().beginning(&b)), a.starts_with(&b));
            prop_assert!(!holds(Span::all().from(&scalar("5"))));
            prop_assert!(!holds(Span::all().below(&scalar("5"))));
        }
    }
}
