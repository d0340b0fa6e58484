//! The timer of retention: a topic's partitions are gone through, and what may go is removed.
//!
//! A firing looks at a bounded number of bytes; where that was not all there was to do,
//! another goes on at once. A round through all partitions takes age as of its beginning;
//! with its end go the ids that it freed, and the next round is set. A change of the topic
//! begins rounds of its own: what was set before it finds another version, and ends.

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Read as _, StoreError, Tx, Version, row::Row as _,
};

use super::{
    ids,
    retention::Retention,
    row::{TopicRow, Topics},
    sequence::{Sequence, doubt, first_tail},
    trim::{Effort, Rule},
};

/// The name of the handler that removes what is kept no more.
pub const SWEEP: &str = "topics.sweep";

/// Bytes of messages that a firing looks at, and what the last rows it reads have more.
const BYTES: u64 = 1 << 20;

const SECOND_US: u64 = 1_000_000;
const HOUR_US: u64 = 3_600 * SECOND_US;

/// Topic, its version, the next partition, and when the round began.
type Payload = (Id, Version, u16, Option<LogTime>);

/// Sets the first round of a topic as it is now: at once, or after a while. Nothing is set
/// where everything is kept.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    topic: &Id,
    row: &TopicRow,
    at_once: bool,
) -> Result<(), Abort> {
    if row.retention.is_for_ever() {
        return Ok(());
    }
    let rest = if at_once { 0 } else { rest_us(row.retention) };
    let payload: Payload = (topic.clone(), row.version, 0, None);
    tx.arm_timer(tx.now().plus_us(rest), SWEEP, &payload).map(drop)
}

/// Between two rounds.
fn rest_us(retention: Retention) -> u64 {
    let share = retention.age.map_or(HOUR_US, |age| age.as_us() / 16);
    share.clamp(SECOND_US, HOUR_US)
}

/// Goes on with the round that is the payload.
///
/// # Errors
/// [`Abort`]
pub fn sweep(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let unknown = |_| StoreError::Doubt { what: format!("{SWEEP}: a payload does not decode") };
    let (topic, version, next, as_of) = Payload::parse(payload).map_err(unknown)?;
    let row = tx.get::<Topics>(topic.as_str())?;
    let Some(row) = row.filter(|row| row.version == version) else { return Ok(()) };
    let as_of = as_of.unwrap_or(tx.now());
    let first = first_tail(tx, &topic)?.ok_or_else(|| doubt(format!("{topic} has no tail")))?;
    let rule = rule(row.retention, as_of);
    let mut effort = Effort::new(BYTES);
    for partition in row.partitions.all().skip(next.into()) {
        let sequence = Sequence::new(&topic, partition);
        let tail = sequence.tail(tx, first.clone())?;
        sequence.trim(tx, &tail, rule, &mut effort)?;
        if !effort.is_left() {
            // There may be more of this one.
            let payload: Payload = (topic.clone(), version, partition, Some(as_of));
            return tx.arm_timer(tx.now(), SWEEP, &payload).map(drop);
        }
    }
    ids::turn(tx, &topic, row.retention, as_of)?;
    begin(tx, &topic, &row, false)
}

fn rule(retention: Retention, as_of: LogTime) -> Rule {
    let since = |age: Lifetime| as_of.as_us().checked_sub(age.as_us()).map(LogTime::from_us);
    let early_us = if planted!(RetentionTooEarly) { SECOND_US } else { 0 };
    let until = retention.age.and_then(since).map(|until| until.plus_us(early_us));
    Rule { until, bytes: retention.bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_rest_for_a_sixteenth_of_the_age_within_bounds() {
        let rest = |age_s: u64| {
            let age = Some(Lifetime::from_us(age_s * SECOND_US).unwrap());
            rest_us(Retention { age, bytes: None }) / SECOND_US
        };
        assert_eq!([rest(1), rest(160), rest(7 * 86_400)], [1, 10, 3_600]);
        assert_eq!(rest_us(Retention::default()), HOUR_US);
    }
}
