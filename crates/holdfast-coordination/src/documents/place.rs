//! Where a document is or could be: looking, and the one way to change it.
//!
//! A document whose time is over, or whose session is, counts as absent although nothing may
//! have taken it away yet: whoever writes there creates, and takes away with the row what
//! hung on it.

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, IfMatch, IfNoneMatch, Lifetime, Read, TimerId, Tx, Version, precondition::unmet,
    unknown::Unknown,
};

use super::{
    condition::Unmet,
    expire::HANDLER,
    index,
    row::{DocumentRow, Documents},
    value::Value,
};
use crate::ties::{self, Known, Tie, Tied};

/// A place in a collection.
#[derive(Debug)]
pub(super) struct Place<'s> {
    collection: &'s Id,
    id: &'s Id,
    /// As it is stored, also when its time or session is over.
    stored: Option<DocumentRow>,
    /// It is there: stored, and neither its time nor its session is over.
    there: bool,
}

/// Is a document over that is stored?
pub(super) fn is_over(
    state: &impl Read,
    known: &mut Known,
    row: &DocumentRow,
) -> Result<bool, Abort> {
    let own_time_over = row.is_expired(state.now()) && !planted!(DocumentOutlivesItsTime);
    Ok(own_time_over || known.is_over(state, row.tie.as_ref())?)
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

/// What it hangs on from now on.
#[derive(Clone, Debug)]
pub(super) enum HangsOn {
    /// No session.
    Nothing,
    /// What it hung on before.
    Same,
    /// This session, which is open.
    Session(Tie),
}

impl HangsOn {
    /// This session, if it is open.
    pub(super) fn open(state: &impl Read, session: &Id) -> Result<Option<Self>, Abort> {
        Ok(Tie::to(state, session)?.map(Self::Session))
    }
}

impl<'s> Place<'s> {
    pub(super) fn look(state: &impl Read, collection: &'s Id, id: &'s Id) -> Result<Self, Abort> {
        let stored = state.get::<Documents>((collection.as_str(), id.as_str()))?;
        let there = match &stored {
            Some(row) => !is_over(state, &mut Known::default(), row)?,
            None => false,
        };
        Ok(Self { collection, id, stored, there })
    }

    /// The document, if one is there.
    pub(super) fn document(&self) -> Option<&DocumentRow> {
        self.stored.as_ref().filter(|_| self.there)
    }

    pub(super) fn into_document(self) -> Option<DocumentRow> {
        self.stored.filter(|_| self.there)
    }

    /// What it hangs on as it is stored.
    pub(super) fn tie(&self) -> Option<&Tie> {
        self.stored.as_ref().and_then(|row| row.tie.as_ref())
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
        let if_match = if_match.filter(|_| !planted!(VersionNotCompared));
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
        hangs_on: HangsOn,
    ) -> Result<DocumentRow, Abort> {
        let expiry = self.renew(tx, expiry)?;
        let tie = self.hang(tx, hangs_on)?;
        let before = self.document();
        let row = DocumentRow {
            version: tx.version(),
            created_version: before.map_or(tx.version(), |row| row.created_version),
            updated_at: tx.now(),
            value,
            expiry,
            tie,
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
        self.hang(tx, HangsOn::Nothing)?;
        tx.delete::<Documents>((self.collection.as_str(), self.id.as_str()))?;
        self.update_indexes(tx, None)
    }

    /// Indexes have what is stored, be its time over or not.
    fn update_indexes(&self, tx: &mut Tx<'_>, row: Option<&DocumentRow>) -> Result<(), Abort> {
        let [mut before, after] = [self.stored.as_ref(), row].map(|row| row.map(|row| &row.value));
        if planted!(IndexKeepsOldEntries) {
            before = None;
        }
        index::update(tx, self.collection, self.id, before, after)
    }

    /// Brings the session's ties into line with what is to come.
    fn hang(&self, tx: &mut Tx<'_>, hangs_on: HangsOn) -> Result<Option<Tie>, Abort> {
        let before = self.stored.as_ref().and_then(|row| row.tie.clone());
        let after = match hangs_on {
            HangsOn::Nothing => None,
            HangsOn::Same => before.clone().filter(|_| self.there),
            HangsOn::Session(tie) => Some(tie),
        };
        if before == after {
            return Ok(after);
        }
        let tied = Tied::Document { collection: self.collection.clone(), id: self.id.clone() };
        if let Some(before) = &before {
            ties::remove(tx, before, &tied)?;
        }
        if let Some(after) = &after {
            ties::add(tx, after, &tied)?;
        }
        Ok(after)
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
