//! What the end of a session means for documents: those that hung on it are deleted.

use holdfast_state::{Abort, Id, Tx};

use super::place::Place;
use crate::ties::{self, Tie, Tied};

/// Deletes a document that hangs on a session which is over.
pub(crate) fn let_go(tx: &mut Tx<'_>, tie: &Tie, collection: &Id, id: &Id) -> Result<(), Abort> {
    let place = Place::look(tx, collection, id)?;
    if place.tie() != Some(tie) {
        let tied = Tied::Document { collection: collection.clone(), id: id.clone() };
        return Err(ties::doubt(tie, &tied));
    }
    place.remove(tx)
}
