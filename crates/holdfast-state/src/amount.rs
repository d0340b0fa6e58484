//! Quantities of money or goods, in minor units.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest magnitude a JSON number carries exactly everywhere: 2^53 - 1.
pub const WIRE_MAX: i64 = (1 << 53) - 1;

/// A quantity in the minor unit of its asset (cents for EUR). `i128` inside,
/// so that no sum of wire amounts overflows in practice; all arithmetic is
/// checked.
///
/// On the wire it is a JSON integer within ±(2^53-1). A derived value outside
/// that range (a balance, say) is written as a decimal string, so that a reader
/// which cannot hold it fails rather than rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// This many minor units.
    #[must_use]
    pub const fn new(minor_units: i128) -> Self {
        Self(minor_units)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn get(self) -> i128 {
        self.0
    }

    /// The sum, or `None` beyond the range of `i128`.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` beyond the range of `i128`.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// More than nothing?
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(small) if (-WIRE_MAX..=WIRE_MAX).contains(&small) => serializer.serialize_i64(small),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        if !(-WIRE_MAX..=WIRE_MAX).contains(&number) {
            return Err(de::Error::custom("an amount must lie within ±(2^53-1)"));
        }
        Ok(Self(i128::from(number)))
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": -WIRE_MAX,
            "maximum": WIRE_MAX,
            "description": "Integer number of minor units (cents for EUR)."
        })
    }
}

/// A CBOR integer while it fits 64 bits, else 16 bytes big-endian: rows stay
/// small, and CBOR itself has no 128-bit integer.
impl<C> minicbor::Encode<C> for Amount {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match i64::try_from(self.0) {
            Ok(small) => e.i64(small)?.ok(),
            Err(_) => e.bytes(&self.0.to_be_bytes())?.ok(),
        }
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Amount {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        if d.datatype()? == minicbor::data::Type::Bytes {
            let bytes: [u8; 16] = d
                .bytes()?
                .try_into()
                .map_err(|_| minicbor::decode::Error::message("an amount has 16 bytes"))?;
            return Ok(Self(i128::from_be_bytes(bytes)));
        }
        d.i64().map(|small| Self(i128::from(small)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_takes_only_exact_integers() {
        assert_eq!(
            serde_json::from_str::<Amount>("-9007199254740991").unwrap().get(),
            -9_007_199_254_740_991
        );
        for bad in ["9007199254740992", "1.0", "\"5\"", "1e3", "null", "99999999999999999999"] {
            assert!(serde_json::from_str::<Amount>(bad).is_err(), "{bad}");
        }
        assert_eq!(
            serde_json::to_string(&Amount::new(1 << 60)).unwrap(),
            "\"1152921504606846976\""
        );
    }

    #[test]
    fn rows_keep_all_128_bits() {
        for amount in [0, 1, -1, i128::from(i64::MAX) + 1, i128::MIN, i128::MAX] {
            let bytes = minicbor::to_vec(Amount::new(amount)).unwrap();
            assert_eq!(minicbor::decode::<Amount>(&bytes).unwrap().get(), amount);
        }
    }
}
