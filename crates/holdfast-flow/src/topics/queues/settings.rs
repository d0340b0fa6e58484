//! How a queue gives out its messages.

use holdfast_state::Lifetime;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// How long a message stays out of sight when nobody says: 30 seconds.
pub const VISIBILITY: Lifetime = match Lifetime::from_us(30_000_000) {
    Ok(visibility) => visibility,
    Err(_) => panic!("30 seconds are a lifetime"),
};

/// A [`Lifetime`] in a row: microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting(pub Lifetime);

impl<C> Encode<C> for Lasting {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.u64(self.0.as_us())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Lasting {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Lifetime::from_us(d.u64()?).map(Self).map_err(decode::Error::custom)
    }
}

/// The most that [`Deliveries`] may be.
pub const DELIVERIES_MAX: u32 = 1_000;

/// How often a message is given out before it is a dead letter: 1 to 1000 times, 10 when
/// nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Deliveries(u32);

impl Deliveries {
    /// This often; `None` unless it is 1 to 1000.
    #[must_use]
    pub const fn new(count: u32) -> Option<Self> {
        if count >= 1 && count <= DELIVERIES_MAX { Some(Self(count)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Deliveries {
    fn default() -> Self {
        Self(10)
    }
}

impl<'de> Deserialize<'de> for Deliveries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = u32::deserialize(deserializer)?;
        let wrong = || de::Error::custom("a message is given out 1 to 1000 times");
        Self::new(count).ok_or_else(wrong)
    }
}

impl JsonSchema for Deliveries {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Deliveries".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": DELIVERIES_MAX, "default": 10 })
    }
}

/// Where a queue begins in its topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// With the first message there is.
    #[default]
    Beginning,
    /// Behind the last one: with what is appended from now on.
    End,
}
