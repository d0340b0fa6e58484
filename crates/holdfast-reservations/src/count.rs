//! How many of a thing: a quantity that is asked for, a stock that there is.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The most there can be of anything: 2^53 - 1, which every JSON reader holds.
pub const COUNT_MAX: u64 = (1 << 53) - 1;

/// A whole number from `MIN` to [`COUNT_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Count<const MIN: u64>(u64);

/// How many are asked for: one at least.
pub type Quantity = Count<1>;

/// How many there are: perhaps none.
pub type Stock = Count<0>;

impl<const MIN: u64> Count<MIN> {
    /// So many; `None` when it is out of range.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number >= MIN && number <= COUNT_MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One, where nobody says.
impl Default for Quantity {
    fn default() -> Self {
        Self(1)
    }
}

impl<const MIN: u64> fmt::Debug for Count<MIN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const MIN: u64> Deserialize<'de> for Count<MIN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bounds = || de::Error::custom(format!("a count here is {MIN} to 2^53-1"));
        Self::new(u64::deserialize(deserializer)?).ok_or_else(bounds)
    }
}

impl<const MIN: u64> JsonSchema for Count<MIN> {
    fn schema_name() -> Cow<'static, str> {
        if MIN == 0 { "Stock".into() } else { "Quantity".into() }
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": COUNT_MAX })
    }
}

impl<C, const MIN: u64> minicbor::Encode<C> for Count<MIN> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C, const MIN: u64> minicbor::Decode<'b, C> for Count<MIN> {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bad = || minicbor::decode::Error::message("a count out of range");
        Self::new(d.u64()?).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept() {
        assert_eq!(Stock::new(0).map(Stock::get), Some(0));
        assert_eq!(Quantity::new(0), None);
        assert_eq!(Quantity::new(COUNT_MAX).map(Quantity::get), Some(COUNT_MAX));
        assert_eq!(Stock::new(COUNT_MAX + 1), None);
        for bad in ["0", "-1", "1.5", "\"1\"", "9007199254740992"] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
    }
}
