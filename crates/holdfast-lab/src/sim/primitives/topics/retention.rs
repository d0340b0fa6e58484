//! How long messages must stay, and how long they may: the rules that removing is held to.
//!
//! Nobody asks for it, so it is seen in the state: where partitions begin. That may move when
//! what went was as old as said, or when what stays is as much as said; never within what was
//! appended together; and by the end it must have moved.

use holdfast_state::LogTime;
use serde_json::Value;

use super::{super::expected::us, partition::Partition};

/// Where more than this was appended, a round of retention takes several transactions.
const ROUND_BYTES: u64 = 1 << 20;

/// What is too much goes in pieces of this size.
const PIECE_BYTES: u64 = 256 << 10;

const SECOND_US: u64 = 1_000_000;

/// What is kept of each partition: everything, if nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// In microseconds.
    age: Option<u64>,
    bytes: Option<u64>,
}

impl Kept {
    /// What somebody asks for.
    pub(super) fn asked(args: &Value) -> Self {
        let retention = &args["retention"];
        Self { age: us(retention, "age"), bytes: retention["bytes"].as_u64() }
    }

    /// May a partition begin with this offset now?
    pub(super) fn lets_go(self, partition: &Partition, first: u64, now: LogTime) -> bool {
        let gone = || partition.stretch(partition.removed, first - 1);
        let old = |age: u64| gone().all(|message| message.at.time.plus_us(age) <= now);
        self.age.is_some_and(old)
            || self.bytes.is_some_and(|kept| partition.bytes_behind(first - 1) >= kept)
    }

    /// What should have gone by now, when no timer is due.
    pub(super) fn overdue(self, partition: &Partition, now: LogTime) -> Option<&'static str> {
        let first = partition.stretch(partition.removed, partition.last()).next()?;
        let old = |age: u64| {
            let rest = (age / 16).clamp(SECOND_US, 3_600 * SECOND_US);
            partition.bytes_behind(0) < ROUND_BYTES && first.at.time.plus_us(age + rest) <= now
        };
        let much = |kept: u64| {
            let pieces = 2 * PIECE_BYTES + partition.largest_append();
            partition.bytes_behind(partition.removed) >= kept + pieces
        };
        match self {
            Self { age: Some(age), .. } if old(age) => Some("no message older than it may be"),
            Self { bytes: Some(kept), .. } if much(kept) => Some("no more than is to be kept"),
            Self { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{super::expected::Moment, partition::Message},
        *,
    };

    #[test]
    fn what_is_young_and_what_is_little_stays() {
        let mut partition = Partition::default();
        for version in 1..=4 {
            let at = Moment { version, time: LogTime::from_us(version * 10) };
            let message = Message::asked(&json!({ "data": 1 }), at, version);
            partition.push(message);
        }
        let at = LogTime::from_us;
        let aged = Kept { age: Some(100), bytes: None };
        assert!(aged.lets_go(&partition, 3, at(120)) && !aged.lets_go(&partition, 3, at(119)));
        let each = partition.bytes_behind(3);
        let sized = Kept { age: None, bytes: Some(2 * each) };
        assert!(sized.lets_go(&partition, 3, at(0)) && !sized.lets_go(&partition, 4, at(0)));
        assert!(!Kept::default().lets_go(&partition, 2, at(1_000_000)));
        let late = 10 + 100 + SECOND_US;
        assert!(aged.overdue(&partition, at(late)).is_some());
        assert!(aged.overdue(&partition, at(late - 1)).is_none());
        assert!(sized.overdue(&partition, at(late)).is_none(), "pieces are large");
    }
}
