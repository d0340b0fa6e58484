//! Sums as the audit counts them: its own arithmetic, so that a mistake in that
//! of the commands cannot hide itself.

use std::fmt;

use crate::{
    Balances, Limit,
    balances::{Event, Side},
};

/// Posted and pending sums of both sides, in minor units. They wrap where they do
/// not fit: rows that are wrong must become a difference, not a panic.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Debits, posted and pending.
    pub debits: (i128, i128),
    /// Credits, posted and pending.
    pub credits: (i128, i128),
}

impl fmt::Debug for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (debits, credits) = (self.debits, self.credits);
        write!(f, "debits {}+{} credits {}+{}", debits.0, debits.1, credits.0, credits.1)
    }
}

impl Sums {
    /// Those of a row.
    pub(super) const fn of(row: &Balances) -> Self {
        Self {
            debits: (row.debits_posted.get(), row.debits_pending.get()),
            credits: (row.credits_posted.get(), row.credits_pending.get()),
        }
    }

    /// These and those of another account.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            debits: (
                self.debits.0.wrapping_add(other.debits.0),
                self.debits.1.wrapping_add(other.debits.1),
            ),
            credits: (
                self.credits.0.wrapping_add(other.credits.0),
                self.credits.1.wrapping_add(other.credits.1),
            ),
        }
    }

    /// These and one leg: `made` is what the transfer was made over, `posted` what
    /// of it was posted in the end.
    pub(super) const fn and_leg(self, side: Side, event: Event, made: i128, posted: i128) -> Self {
        let (to_posted, to_pending) = match event {
            Event::Posted => (made, 0),
            Event::Pending => (0, made),
            Event::PostedPending => (posted, made.wrapping_neg()),
            Event::Voided | Event::Expired => (0, made.wrapping_neg()),
        };
        let leg = (to_posted, to_pending);
        self.plus(match side {
            Side::Debit => Self { debits: leg, credits: (0, 0) },
            Side::Credit => Self { debits: (0, 0), credits: leg },
        })
    }

    pub(super) const fn within(self, limit: Limit) -> bool {
        let (debits, credits) = (self.debits, self.credits);
        match limit {
            Limit::None => true,
            Limit::DebitsNotAboveCredits => debits.0.wrapping_add(debits.1) <= credits.0,
            Limit::CreditsNotAboveDebits => credits.0.wrapping_add(credits.1) <= debits.0,
        }
    }

    pub(super) fn is_balanced(self) -> bool {
        self.debits == self.credits
    }

    /// Only what is pending.
    pub(super) const fn pending(self) -> Self {
        Self { debits: (0, self.debits.1), credits: (0, self.credits.1) }
    }
}
