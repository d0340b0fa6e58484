//! What topics, groups and queues show to whoever watches over them.

use holdfast_state::{
    Abort,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
    page::bad_key,
};

use super::{
    groups::instrument::GROUPS,
    queues::instrument::QUEUES,
    row::Topics,
    sequence::{Sequence, doubt, first_tail},
};

/// All of them.
pub const INSTRUMENTS: &[Instrument] = &[TOPICS, GROUPS, QUEUES];

const TOPICS: Instrument = Instrument {
    labels: &["topic"],
    families: &[
        Family { name: "topic_messages", shown: Shown::Level, about: "Messages that are there." },
        Family { name: "topic_bytes", shown: Shown::Level, about: "Their size." },
        Family {
            name: "topic_appended",
            shown: Shown::Counter,
            about: "Messages that were appended.",
        },
    ],
    source: Source::State(read),
};

fn read(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    let mut readings = Vec::new();
    view.each::<Topics>(|found| {
        let id = found.key().id().map_err(|_| bad_key::<Topics>())?;
        let first = first_tail(view, &id)?.ok_or_else(|| doubt(format!("{id} has no tail")))?;
        let (mut messages, mut bytes, mut appended) = (0, 0, 0);
        for partition in first.partitions.all() {
            let sequence = Sequence::new(&id, partition);
            let (tail, head) = (sequence.tail(view, first.clone())?, sequence.head(view)?);
            messages += tail.last - head.removed();
            bytes += tail.bytes - head.bytes;
            appended += tail.last;
        }
        let values = vec![messages, bytes, appended];
        readings.push(Reading { names: vec![id.to_string()], values });
        Ok(())
    })?;
    Ok(readings)
}
