//! How long messages are kept: by age, by size, or for ever.
//!
//! Both bounds are of each partition. What is removed is always the oldest there is, whole
//! rows of it, so what stays is a partition's end without gaps.

use holdfast_state::Lifetime;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// What is kept of each partition of a topic; everything when nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Messages older than this are removed, a sixteenth of it later at most (but not
    /// sooner than in a second, and within an hour).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Lifetime>,
    /// The newest messages of together at least so many bytes stay; others are removed, in
    /// pieces of 256 KiB. Ids, keys, types and data count, and 64 for each append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<KeptBytes>,
}

impl Retention {
    /// Is everything kept?
    #[must_use]
    pub const fn is_for_ever(&self) -> bool {
        self.age.is_none() && self.bytes.is_none()
    }
}

impl<C> Encode<C> for Retention {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.encode(self.age.map(Lifetime::as_us))?.encode(self.bytes)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Retention {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("retention is an age and a size"));
        }
        let us: Option<u64> = d.decode()?;
        let age = us.map(Lifetime::from_us).transpose().map_err(decode::Error::custom)?;
        Ok(Self { age, bytes: d.decode()? })
    }
}

/// The fewest bytes that a partition may be told to keep: 1 MiB.
pub const BYTES_MIN: u64 = 1 << 20;

/// The most: what JSON's numbers carry exactly.
pub const BYTES_MAX: u64 = (1 << 53) - 1;

/// How many bytes of messages stay: 1 MiB to 2^53 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeptBytes(u64);

impl KeptBytes {
    /// So many; `None` outside the bounds.
    #[must_use]
    pub const fn new(bytes: u64) -> Option<Self> {
        if bytes >= BYTES_MIN && bytes <= BYTES_MAX { Some(Self(bytes)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for KeptBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || de::Error::custom("1048576 to 9007199254740991 bytes are kept");
        Self::new(u64::deserialize(deserializer)?).ok_or_else(wrong)
    }
}

impl JsonSchema for KeptBytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "KeptBytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": BYTES_MIN, "maximum": BYTES_MAX })
    }
}

impl<C> Encode<C> for KeptBytes {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for KeptBytes {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::new(d.u64()?).ok_or_else(|| decode::Error::message("too few or too many bytes"))
    }
}

#[cfg(test)]
mod tests {
    use holdfast_state::row::Row as _;

    use super::*;

    #[test]
    fn bounds_are_held_and_rows_are_read_back() {
        assert_eq!(KeptBytes::new(BYTES_MIN - 1), None);
        assert_eq!(KeptBytes::new(BYTES_MAX + 1), None);
        let hour = Lifetime::from_us(3_600_000_000).unwrap();
        for (age, bytes) in [(None, None), (Some(hour), None), (None, KeptBytes::new(BYTES_MIN))] {
            let retention = Retention { age, bytes };
            assert_eq!(retention.is_for_ever(), age.is_none() && bytes.is_none());
            let row = minicbor::to_vec(retention).unwrap();
            assert_eq!(Retention::parse(&row).unwrap(), retention);
        }
    }
}
