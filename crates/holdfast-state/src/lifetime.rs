//! How long something may wait, as ISO 8601 writes it.

use std::{borrow::Cow, fmt};

use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest lifetime: 3,660 days of 24 hours, about ten years.
pub const DAYS_MAX: u64 = 3_660;

const US_MAX: u64 = DAYS_MAX * 86_400 * 1_000_000;

/// A length of time in microseconds, more than zero and at most ten years. On
/// the wire an ISO 8601 duration such as `PT15M` or `P2D`; a day has 24 hours,
/// and months and years are refused, since their length depends on the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime {
    us: u64,
}

/// Why a text is not a [`Lifetime`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an ISO 8601 duration such as PT15M, above zero and at most P3660D")]
pub struct NotALifetime;

impl Lifetime {
    /// This many microseconds.
    ///
    /// # Errors
    /// [`NotALifetime`] for zero, or beyond the bound.
    pub const fn from_us(us: u64) -> Result<Self, NotALifetime> {
        if us == 0 || us > US_MAX { Err(NotALifetime) } else { Ok(Self { us }) }
    }

    /// Its length in microseconds.
    #[must_use]
    pub const fn as_us(self) -> u64 {
        self.us
    }
}

impl std::str::FromStr for Lifetime {
    type Err = NotALifetime;

    fn from_str(text: &str) -> Result<Self, NotALifetime> {
        if !text.starts_with('P') {
            return Err(NotALifetime);
        }
        let span: Span = text.parse().map_err(|_| NotALifetime)?;
        let length =
            span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| NotALifetime)?;
        Self::from_us(u64::try_from(length.as_micros()).map_err(|_| NotALifetime)?)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = i64::try_from(self.us).expect("ten years fit");
        jiff::SignedDuration::from_micros(us).fmt(f)
    }
}

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Lifetime {
    fn schema_name() -> Cow<'static, str> {
        "Lifetime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "duration",
            "description": "ISO 8601 duration, above zero, at most P3660D."
        })
    }
}

impl<C> minicbor::Encode<C> for Lifetime {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.us)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Lifetime {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_us(d.u64()?).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_without_calendars() {
        let us = |text: &str| text.parse::<Lifetime>().map(Lifetime::as_us);
        assert_eq!(us("PT15M"), Ok(900_000_000));
        assert_eq!(us("P1DT0.5S"), Ok(86_400_500_000));
        assert_eq!(us("P3660D"), Ok(US_MAX));
        for bad in ["", "15m", "PT0S", "-PT1S", "P1M", "P1Y", "P3660DT1S", "PT", "P99999999D"] {
            assert_eq!(us(bad), Err(NotALifetime), "{bad}");
        }
        let again: Lifetime = "PT90M".parse().unwrap();
        assert_eq!(again.to_string().parse(), Ok(again));
    }
}
