//! Secondary indexes: documents of a collection by a value in them.
//!
//! An index has the documents whose value at its path is a scalar: null, a boolean, a
//! number, or a text of at most 256 bytes. Others it does not have. Scalars sort by kind
//! in this order, numbers as doubles, texts by code point.
//!
//! It is made over documents that are there already in phases (P19): from the first
//! transaction on every write keeps it true; a timer fills in what was written before,
//! some documents at a time; then it can be asked. Dropping it is one fact.
//!
//! This file keeps indexes true; [`create`], [`drop`](mod@drop), [`list`] and [`query`]
//! are the commands, [`path`] and [`scalar`] values.

pub mod create;
pub mod drop;
pub mod list;
pub mod path;
pub mod query;
pub mod scalar;

use std::ops::ControlFlow;

use holdfast_state::{Abort, Id, Read as _, StoreError, Tx, row::Row as _};

use super::{
    row::{CollectionRow, Collections, Entries, IndexRow, Phase},
    value::Value,
    walk::{ROWS_AT_ONCE, Range, Which, walk},
};

/// The name of the handler that fills an index.
pub const FILL: &str = "documents.fill_index";

/// The most indexes that a collection may have.
pub const INDEXES_MAX: usize = 16;

/// Brings the indexes of a collection into line with a document that changes.
pub(super) fn update(
    tx: &mut Tx<'_>,
    collection: &Id,
    id: &Id,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), Abort> {
    let Some(row) = tx.get::<Collections>(collection.as_str())? else { return Ok(()) };
    for index in &row.indexes {
        let kept = |value: &Value| scalar::at(value.as_str(), &index.path);
        let (before, after) = (before.and_then(kept), after.and_then(kept));
        if before == after {
            continue;
        }
        let (collection, number, id) = (collection.as_str(), index.number, id.as_str());
        if let Some(before) = &before {
            tx.delete::<Entries>((collection, number, before, id))?;
        }
        if let Some(after) = &after {
            tx.put::<Entries>((collection, number, after, id), &())?;
        }
    }
    Ok(())
}

/// Fills the index of the collection and number that are the payload a little further. One
/// that was dropped meanwhile needs nothing.
///
/// # Errors
/// [`Abort`]
pub fn fill(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let (collection, number) = <(Id, u32)>::parse(payload).map_err(|_| StoreError::Doubt {
        what: format!("{FILL}: a payload is not a collection and a number"),
    })?;
    let Some(mut row) = tx.get::<Collections>(collection.as_str())? else { return Ok(()) };
    let Some(index) = row.indexes.iter_mut().find(|index| index.number == number) else {
        return Ok(());
    };
    fill_further(tx, &collection, index)?;
    tx.put::<Collections>(collection.as_str(), &row)
}

/// Takes the next documents into an index, and says in its row how far it has come. Sets
/// the timer for those that are left.
fn fill_further(tx: &mut Tx<'_>, collection: &Id, index: &mut IndexRow) -> Result<(), Abort> {
    let Phase::Filling { after } = &index.phase else { return Ok(()) };
    let all = Range::default();
    let range = after.iter().fold(all, |range, id| range.after(id));
    let (mut found, mut last) = (Vec::new(), None);
    let mut left = ROWS_AT_ONCE;
    walk(tx, collection, range, Which::Stored, |id, row| {
        if let Some(scalar) = scalar::at(row.value.as_str(), &index.path) {
            found.push((scalar, id.clone()));
        }
        last = Some(id);
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    for (scalar, id) in found {
        tx.put::<Entries>((collection.as_str(), index.number, &scalar, id.as_str()), &())?;
    }
    if left > 0 {
        index.phase = Phase::Ready;
        return Ok(());
    }
    index.phase = Phase::Filling { after: last };
    tx.arm_timer(tx.now(), FILL, &(collection.clone(), index.number))?;
    Ok(())
}

/// The indexes of a collection; the row is there if it ever had one.
fn indexes_of(state: &impl holdfast_state::Read, collection: &Id) -> Result<CollectionRow, Abort> {
    Ok(state.get::<Collections>(collection.as_str())?.unwrap_or_default())
}
