//! What leases show to whoever watches over them: how many are held, and how many wait.

use holdfast_state::{
    Abort,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
};

use super::{row::Leases, standing::Held};
use crate::ties::Known;

/// All leases together.
pub const INSTRUMENTS: &[Instrument] = &[Instrument {
    labels: &[],
    families: &[
        Family { name: "leases_held", shown: Shown::Level, about: "Leases that somebody holds." },
        Family {
            name: "lease_waiters",
            shown: Shown::Level,
            about: "Owners in the queues of leases.",
        },
        Family {
            name: "leases_waited_for",
            shown: Shown::Level,
            about: "Leases that somebody waits for.",
        },
    ],
    source: Source::State(read),
}];

fn read(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    let (mut held, mut waiters, mut waited_for) = (0, 0, 0);
    let mut known = Known::default();
    view.each::<Leases>(|found| {
        let waiting = u64::from(found.row.waiting);
        waiters += waiting;
        waited_for += u64::from(waiting > 0);
        held += u64::from(Held::of(view, &mut known, found.row)?.is_ok());
        Ok(())
    })?;
    Ok(vec![Reading { names: Vec::new(), values: vec![held, waiters, waited_for] }])
}
