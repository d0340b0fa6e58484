//! What sessions show to whoever watches over them: how many are open.

use holdfast_state::{
    Abort, Read as _,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
};

use crate::ties::row::Sessions;

/// All sessions together.
pub const INSTRUMENTS: &[Instrument] = &[Instrument {
    labels: &[],
    families: &[Family {
        name: "sessions_open",
        shown: Shown::Level,
        about: "Sessions that are open.",
    }],
    source: Source::State(read),
}];

fn read(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    let mut open = 0;
    view.each::<Sessions>(|found| {
        open += u64::from(!found.row.is_over(view.now()));
        Ok(())
    })?;
    Ok(vec![Reading { names: Vec::new(), values: vec![open] }])
}
