//! Calendar dates, without a time of day or a time zone.

use std::{borrow::Cow, fmt};

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A date from 1970-01-01 to 9999-12-31, as the number of days since the first.
/// Whose midnight it begins at is for its user to say.
///
/// On the wire it is an RFC 3339 full-date (`2026-12-24`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u32);

/// Why a text is not a [`Date`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-12-24, from 1970-01-01 to 9999-12-31")]
pub struct NotADate;

/// 9999-12-31.
const DAY_MAX: u32 = 2_932_896;

const FIRST: jiff::civil::Date = jiff::civil::date(1970, 1, 1);

impl Date {
    /// The date this many days after 1970-01-01.
    ///
    /// # Errors
    /// [`NotADate`] beyond the year 9999.
    pub const fn from_day(day: u32) -> Result<Self, NotADate> {
        if day > DAY_MAX { Err(NotADate) } else { Ok(Self(day)) }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn day(self) -> u32 {
        self.0
    }
}

impl std::str::FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        // More forms are dates to jiff; one form is a date to us.
        if text.len() != 10 {
            return Err(NotADate);
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| NotADate)?;
        let days = date.duration_since(FIRST).as_hours() / 24;
        Self::from_day(u32::try_from(days).map_err(|_| NotADate)?)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = FIRST.saturating_add(SignedDuration::from_hours(i64::from(self.0) * 24));
        date.fmt(f)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date",
            "description": "RFC 3339 full-date, from 1970-01-01."
        })
    }
}

impl<C> minicbor::Encode<C> for Date {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u32(self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Date {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_day(d.u32()?).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_dates_and_nothing_else() {
        let day = |text: &str| text.parse::<Date>().map(Date::day);
        assert_eq!(day("1970-01-01"), Ok(0));
        assert_eq!(day("2000-02-29"), Ok(11_016));
        assert_eq!(day("9999-12-31"), Ok(DAY_MAX));
        for bad in ["", "1969-12-31", "2026-02-29", "2026-1-1", "20261224", "2026-12-24T00:00:00Z"]
        {
            assert_eq!(day(bad), Err(NotADate), "{bad}");
        }
        assert!(day("2026W521-1").is_err() && day("+002026-01").is_err());
        for text in ["1970-01-01", "2024-02-29", "2026-12-24", "9999-12-31"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        assert!(Date::from_day(DAY_MAX + 1).is_err());
    }
}
