//! What an amount counts: a currency, or points, or barrels.
//!
//! An [`Asset`] is only a code; which codes are known, and how many decimal places
//! lie between an asset and its minor unit, is the ledger's part.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest an asset's code may be, in characters (all are ASCII).
pub const LENGTH_MAX: usize = 24;

/// The code of an asset: 1 to 24 characters of `A-Z a-z 0-9 . _ : -`. Kept in
/// place, because every account row has one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset {
    bytes: [u8; LENGTH_MAX],
    length: u8,
}

/// Why a text is not an [`Asset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an asset has 1 to 24 characters of A-Z a-z 0-9 . _ : -")]
pub struct NotAnAsset;

impl Asset {
    /// The asset with this code.
    ///
    /// # Errors
    /// [`NotAnAsset`] when the text is empty, too long, or has other characters.
    pub fn new(code: &str) -> Result<Self, NotAnAsset> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
        if code.is_empty() || !code.bytes().all(allowed) {
            return Err(NotAnAsset);
        }
        let mut bytes = [0; LENGTH_MAX];
        bytes.get_mut(..code.len()).ok_or(NotAnAsset)?.copy_from_slice(code.as_bytes());
        let length = u8::try_from(code.len()).map_err(|_| NotAnAsset)?;
        Ok(Self { bytes, length })
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("a code is ASCII")
    }
}

impl std::str::FromStr for Asset {
    type Err = NotAnAsset;

    fn from_str(code: &str) -> Result<Self, NotAnAsset> {
        Self::new(code)
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Asset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Asset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        Self::new(&code).map_err(de::Error::custom)
    }
}

impl JsonSchema for Asset {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Asset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9._:-]{1,24}$",
            "description": "ISO 4217 code, or the code of a declared asset."
        })
    }
}

impl<C> minicbor::Encode<C> for Asset {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(self.as_str())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Asset {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_bounded_and_plain() {
        for good in ["EUR", "points:hotel-lisbon", &"a".repeat(24)] {
            assert_eq!(Asset::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "E R", "€", &"a".repeat(25), &"a".repeat(300)] {
            assert_eq!(Asset::new(bad), Err(NotAnAsset), "{bad:?}");
        }
    }
}
