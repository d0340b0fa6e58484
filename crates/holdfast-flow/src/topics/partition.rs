//! The partitions of a topic: how many there are, and which one a message goes to.
//!
//! A topic's messages are in order per partition, and messages of one key share a
//! partition. The number is fixed when the topic is created: with another one a key's
//! messages would go on in another partition, and its order would end.

use std::ops::Range;

use holdfast_state::Version;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::key::MessageKey;

/// The most partitions that a topic may have.
pub const PARTITIONS_MAX: u16 = 256;

/// How many partitions a topic has: 1 to 256, one when nobody says. They are numbered
/// from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Partitions(u16);

impl Partitions {
    /// One partition: all messages in one order.
    pub const ONE: Self = Self(1);

    /// This many; `None` unless it is 1 to 256.
    #[must_use]
    pub const fn new(count: u16) -> Option<Self> {
        if count >= 1 && count <= PARTITIONS_MAX { Some(Self(count)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Is there a partition of this number?
    #[must_use]
    pub const fn has(self, partition: u16) -> bool {
        partition < self.0
    }

    /// All of them, by number.
    #[must_use]
    pub const fn all(self) -> Range<u16> {
        0..self.0
    }

    /// Where a message goes that this transaction appends: by its key, as everybody can
    /// reckon who knows it (FNV-1a, 64 bits, modulo the number of partitions). Those
    /// without a key go together, in turn by transactions.
    #[must_use]
    pub fn of(self, key: Option<&MessageKey>, version: Version) -> u16 {
        if self == Self::ONE {
            return 0;
        }
        let number = key.map_or_else(|| version.get(), |key| fnv_1a(key.as_str().as_bytes()));
        u16::try_from(number % u64::from(self.0)).expect("below a u16")
    }
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

impl Default for Partitions {
    fn default() -> Self {
        Self::ONE
    }
}

impl<'de> Deserialize<'de> for Partitions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = u16::deserialize(deserializer)?;
        Self::new(count).ok_or_else(|| de::Error::custom("a topic has 1 to 256 partitions"))
    }
}

impl JsonSchema for Partitions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Partitions".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": PARTITIONS_MAX, "default": 1 })
    }
}

impl<C> minicbor::Encode<C> for Partitions {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u16(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Partitions {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let count = d.u16()?;
        let bad = || minicbor::decode::Error::message("a topic has 1 to 256 partitions");
        Self::new(count).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> MessageKey {
        MessageKey::new(text).unwrap()
    }

    #[test]
    fn keys_go_where_others_can_reckon_them_to_go() {
        // From the authors of FNV: http://www.isthe.com/chongo/tech/comp/fnv/
        assert_eq!(fnv_1a(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(fnv_1a(b"a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(fnv_1a(b"foobar"), 0x8594_4171_F739_67E8);
        let eight = Partitions::new(8).unwrap();
        assert_eq!(eight.of(Some(&key("a")), Version::new(1)), 4);
        assert_eq!(eight.of(Some(&key("a")), Version::new(2)), 4);
        assert_eq!(eight.of(None, Version::new(11)), 3);
        assert_eq!(Partitions::ONE.of(Some(&key("a")), Version::new(3)), 0);
    }

    #[test]
    fn many_keys_spread_over_all_partitions() {
        for count in [2, 3, 8, 100] {
            let partitions = Partitions::new(count).unwrap();
            let mut keys = vec![0_u32; usize::from(count)];
            for number in 0..u32::from(count) * 100 {
                let of = partitions.of(Some(&key(&format!("guest-{number}"))), Version::new(1));
                keys[usize::from(of)] += 1;
            }
            assert!(keys.iter().all(|keys| (50..200).contains(keys)), "{keys:?}");
        }
    }

    #[test]
    fn a_topic_has_1_to_256_partitions() {
        assert_eq!(Partitions::new(0), None);
        assert_eq!(Partitions::new(257), None);
        assert!(Partitions::new(256).unwrap().has(255));
        assert!(!Partitions::new(256).unwrap().has(256));
    }
}
