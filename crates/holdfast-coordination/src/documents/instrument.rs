//! What documents show to whoever watches over them: how many there are, and how often one
//! writer came behind another.

use std::collections::BTreeMap;

use holdfast_state::{
    Abort, Id, Read as _, Tx,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
    page::bad_key,
};

use super::{condition::Unmet, row::Documents};

/// All of them.
pub const INSTRUMENTS: &[Instrument] = &[DOCUMENTS, WRITES];

const CONFLICTS: Family = Family {
    name: "document_conflicts",
    shown: Shown::Counter,
    about: "Writes that were refused since the document was not at the version they said.",
};

const DOCUMENTS: Instrument = Instrument {
    labels: &["collection"],
    families: &[
        Family { name: "documents", shown: Shown::Level, about: "Documents that are there." },
        Family { name: "document_bytes", shown: Shown::Level, about: "Size of their JSON." },
    ],
    source: Source::State(read),
};

const WRITES: Instrument =
    Instrument { labels: &["collection"], families: &[CONFLICTS], source: Source::Counted };

impl Unmet {
    /// A write was refused for it.
    pub(super) fn counted(self, tx: &mut Tx<'_>) -> Self {
        tx.count(&CONFLICTS, &[self.collection.as_str()], 1);
        self
    }
}

/// One that hangs on a session which has just ended is counted until it is taken away.
fn read(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    let mut collections = BTreeMap::<Id, [u64; 2]>::new();
    view.each::<Documents>(|found| {
        let collection = found.key().id().map_err(|_| bad_key::<Documents>())?;
        if !found.row.is_expired(view.now()) {
            let [documents, bytes] = collections.entry(collection).or_default();
            *documents += 1;
            *bytes += found.row.value.as_str().len() as u64;
        }
        Ok(())
    })?;
    let reading = |(collection, values): (Id, [u64; 2])| Reading {
        names: vec![collection.to_string()],
        values: values.to_vec(),
    };
    Ok(collections.into_iter().map(reading).collect())
}
