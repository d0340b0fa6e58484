//! What a counter says.

/// A counter at one moment, asked for some cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// What is left of the quota, in whole units.
    pub(super) remaining: u64,
    /// In how long all of it is there again, if nothing is charged meanwhile.
    pub(super) reset_us: u64,
    /// Is there room for the cost?
    pub(super) room: Room,
}

/// Whether a cost can be charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It can.
    Now,
    /// Not before so long, in microseconds, and then if nothing is charged meanwhile.
    In(u64),
    /// It is more than is ever allowed at once.
    Never,
}
