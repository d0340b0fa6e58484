//! What queues show to whoever watches over them: how much waits, and for how long.
//!
//! Where messages are follows from numbers that are stored, but for two things. Which of
//! those that were never given out wait for their delay is searched for, by halves. Which of
//! those that were given out could be given out again is counted, a delivery at a time: the
//! first `AGAIN_MAX` of them, which come into sight while nobody receives.

use holdfast_state::{
    Abort, LogTime, Read as _, Scan,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
    key::BadKey,
    page::bad_key,
};

use super::{
    row::{Due, QueueRow, Queues, StandingRow},
    standing::Name,
};
use crate::topics::sequence::{Sequence, doubt, first_tail};

/// So many deliveries that came into sight again are looked at; messages of others are
/// said to be in flight.
const AGAIN_MAX: usize = 256;

/// Queues of all topics.
pub const QUEUES: Instrument = Instrument {
    labels: &["topic", "queue"],
    families: &[
        Family {
            name: "queue_ready",
            shown: Shown::Level,
            about: "Messages that could be given out.",
        },
        Family {
            name: "queue_ready_seconds",
            shown: Shown::Age,
            about: "How long the one has been ready that has been for longest.",
        },
        Family {
            name: "queue_delayed",
            shown: Shown::Level,
            about: "Messages that wait for the queue's delay to be over.",
        },
        Family {
            name: "queue_in_flight",
            shown: Shown::Level,
            about: "Messages that were given out, or given back with a delay.",
        },
        Family { name: "queue_dead_letters", shown: Shown::Level, about: "Dead letters." },
        Family {
            name: "queue_done",
            shown: Shown::Counter,
            about: "Messages that are done: acknowledged, purged, or from before the queue began.",
        },
        Family {
            name: "queue_lost",
            shown: Shown::Counter,
            about: "Messages that were removed from the topic before they were done.",
        },
    ],
    source: Source::State(read),
};

fn read(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    let mut readings = Vec::new();
    view.each::<Queues>(|found| {
        let mut key = found.key();
        let names = key.id().and_then(|topic| Ok((topic, key.id()?)));
        let (topic, queue) = names.map_err(|_| bad_key::<Queues>())?;
        let name = Name { topic: &topic, queue: &queue };
        let standing = name.standing(view)?;
        let given = standing.cursors.iter().sum::<u64>();
        let first = first_sight(view, name, &found.row, &standing)?;
        let again = again(view, name, &standing)?;
        let ready_at = first.ready_at.into_iter().chain(again.ready_at).min();
        let values = vec![
            first.ready + again.ready,
            ready_at.map_or(0, |at| view.now().since_us(at)),
            first.waiting - first.ready,
            standing.out - again.ready,
            standing.dead,
            given - standing.out - standing.dead - standing.lost,
            standing.lost + first.lost,
        ];
        readings.push(Reading { names: vec![topic.to_string(), queue.to_string()], values });
        Ok(())
    })?;
    Ok(readings)
}

/// Messages that were never given out, or were and are to be again.
#[derive(Debug, Default)]
struct Waiting {
    waiting: u64,
    /// Those among them that could be given out now.
    ready: u64,
    /// Since when the first could be.
    ready_at: Option<LogTime>,
    /// Those that were removed while they waited.
    lost: u64,
}

fn first_sight(
    view: &BoundedView<'_>,
    name: Name<'_>,
    settings: &QueueRow,
    standing: &StandingRow,
) -> Result<Waiting, Abort> {
    let first = first_tail(view, name.topic)?;
    let first = first.ok_or_else(|| doubt(format!("{name:?} has no topic")))?;
    let delay_us = settings.delay.map_or(0, |delay| delay.0.as_us());
    let mut all = Waiting::default();
    for (partition, cursor) in first.partitions.all().zip(&standing.cursors) {
        let sequence = Sequence::new(name.topic, partition);
        let last = sequence.tail(view, first.clone())?.last;
        let removed = sequence.head(view)?.removed();
        let given = removed.max(*cursor);
        all.lost += removed.saturating_sub(*cursor);
        all.waiting += last - given;
        if given == last {
            continue;
        }
        let ready_at = sequence.holding(view, given + 1)?.row.time.plus_us(delay_us);
        if ready_at <= view.now() {
            all.ready += ready_up_to(view, sequence, (given, last), delay_us)? - given;
            all.ready_at = Some(all.ready_at.map_or(ready_at, |first| first.min(ready_at)));
        }
    }
    Ok(all)
}

/// The last message whose delay is over, of those behind the first of two, which is or
/// lies before the second.
fn ready_up_to(
    view: &BoundedView<'_>,
    sequence: Sequence<'_>,
    (mut ready, last): (u64, u64),
    delay_us: u64,
) -> Result<u64, Abort> {
    if delay_us == 0 {
        return Ok(last);
    }
    // Times rise with offsets: those up to `ready` are, those from `not` on are not.
    let mut not = last + 1;
    while ready + 1 < not {
        let run = sequence.holding(view, ready + (not - ready) / 2)?;
        if run.row.time.plus_us(delay_us) <= view.now() {
            ready = run.end() - 1;
        } else {
            not = run.base.max(ready + 1);
        }
    }
    Ok(ready)
}

fn again(view: &BoundedView<'_>, name: Name<'_>, standing: &StandingRow) -> Result<Waiting, Abort> {
    let (topic, queue) = (name.topic.as_str(), name.queue.as_str());
    let (from, to) = ((topic, queue, standing.due_from), (topic, queue, view.now().plus_us(1)));
    let mut all = Waiting::default();
    for found in view.range::<Due>(&from, &to, Scan::up(AGAIN_MAX))? {
        let mut key = found.key();
        let mut parts = || -> Result<_, BadKey> {
            key.str()?;
            key.str()?;
            Ok((LogTime::from_us(key.u64()?), key.u64()?))
        };
        let (due, number) = parts().map_err(|BadKey| bad_key::<Due>())?;
        let row = name.delivery(view, number)?;
        let row = row.ok_or_else(|| doubt(format!("{name:?}: no delivery {number}")))?;
        all.ready += row.span.open();
        all.ready_at = all.ready_at.or(Some(due));
    }
    Ok(all)
}
