//! Sessions: one heartbeat for many leases, places in queues, and documents.
//!
//! A *session* is open until it is closed, or until its time is over and nobody renewed
//! it. What was acquired or written under it hangs on it, and goes with it: its leases
//! pass to who is next, its owners wait no longer, its documents are deleted. So whoever
//! has many things keeps one alive, and whoever dies leaves nothing behind.
//!
//! Promises, at every version: a session counts until its time is over and not an instant
//! longer, whether or not its timer has fired; from its end on everything that hangs on it
//! counts as over for every reader and every write, whether or not it has been taken
//! away; up to [`TIED_AT_ONCE`] things are taken away in the transaction that ends the
//! session, others in pieces as large by a timer, at once (P20).
//!
//! Left to others: what hangs on a session and how that is known (`ties`), what it means
//! for a lease or a document to be taken away (`leases`, `documents`).
//!
//! Read in this order: `refusals`; [`mod@open`], [`mod@renew`], [`mod@close`]; [`get`],
//! [`list`]; `ending`; `instrument`.

pub mod close;
mod ending;
pub mod get;
mod instrument;
pub mod list;
pub mod open;
mod refusals;
pub mod renew;

use holdfast_state::{TableId, TimerHandler, command::Entry, table::Table as _};

pub use close::{CloseSessionRefusal, CloseSessionSpec, close};
pub use ending::{EXPIRE, SWEEP, TIED_AT_ONCE};
pub use get::Session;
pub use instrument::INSTRUMENTS;
pub use open::{OpenSessionRefusal, OpenSessionSpec, open};
pub use renew::{RenewSessionRefusal, RenewSessionSpec, renew};

use crate::ties::row;

/// Everything that can be asked of sessions.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<open::OpenSession>(),
    Entry::write::<renew::RenewSession>(),
    Entry::write::<close::CloseSession>(),
    Entry::query::<get::GetSession>(),
    Entry::query::<list::ListSessions>(),
];

/// The timers of sessions: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] = &[(EXPIRE, ending::expire), (SWEEP, ending::sweep)];

/// The tables of sessions: number and name. Numbers `0x04c0..=0x04ff` are theirs.
pub const TABLES: &[(TableId, &str)] =
    &[(row::Sessions::ID, row::Sessions::NAME), (row::Ties::ID, row::Ties::NAME)];
