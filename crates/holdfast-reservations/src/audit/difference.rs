//! What an audit finds.

use holdfast_state::{Id, audit::Differences};

use super::taken::Taken;

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Bytes in the log are not what they should be.
    #[error("{what} does not decode")]
    Undecodable {
        /// What they should be.
        what: &'static str,
    },
    /// Rows were removed that are kept for good, or many at once.
    #[error("rows were removed from {table}")]
    Removed {
        /// The table.
        table: &'static str,
    },
    /// A row of the resource changed what never changes, or contradicts itself.
    #[error("resource {resource} has a {field} that it cannot have")]
    ResourceField {
        /// The resource.
        resource: Id,
        /// What is wrong.
        field: &'static str,
    },
    /// Something is of a resource that has no row.
    #[error("resource {resource} has no row")]
    ResourceMissing {
        /// The resource.
        resource: Id,
    },
    /// The hold contradicts itself.
    #[error("hold {hold} has a {field} that no hold has")]
    HoldMalformed {
        /// The hold.
        hold: Id,
        /// What is wrong.
        field: &'static str,
    },
    /// The hold changed in a way in which no hold changes.
    #[error("hold {hold} changed its {field}")]
    HoldChanged {
        /// The hold.
        hold: Id,
        /// What changed.
        field: &'static str,
    },
    /// The hold's row bears another version or time than its transaction.
    #[error("hold {hold} does not bear the version and time of its transaction")]
    HoldStamp {
        /// The hold.
        hold: Id,
    },
    /// What is taken of a slot is not what its holds take.
    #[error("slot {slot} of {resource} says {stored}, its holds take {derived}")]
    LevelTaken {
        /// The resource.
        resource: Id,
        /// The slot.
        slot: u32,
        /// What its holds take.
        derived: Taken,
        /// What its row says.
        stored: Taken,
    },
    /// More of a slot is held and sold than there is.
    #[error("slot {slot} of {resource} has {derived} of a stock of {stock}")]
    Oversold {
        /// The resource.
        resource: Id,
        /// The slot.
        slot: u32,
        /// What its holds take.
        derived: Taken,
        /// What there is.
        stock: u64,
    },
    /// A slot has a row that says nothing.
    #[error("slot {slot} of {resource} has a row that says nothing")]
    LevelIdle {
        /// The resource.
        resource: Id,
        /// The slot.
        slot: u32,
    },
    /// The waitlist entry contradicts itself, or its offer.
    #[error("waitlist entry {entry} has a {field} that no entry has")]
    EntryMalformed {
        /// The entry.
        entry: Id,
        /// What is wrong.
        field: &'static str,
    },
    /// The waitlist entry changed in a way in which no entry changes.
    #[error("waitlist entry {entry} changed its {field}")]
    EntryChanged {
        /// The entry.
        entry: Id,
        /// What changed.
        field: &'static str,
    },
    /// The waitlist entry's row bears another version or time than its transaction.
    #[error("waitlist entry {entry} does not bear the version and time of its transaction")]
    EntryStamp {
        /// The entry.
        entry: Id,
    },
    /// A place in a waitlist is not that of an entry that waits, or such an entry has none.
    #[error("place {ticket} in the waitlist of {resource} is not that of an entry that waits")]
    PlaceForeign {
        /// The resource.
        resource: Id,
        /// The place's ticket.
        ticket: u64,
    },
    /// The resource counts another number of entries that wait.
    #[error("resource {resource} counts {stored} that wait, its waitlist has {derived}")]
    WaitingCount {
        /// The resource.
        resource: Id,
        /// How many places the waitlist has.
        derived: u64,
        /// What the resource's row says.
        stored: u64,
    },
    /// Somebody waits who could have an offer.
    #[error("place {ticket} in the waitlist of {resource} was passed over: it fits")]
    PassedOver {
        /// The resource.
        resource: Id,
        /// The place's ticket.
        ticket: u64,
    },
    /// The log has the row and the state has not, or the other way round, or they have
    /// it differently.
    #[error("{key} in {table} is not in the state as it is in the log")]
    Differs {
        /// The table.
        table: &'static str,
        /// The row's key, in words.
        key: String,
    },
}

/// What an audit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Resources in the state at the end.
    pub resources: u64,
    /// Holds known at the end.
    pub holds: u64,
    /// Waitlist entries known at the end.
    pub entries: u64,
    /// Transactions of the log.
    pub transactions: u64,
    /// What is not as it must be.
    pub differences: Differences<Difference>,
}

impl Report {
    /// Is everything as it must be?
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.differences.is_none()
    }

    pub(super) fn add(&mut self, difference: Difference) {
        self.differences.add(difference);
    }
}
