//! How much is allowed, and how it is counted.

use std::borrow::Cow;

use holdfast_state::Lifetime;
use minicbor::{Decode, Encode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The largest number of units.
pub const UNITS_MAX: u64 = 1_000_000_000;

/// The longest that an edge may hold a slice of a quota, in microseconds: a minute.
pub const SLICE_US_MAX: u64 = 60_000_000;

/// A number of whatever a limit counts, requests as a rule: 1 to 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Encode, Decode)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Units(#[n(0)] u64);

impl Units {
    /// One.
    pub const ONE: Self = Self(1);

    /// This many; `None` unless it is 1 to 1,000,000,000.
    #[must_use]
    pub const fn new(units: u64) -> Option<Self> {
        if units >= 1 && units <= UNITS_MAX { Some(Self(units)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Default for Units {
    fn default() -> Self {
        Self::ONE
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let units = u64::deserialize(deserializer)?;
        Self::new(units).ok_or_else(|| de::Error::custom("expected a number from 1 to 1000000000"))
    }
}

impl JsonSchema for Units {
    fn schema_name() -> Cow<'static, str> {
        "Units".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": UNITS_MAX })
    }
}

/// So much, by an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[serde(tag = "algorithm", rename_all = "snake_case", deny_unknown_fields)]
pub enum Quota {
    /// At most `max` in every window of this length, wherever it begins: exact. Keeps a
    /// stamp of a few bytes for each request of the last window.
    #[n(0)]
    SlidingLog {
        /// How much in a window.
        #[n(0)]
        max: Units,
        /// The window's length.
        #[n(1)]
        window: Lifetime,
    },
    /// About `max` in every window: the count of this fixed window and a share of the last
    /// one's, as if that had been spread evenly. Keeps two numbers.
    #[n(1)]
    SlidingCounter {
        /// How much in a window.
        #[n(0)]
        max: Units,
        /// The window's length.
        #[n(1)]
        window: Lifetime,
    },
    /// A bucket that holds `capacity` tokens and gets `refill` of them, evenly, `every` so
    /// often. Keeps how full it was when.
    #[n(2)]
    TokenBucket {
        /// How many tokens it holds: the largest burst.
        #[n(0)]
        capacity: Units,
        /// How many it gets.
        #[n(1)]
        refill: Units,
        /// In how long.
        #[n(2)]
        every: Lifetime,
    },
    /// The generic cell rate algorithm: `max` in a window, spaced evenly, with bursts of up
    /// to `burst`. Keeps one time.
    #[n(3)]
    Gcra {
        /// How much in a window.
        #[n(0)]
        max: Units,
        /// The window's length.
        #[n(1)]
        window: Lifetime,
        /// How much at once; `max` when nothing is given.
        #[n(2)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        burst: Option<Units>,
    },
    /// At most `max` at one time. Who holds some of it gives it back (`limits.release`), or
    /// has it for `ttl`, unless it renews. Keeps a row for each holder.
    #[n(4)]
    Concurrency {
        /// How much at one time; at most 1000.
        #[n(0)]
        max: Units,
        /// For how long a holder has it.
        #[n(1)]
        ttl: Lifetime,
    },
}

/// The most that a quota of concurrency may be.
pub const CONCURRENCY_MAX: u64 = 1_000;

/// Which algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Algorithm {
    /// [`Quota::SlidingLog`]
    #[n(0)]
    SlidingLog,
    /// [`Quota::SlidingCounter`]
    #[n(1)]
    SlidingCounter,
    /// [`Quota::TokenBucket`]
    #[n(2)]
    TokenBucket,
    /// [`Quota::Gcra`]
    #[n(3)]
    Gcra,
    /// [`Quota::Concurrency`]
    #[n(4)]
    Concurrency,
}

/// The time in which `units` come at `rate` in `window_us`, rounded up.
fn time_of(units: Units, rate: Units, window_us: u64) -> u64 {
    let us = (u128::from(units.0) * u128::from(window_us)).div_ceil(u128::from(rate.0));
    u64::try_from(us).unwrap_or(u64::MAX)
}

impl Quota {
    /// Which algorithm counts.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::SlidingLog { .. } => Algorithm::SlidingLog,
            Self::SlidingCounter { .. } => Algorithm::SlidingCounter,
            Self::TokenBucket { .. } => Algorithm::TokenBucket,
            Self::Gcra { .. } => Algorithm::Gcra,
            Self::Concurrency { .. } => Algorithm::Concurrency,
        }
    }

    /// The most that is ever allowed at once.
    #[must_use]
    pub const fn at_once(&self) -> Units {
        match *self {
            Self::SlidingLog { max, .. }
            | Self::SlidingCounter { max, .. }
            | Self::Concurrency { max, .. } => max,
            Self::TokenBucket { capacity, .. } => capacity,
            Self::Gcra { max, burst, .. } => match burst {
                Some(burst) => burst,
                None => max,
            },
        }
    }

    /// The time, in microseconds, in which [`at_once`](Self::at_once) comes back.
    #[must_use]
    pub fn window_us(&self) -> u64 {
        match *self {
            Self::SlidingLog { window, .. } | Self::SlidingCounter { window, .. } => window.as_us(),
            Self::TokenBucket { capacity, refill, every } => {
                time_of(capacity, refill, every.as_us())
            }
            Self::Gcra { max, window, .. } => time_of(self.at_once(), max, window.as_us()),
            Self::Concurrency { ttl, .. } => ttl.as_us(),
        }
    }

    /// For how long, in microseconds, a counter differs from a fresh one when nothing is
    /// charged to it. What an edge holds of a sliding log counts for a window longer than
    /// the edge gives it away.
    #[must_use]
    pub fn memory_us(&self) -> u64 {
        match self {
            Self::SlidingLog { window, .. } => window.as_us() + SLICE_US_MAX,
            Self::SlidingCounter { window, .. } => 2 * window.as_us(),
            Self::TokenBucket { .. } | Self::Gcra { .. } | Self::Concurrency { .. } => {
                self.window_us()
            }
        }
    }

    /// Do counters of this quota mean the same under the other? Then they are kept.
    #[must_use]
    pub fn keeps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SlidingLog { window: a, .. }, Self::SlidingLog { window: b, .. })
            | (Self::SlidingCounter { window: a, .. }, Self::SlidingCounter { window: b, .. })
            | (Self::Concurrency { ttl: a, .. }, Self::Concurrency { ttl: b, .. }) => a == b,
            (
                Self::SlidingLog { .. }
                | Self::SlidingCounter { .. }
                | Self::TokenBucket { .. }
                | Self::Gcra { .. }
                | Self::Concurrency { .. },
                _,
            ) => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Quota, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn each_algorithm_has_fields_of_its_own() {
        let log = read(r#"{"algorithm":"sliding_log","max":100,"window":"PT1M"}"#).unwrap();
        assert_eq!((log.at_once().get(), log.window_us()), (100, 60_000_000));
        let gcra = read(r#"{"algorithm":"gcra","max":3,"window":"PT1S","burst":10}"#).unwrap();
        assert_eq!((gcra.at_once().get(), gcra.window_us()), (10, 3_333_334));
        let bucket =
            read(r#"{"algorithm":"token_bucket","capacity":5,"refill":2,"every":"PT1S"}"#).unwrap();
        assert_eq!((bucket.at_once().get(), bucket.memory_us()), (5, 2_500_000));
        for bad in [
            r#"{"algorithm":"sliding_log","max":100}"#,
            r#"{"algorithm":"sliding_log","max":0,"window":"PT1M"}"#,
            r#"{"algorithm":"sliding_log","max":1000000001,"window":"PT1M"}"#,
            r#"{"algorithm":"sliding_log","max":1,"window":"PT1M","burst":2}"#,
            r#"{"algorithm":"leaky","max":1,"window":"PT1M"}"#,
            r#"{"max":1,"window":"PT1M"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counters_are_kept_while_they_mean_the_same() {
        let log = |max, window| Quota::SlidingLog {
            max: Units::new(max).unwrap(),
            window: Lifetime::from_us(window).unwrap(),
        };
        assert!(log(1, 10).keeps(&log(2, 10)));
        assert!(!log(1, 10).keeps(&log(1, 11)));
        let counter = |window| Quota::SlidingCounter {
            max: Units::ONE,
            window: Lifetime::from_us(window).unwrap(),
        };
        assert!(!log(1, 10).keeps(&counter(10)));
        assert!(counter(10).keeps(&counter(10)) && !counter(10).keeps(&counter(20)));
    }
}
