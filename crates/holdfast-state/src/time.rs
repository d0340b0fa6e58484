//! Log time: the only time a transaction sees.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in log time: microseconds since 1970-01-01T00:00:00Z, not counting
/// leap seconds.
///
/// On the wire it is RFC 3339 in UTC with milliseconds or finer
/// (`2026-11-22T10:15:00.123Z`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogTime(u64);

/// 9999-12-30T22:00:00Z: the last second that every time zone can write in four-digit years.
const MAX_US: u64 = 253_402_207_200_000_000;

impl LogTime {
    /// The beginning of 1970.
    pub const ZERO: Self = Self(0);
    /// The latest time there is: 9999-12-30T22:00:00Z.
    pub const MAX: Self = Self(MAX_US);

    /// The time this many microseconds after 1970 began, at most [`MAX`](Self::MAX).
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self(if us > MAX_US { MAX_US } else { us })
    }

    /// Microseconds since 1970 began.
    #[must_use]
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// This time and `us` microseconds, at most [`MAX`](Self::MAX).
    #[must_use]
    pub const fn plus_us(self, us: u64) -> Self {
        Self::from_us(self.0.saturating_add(us))
    }

    /// Microseconds from `earlier` to this time; 0 when it is later.
    #[must_use]
    pub const fn since_us(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for LogTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = i64::try_from(self.0).expect("bounded by the year 9999");
        let time = jiff::Timestamp::from_microsecond(us).expect("bounded by the year 9999");
        if self.0.is_multiple_of(1000) { write!(f, "{time:.3}") } else { write!(f, "{time:.6}") }
    }
}

impl Serialize for LogTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LogTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(|_| {
            de::Error::custom("expected an RFC 3339 time such as 2026-11-22T10:15:00Z")
        })?;
        let us = u64::try_from(time.as_microsecond())
            .map_err(|_| de::Error::custom("a time before 1970 is not accepted"))?;
        Ok(Self::from_us(us))
    }
}

impl JsonSchema for LogTime {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 time in UTC."
        })
    }
}

impl<C> minicbor::Encode<C> for LogTime {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u64(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for LogTime {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.u64().map(Self::from_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_and_writes_rfc_3339() {
        let time: LogTime = serde_json::from_str("\"2026-11-22T10:15:00.123+01:00\"").unwrap();
        assert_eq!(time.to_string(), "2026-11-22T09:15:00.123Z");
        assert_eq!(LogTime::from_us(1).to_string(), "1970-01-01T00:00:00.000001Z");
        assert_eq!(LogTime::MAX.to_string(), "9999-12-30T22:00:00.000Z");
        for bad in ["\"1969-12-31T23:59:59Z\"", "\"yesterday\"", "5", "\"2026-11-22\""] {
            assert!(serde_json::from_str::<LogTime>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arithmetic_stays_within_the_calendar() {
        assert_eq!(LogTime::MAX.plus_us(u64::MAX), LogTime::MAX);
        assert_eq!(LogTime::ZERO.since_us(LogTime::MAX), 0);
    }
}
