//! What nodes keep to, and how far states are looked at.

/// The bounds of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Positions of the log; at most [`POSITIONS_MAX`].
    pub positions: u8,
    /// No node claims more than this epoch; at most [`EPOCHS_MAX`].
    pub epochs: u8,
    /// Entries that a leader evaluates in its epoch; at most [`ENTRIES_MAX`].
    pub entries: u8,
}

/// More positions do not fit a [`Past`](super::automaton::Past).
pub const POSITIONS_MAX: u8 = 8;

/// More epochs do not fit the number of a transaction.
pub const EPOCHS_MAX: u8 = 3;

/// More entries of an epoch do not fit the number of a transaction.
pub const ENTRIES_MAX: u8 = 7;

impl Bounds {
    /// Holds them against what a state can represent.
    ///
    /// # Panics
    /// When they are larger.
    pub(super) fn check(self) {
        let Self { positions, epochs, entries } = self;
        let fits = positions <= POSITIONS_MAX && epochs <= EPOCHS_MAX && entries <= ENTRIES_MAX;
        assert!(fits, "{self:?} is more than a state can hold");
    }
}

/// What nodes and the log keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// P4: an entry counts only if its number is the next.
    pub sequence: bool,
    /// P5: what an acknowledgement rests on, besides the entry's own position.
    pub proof: Proof,
    /// P7: every claim has a nonce of its own, so that nobody takes another's for its own.
    pub nonce: bool,
    /// P7: a claim goes to the first position that was not read. Without it, it may go
    /// to any that is free.
    pub first_hole: bool,
    /// How the log is trimmed.
    pub trim: Trim,
}

/// What an acknowledgement rests on, besides the entry's own position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Every position from the claim up to it is known to be filled, and none holds a
    /// newer claim.
    Full,
    /// P5 left out by half: a newer claim among them is overlooked.
    Filled,
    /// P5 left out: on nothing.
    Nothing,
}

/// How the log is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// Not at all.
    Never,
    /// P3 left out: what is below is deleted, and its positions are free again.
    Bare,
    /// A mark below which every append is answered with "trimmed".
    Mark,
    /// As an object store does it: first the mark, later everything below is deleted and free
    /// again; whoever is told "ok" below the mark was trimmed.
    MarkThenAll,
    /// The same, but claims and dead entries are never deleted, so that only who claims
    /// must look at the mark.
    MarkThenEntries,
}

impl Rules {
    /// All of them, with a log that is not trimmed.
    pub const ALL: Self = Self {
        sequence: true,
        proof: Proof::Full,
        nonce: true,
        first_hole: true,
        trim: Trim::Never,
    };

    /// All of them.
    #[must_use]
    pub const fn trimmed(trim: Trim) -> Self {
        Self { trim, ..Self::ALL }
    }

    /// Whether entries are judged, and claims written, as real nodes do it.
    pub(super) fn decides_alike(self) -> bool {
        self.sequence && self.nonce && self.first_hole && self.trim != Trim::Bare
    }
}
