//! Ties: what hangs on a session, and whether the session counts.
//!
//! A lease, a place in a queue or a document may hang on a *session*: its row then has a
//! [`Tie`], which names the session and which of all that ever had this id, and the
//! session's ties name it (`Tied`). From the session's end on whatever hangs on it
//! counts as over for every reader, whether or not it has been taken away: whoever reads
//! such a row asks `Tie::ends`.
//!
//! Promises, at every version: a row with a tie and the row of that tie are there together;
//! an id that is opened again has nothing of what hung on it before.
//!
//! Left to others: sessions' commands and taking away what hung on one that is over
//! (`sessions`), what it means to be taken away (`leases`, `documents`).

pub(crate) mod refusal;
pub mod row;

use std::collections::BTreeMap;

use holdfast_state::{Abort, Id, LogTime, Read, Scan, StoreError, Tx, Version, page::bad_key};
use minicbor::{Decode, Encode};

use row::{SessionRow, Sessions, Ties};

/// The session that something hangs on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Tie {
    /// The session's id.
    #[n(0)]
    pub session: Id,
    /// The transaction that opened it: an id may be opened again.
    #[n(1)]
    pub opened: Version,
    /// Which of that transaction's timers ends it: it may even be opened twice in one.
    #[n(2)]
    pub number: u16,
}

impl Tie {
    /// A tie to the session with this id, if it is open.
    pub(crate) fn to(state: &impl Read, session: &Id) -> Result<Option<Self>, Abort> {
        let row = state.get::<Sessions>(session.as_str())?;
        let row = row.filter(|row| !row.is_over(state.now()));
        Ok(row.map(|row| Self::of(session, &row)))
    }

    pub(crate) fn of(session: &Id, row: &SessionRow) -> Self {
        Self { session: session.clone(), opened: row.opened, number: row.number }
    }

    /// When the session ends unless it is renewed; `None` when it is over.
    pub(crate) fn ends(&self, state: &impl Read) -> Result<Option<LogTime>, Abort> {
        let row = state.get::<Sessions>(self.session.as_str())?;
        let own = row.filter(|row| (row.opened, row.number) == (self.opened, self.number));
        Ok(own.filter(|row| !row.is_over(state.now())).map(|row| row.expires_at))
    }

    fn key<'k>(&'k self, (kind, first, second): (u16, &'k str, &'k str)) -> TieKey<'k> {
        (self.session.as_str(), self.opened, self.number, (kind, first, second))
    }
}

/// Sessions that were asked about, each read once: for lists of things that hang on few.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<Tie, Option<LogTime>>);

impl Known {
    /// As [`Tie::ends`].
    pub(crate) fn ends(&mut self, state: &impl Read, tie: &Tie) -> Result<Option<LogTime>, Abort> {
        if let Some(known) = self.0.get(tie) {
            return Ok(*known);
        }
        let ends = tie.ends(state)?;
        self.0.insert(tie.clone(), ends);
        Ok(ends)
    }

    /// Does something hang on a session that is over?
    pub(crate) fn is_over(&mut self, state: &impl Read, tie: Option<&Tie>) -> Result<bool, Abort> {
        tie.map_or(Ok(false), |tie| Ok(self.ends(state, tie)?.is_none()))
    }
}

/// What hangs on a session. In the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tied {
    /// An owner's place in the queue of a lease.
    Place { lease: Id, owner: Id },
    /// The grant of a lease.
    Lease { lease: Id },
    /// A document.
    Document { collection: Id, id: Id },
}

const PLACE: u16 = 0;
const LEASE: u16 = 1;
const DOCUMENT: u16 = 2;

/// Session, the transaction that opened it, its timer; kind, and names by kind.
type TieKey<'k> = (&'k str, Version, u16, (u16, &'k str, &'k str));

impl Tied {
    fn parts(&self) -> (u16, &str, &str) {
        match self {
            Self::Place { lease, owner } => (PLACE, lease.as_str(), owner.as_str()),
            Self::Lease { lease } => (LEASE, lease.as_str(), ""),
            Self::Document { collection, id } => (DOCUMENT, collection.as_str(), id.as_str()),
        }
    }
}

/// Hangs something on a session.
pub(crate) fn add(tx: &mut Tx<'_>, tie: &Tie, tied: &Tied) -> Result<(), Abort> {
    tx.put::<Ties>(tie.key(tied.parts()), &())
}

/// It hangs on it no more.
pub(crate) fn remove(tx: &mut Tx<'_>, tie: &Tie, tied: &Tied) -> Result<(), Abort> {
    tx.delete::<Ties>(tie.key(tied.parts()))
}

/// What hangs on a session, at most `limit` of it.
pub(crate) fn tied(state: &impl Read, tie: &Tie, limit: usize) -> Result<Vec<Tied>, Abort> {
    let of_it = (tie.session.as_str(), tie.opened, tie.number);
    let found = state.scan::<Ties>(&of_it, Scan::up(limit))?;
    let tied = found.into_iter().map(|found| {
        let mut key = found.key();
        let kind = key.str().and_then(|_| key.u64()).and_then(|_| key.u16());
        match kind.and_then(|_| key.u16()).map_err(|_| bad_key::<Ties>())? {
            LEASE => Ok(Tied::Lease { lease: key.id().map_err(|_| bad_key::<Ties>())? }),
            kind => {
                let names = key.id().and_then(|first| Ok((first, key.id()?)));
                let (first, second) = names.map_err(|_| bad_key::<Ties>())?;
                match kind {
                    PLACE => Ok(Tied::Place { lease: first, owner: second }),
                    DOCUMENT => Ok(Tied::Document { collection: first, id: second }),
                    _ => Err(bad_key::<Ties>()),
                }
            }
        }
    });
    tied.collect()
}

/// Something that should hang on a session does not: the state must be rebuilt.
pub(crate) fn doubt(tie: &Tie, tied: &Tied) -> Abort {
    let what = format!("session {} has {tied:?}, which does not hang on it", tie.session);
    StoreError::Doubt { what }.into()
}
