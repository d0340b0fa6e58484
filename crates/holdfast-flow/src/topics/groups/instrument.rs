//! What groups show to whoever watches over them: how far behind they are, and for how long.

use holdfast_state::{
    Abort, LogTime, Read as _,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
    page::bad_key,
};

use super::{row::Groups, standing::Name};
use crate::topics::sequence::{Sequence, doubt, first_tail};

/// Groups of all topics.
pub const GROUPS: Instrument = Instrument {
    labels: &["topic", "group"],
    families: &[
        Family {
            name: "group_lag",
            shown: Shown::Level,
            about: "Messages that are there and not committed.",
        },
        Family {
            name: "group_lag_seconds",
            shown: Shown::Age,
            about: "Age of the oldest message that is not committed.",
        },
        Family { name: "group_members", shown: Shown::Level, about: "Members." },
        Family {
            name: "group_committed",
            shown: Shown::Counter,
            about: "Messages up to the committed offsets; a seek sets it.",
        },
        Family {
            name: "group_lost",
            shown: Shown::Level,
            about: "Messages that were removed and not committed, since it committed last.",
        },
    ],
    source: Source::State(read),
};

fn read(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    let mut readings = Vec::new();
    view.each::<Groups>(|found| {
        let mut key = found.key();
        let names = key.id().and_then(|topic| Ok((topic, key.id()?)));
        let (topic, group) = names.map_err(|_| bad_key::<Groups>())?;
        let name = Name { topic: &topic, group: &group };
        let mut values = progress(view, name)?;
        values[MEMBERS] = found.row.members.len() as u64;
        let names = vec![topic.to_string(), group.to_string()];
        readings.push(Reading { names, values: values.to_vec() });
        Ok(())
    })?;
    Ok(readings)
}

const MEMBERS: usize = 2;

/// The families in order, but for the members.
fn progress(view: &BoundedView<'_>, name: Name<'_>) -> Result<[u64; 5], Abort> {
    let first = first_tail(view, name.topic)?;
    let first = first.ok_or_else(|| doubt(format!("{name:?} has no topic")))?;
    let (mut lag, mut committed, mut lost) = (0, 0, 0);
    let mut oldest: Option<LogTime> = None;
    for partition in first.partitions.all() {
        let sequence = Sequence::new(name.topic, partition);
        let last = sequence.tail(view, first.clone())?.last;
        let place = name.place(view, partition)?;
        committed += place.offset - place.lost;
        lost += place.lost;
        if place.offset < last {
            lag += last - place.offset;
            let time = sequence.holding(view, place.offset + 1)?.row.time;
            oldest = Some(oldest.map_or(time, |oldest| oldest.min(time)));
        }
    }
    let age = oldest.map_or(0, |oldest| view.now().since_us(oldest));
    Ok([lag, age, 0, committed, lost])
}
