//! Timers: a named handler and a payload, due at a log time.
//!
//! Arming and cancelling are facts of the transaction that does them. When a
//! timer is due, the engine runs its handler as a transaction of the namespace
//! that armed it and takes the timer away in the same step, so it fires once,
//! whoever leads by then. A timer never fires before its time.

use minicbor::bytes::ByteVec;

use crate::{
    table::{Namespace, Table, TableId},
    time::LogTime,
    tx::{Abort, Tx},
    version::Version,
};

/// Runs when a timer with its name is due, with the payload it was armed with.
pub type TimerHandler = fn(&mut Tx<'_>, &[u8]) -> Result<(), Abort>;

/// The partition's armed timers in the order they fall due.
#[derive(Debug)]
pub struct Timers;

/// What is to be done when a timer falls due.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct TimerRow {
    /// Name of the handler.
    #[n(0)]
    pub handler: String,
    /// What the handler gets.
    #[n(1)]
    pub payload: ByteVec,
}

impl Table for Timers {
    const ID: TableId = TableId(0x0001);
    const NAME: &'static str = "engine.timers";
    /// When, for whom, and which of the transaction's timers it is.
    type Key<'k> = (LogTime, u32, Version, u16);
    type Row = TimerRow;
}

/// Names an armed timer, so that it can be cancelled.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, minicbor::Encode, minicbor::Decode,
)]
pub struct TimerId {
    /// When it is due.
    #[n(0)]
    pub due: LogTime,
    /// The transaction that armed it.
    #[n(1)]
    pub version: Version,
    /// Which of that transaction's timers it is.
    #[n(2)]
    pub number: u16,
}

impl TimerId {
    /// The timer's key in [`Timers`].
    #[must_use]
    pub const fn key(self, namespace: Namespace) -> (LogTime, u32, Version, u16) {
        (self.due, namespace.get(), self.version, self.number)
    }
}
