//! Leases: who may act, for how long, and proof of it.
//!
//! A *lease* is a name that one *owner* at a time holds. Holding begins with a *grant*,
//! whose *token* is the version of the transaction that made it: it rises from grant to
//! grant and is never used again, so whoever remembers the highest token seen can refuse
//! an owner of yesterday (a fencing token). A grant ends when it is released or
//! transferred, or when its time is over and nobody renewed it. Who comes while the
//! lease is held is refused, or *waits* in order and is granted it in the transaction in
//! which its turn comes.
//!
//! Promises, at every version: a lease has at most one grant, and nobody waits for one that
//! was released; tokens rise; grants go in the order in which those who wait came; nobody
//! waits, through others, for itself; a grant counts until its time is over, or that of
//! the session on which it hangs, and not an instant longer, whether or not a timer has fired; what [`guard`](mod@guard) accepts
//! is valid in that very transaction (P24).
//!
//! An election is a lease whose holder leads; its observers follow the lease.
//!
//! Left to others: what is done under a lease (callers guard it), names that are one
//! contender's alone (callers), the change feed (engine).
//!
//! Read in this order: `refusals`; [`row`] (what is stored), `standing` (a lease as it
//! stands, and changing it), `queue`, `deadlock`; [`get`], [`list`], [`mod@guard`];
//! [`mod@acquire`], [`mod@renew`], [`mod@release`], [`mod@transfer`], [`mod@withdraw`];
//! [`expire`], `session`; `instrument`.

pub mod acquire;
mod deadlock;
pub mod expire;
pub mod get;
pub mod guard;
mod instrument;
pub mod list;
mod queue;
mod refusals;
pub mod release;
pub mod renew;
pub mod row;
mod session;
mod standing;
pub mod transfer;
pub mod withdraw;

use holdfast_state::{TableId, TimerHandler, command::Entry, table::Table as _};

pub use acquire::{AcquireLeaseRefusal, AcquireLeaseSpec, acquire};
pub use deadlock::Wait;
pub use get::{Grant, Lease};
pub use guard::{GuardLeaseRefusal, GuardLeaseSpec, guard};
pub use instrument::INSTRUMENTS;
pub use release::{ReleaseLeaseRefusal, ReleaseLeaseSpec, release};
pub use renew::{RenewLeaseRefusal, RenewLeaseSpec, renew};
pub(crate) use session::{leave_with, let_go};
pub use transfer::{TransferLeaseRefusal, TransferLeaseSpec, transfer};
pub use withdraw::{WithdrawRefusal, WithdrawSpec, withdraw};

/// Everything that can be asked of leases.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<acquire::AcquireLease>(),
    Entry::write::<renew::RenewLease>(),
    Entry::write::<release::ReleaseLease>(),
    Entry::write::<transfer::TransferLease>(),
    Entry::write::<withdraw::Withdraw>(),
    Entry::query::<guard::GuardLease>(),
    Entry::query::<get::GetLease>(),
    Entry::query::<list::ListLeases>(),
];

/// The timers of leases: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] =
    &[(expire::EXPIRE, expire::expire), (expire::GIVE_UP, expire::give_up)];

/// The tables of leases: number and name. Numbers `0x0440..=0x047f` are theirs.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Leases::ID, row::Leases::NAME),
    (row::Waiters::ID, row::Waiters::NAME),
    (row::Waits::ID, row::Waits::NAME),
];
