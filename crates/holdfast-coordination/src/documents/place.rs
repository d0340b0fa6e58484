//! Where a document is or could be: looking, and the one way to change it.
//!
//! A document whose time is over counts as absent although its timer has yet to fire:
//! whoever writes there creates, and takes away with the row what hung on it.

use holdfast_state::{
    Abort, Id, IfMatch, IfNoneMatch, Lifetime, LogTime, Read, TimerId, Tx, Version,
    precondition::unmet, unknown::Unknown,
};

use super::{
    condition::Unmet,
    expire::HANDLER,
    index,
    row::{DocumentRow, Documents},
    value::Value,
};

/// A place in a collection.
#[derive(Debug)]
pub(super) struct Place<'s> {
    collection: &'s Id,
    id: &'s Id,
    /// As it is stored, also when its time is over.
    stored: Option<DocumentRow>,
    now: LogTime,
}

/// When what is written expires.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expiry {
    /// Never.
    Never,
    /// When it would have.
    Kept,
    /// So long after now.
    In(Lifetime),
}

impl<'s> Place<'s> {
    pub(super) fn look(state: &impl Read, collection: &'s Id, id: &'s Id) -> Result<Self, Abort> {
        let stored = state.get::<Documents>((collection.as_str(), id.as_str()))?;
        Ok(Self { collection, id, stored, now: state.now() })
    }

    /// The document, if one is there.
    pub(super) fn document(&self) -> Option<&DocumentRow> {
        self.stored.as_ref().filter(|row| !row.is_expired(self.now))
    }

    pub(super) fn into_document(self) -> Option<DocumentRow> {
        let now = self.now;
        self.stored.filter(|row| !row.is_expired(now))
    }

    /// Do the conditions of a request hold of it?
    ///
    /// # Errors
    /// The first that does not.
    pub(super) fn check(
        &self,
        if_match: Option<IfMatch>,
        if_none_match: Option<IfNoneMatch>,
    ) -> Result<(), Unmet> {
        let version = self.document().map(|row| row.version);
        unmet(if_match, if_none_match, version).map_or(Ok(()), |condition| {
            let version = version.map(Version::get);
            Err(Unmet {
                collection: self.collection.clone(),
                id: self.id.clone(),
                condition,
                version,
            })
        })
    }

    /// Makes this the document.
    pub(super) fn write(
        self,
        tx: &mut Tx<'_>,
        value: Value,
        expiry: Expiry,
    ) -> Result<DocumentRow, Abort> {
        let expiry = self.renew(tx, expiry)?;
        let before = self.document();
        let row = DocumentRow {
            version: tx.version(),
            created_version: before.map_or(tx.version(), |row| row.created_version),
            updated_at: tx.now(),
            value,
            expiry,
            unknown: before.map_or_else(Unknown::default, |row| row.unknown.clone()),
        };
        tx.put::<Documents>((self.collection.as_str(), self.id.as_str()), &row)?;
        self.update_indexes(tx, Some(&row))?;
        Ok(row)
    }

    /// Takes it away, if it is stored.
    pub(super) fn remove(self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        if self.stored.is_none() {
            return Ok(());
        }
        self.renew(tx, Expiry::Never)?;
        tx.delete::<Documents>((self.collection.as_str(), self.id.as_str()))?;
        self.update_indexes(tx, None)
    }

    /// Indexes have what is stored, be its time over or not.
    fn update_indexes(&self, tx: &mut Tx<'_>, row: Option<&DocumentRow>) -> Result<(), Abort> {
        let [before, after] = [self.stored.as_ref(), row].map(|row| row.map(|row| &row.value));
        index::update(tx, self.collection, self.id, before, after)
    }

    /// Brings the timer into line with what is to come.
    fn renew(&self, tx: &mut Tx<'_>, expiry: Expiry) -> Result<Option<TimerId>, Abort> {
        let armed = self.stored.as_ref().and_then(|row| row.expiry);
        if let (Expiry::Kept, Some(_)) = (expiry, self.document()) {
            return Ok(armed);
        }
        if let Some(timer) = armed {
            tx.cancel_timer(timer)?;
        }
        let Expiry::In(lifetime) = expiry else { return Ok(None) };
        let due = tx.now().plus_us(lifetime.as_us());
        let payload = (self.collection.clone(), self.id.clone());
        tx.arm_timer(due, HANDLER, &payload).map(Some)
    }
}
