//! How long something lives, as commands take and say it: an ISO 8601 duration.
//!
//! Written in seconds; read in all units that have one length, which is what a server
//! says. Finer than a microsecond it is cut.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration in a request or an answer. Servers take what is above zero and at most ten years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(pub Duration);

/// A text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration such as PT15M or PT1.5S")]
pub struct BadLifetime(String);

impl From<Duration> for Lifetime {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl From<Lifetime> for Duration {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.0
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PT{}", self.0.as_secs())?;
        match self.0.subsec_micros() {
            0 => f.write_str("S"),
            micros => write!(f, ".{micros:06}S"),
        }
    }
}

impl FromStr for Lifetime {
    type Err = BadLifetime;

    fn from_str(text: &str) -> Result<Self, BadLifetime> {
        duration(text).map(Self).ok_or_else(|| BadLifetime(text.to_owned()))
    }
}

/// Units before the `T` and behind it, in order, with their seconds.
const DATE: &[(u8, u64)] = &[(b'W', 604_800), (b'D', 86_400)];
const TIME: &[(u8, u64)] = &[(b'H', 3_600), (b'M', 60), (b'S', 1)];

fn duration(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix(['P', 'p'])?;
    let (date, time) = match rest.split_once(['T', 't']) {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    units(date, DATE)?.checked_add(units(time, TIME)?)
}

/// Numbers with units, each at most once and the larger first.
fn units(mut text: &str, units: &[(u8, u64)]) -> Option<Duration> {
    let (mut total, mut left) = (Duration::ZERO, units);
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let unit = text.as_bytes()[end].to_ascii_uppercase();
        let at = left.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(amount(&text[..end], left[at].1)?)?;
        left = &left[at + 1..];
        text = &text[end + 1..];
    }
    Some(total)
}

/// A number of units; a fraction is of seconds alone.
fn amount(number: &str, seconds: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = whole.len() == number.len();
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    if !is_whole && (fraction.is_empty() || seconds != 1) {
        return None;
    }
    let nanos: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let whole = Duration::from_secs(whole.parse::<u64>().ok()?.checked_mul(seconds)?);
    whole.checked_add(Duration::from_nanos(nanos.parse().ok()?))
}

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_read() {
        for (text, seconds) in [
            ("PT15M", 900.0),
            ("PT1H30M", 5_400.0),
            ("P1DT1S", 86_401.0),
            ("P2W", 1_209_600.0),
            ("PT0.5S", 0.5),
            ("pt1,25s", 1.25),
            ("P3660D", 316_224_000.0),
        ] {
            assert_eq!(text.parse::<Lifetime>().unwrap().0.as_secs_f64(), seconds, "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        let bad = [
            "",
            "P",
            "PT",
            "15M",
            "PT1",
            "PT1.5M",
            "PT.5S",
            "PT5.S",
            "PT1S1M",
            "P1M",
            "P1Y",
            "-PT1S",
            "PT1H1H",
            "PT99999999999999999999S",
            "P1DT",
            "PTS",
            "PT1ä",
        ];
        for text in bad {
            assert!(text.parse::<Lifetime>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(micros in 0..=u64::from(u32::MAX) * 1_000_000) {
            let lifetime = Lifetime(Duration::from_micros(micros));
            prop_assert_eq!(lifetime.to_string().parse::<Lifetime>().unwrap(), lifetime);
            let server: holdfast_state::Lifetime = match micros {
                1..=300_000_000_000_000 => lifetime.to_string().parse().unwrap(),
                _ => return Ok(()),
            };
            prop_assert_eq!(server.as_us(), micros);
            prop_assert_eq!(server.to_string().parse::<Lifetime>().unwrap(), lifetime);
        }
    }
}
