//! An account's four sums, and what each event of a transfer does to them.

use holdfast_state::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which side of an account a transfer touches.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The account it takes from.
    Debit,
    /// The account it gives to.
    Credit,
}

/// What happens to a transfer, and so to its two accounts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was posted at once.
    Posted,
    /// It was made pending.
    Pending,
    /// It was pending and is posted now, whole or in part.
    PostedPending,
    /// It was pending and is taken back.
    Voided,
    /// It was pending for too long.
    Expired,
}

/// An account's sums in minor units. None is negative, and neither
/// `debits_pending + debits_posted` nor `credits_pending + credits_posted`
/// exceeds what an amount can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Balances {
    /// Sum of what was debited for good.
    pub debits_posted: Amount,
    /// Sum of the debits that still wait.
    pub debits_pending: Amount,
    /// Sum of what was credited for good.
    pub credits_posted: Amount,
    /// Sum of the credits that still wait.
    pub credits_pending: Amount,
}

impl Balances {
    /// `credits_posted - debits_posted`: positive where the account is owed.
    #[must_use]
    pub const fn balance(&self) -> Amount {
        let balance = self.credits_posted.checked_sub(self.debits_posted);
        balance.expect("the difference of two amounts that are not negative fits")
    }

    /// Posted and pending of one side.
    #[must_use]
    pub const fn total(&self, side: Side) -> Amount {
        let (posted, pending) = match side {
            Side::Debit => (self.debits_posted, self.debits_pending),
            Side::Credit => (self.credits_posted, self.credits_pending),
        };
        posted.checked_add(pending).expect("the sums of a side fit together")
    }

    /// Does anything still wait?
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.debits_pending != Amount::ZERO || self.credits_pending != Amount::ZERO
    }

    /// These balances after `event` of a transfer that was made over `made` and
    /// posts `posted`. `None` when a sum does not fit, or when more is taken from
    /// pending than is there.
    #[must_use]
    pub fn after(mut self, side: Side, event: Event, made: Amount, posted: Amount) -> Option<Self> {
        let (posted_sum, pending_sum) = match side {
            Side::Debit => (&mut self.debits_posted, &mut self.debits_pending),
            Side::Credit => (&mut self.credits_posted, &mut self.credits_pending),
        };
        match event {
            Event::Posted => *posted_sum = posted_sum.checked_add(made)?,
            Event::Pending => *pending_sum = pending_sum.checked_add(made)?,
            Event::PostedPending => {
                *pending_sum = pending_sum.checked_sub(made)?;
                *posted_sum = posted_sum.checked_add(posted)?;
            }
            Event::Voided | Event::Expired => *pending_sum = pending_sum.checked_sub(made)?,
        }
        posted_sum.checked_add(*pending_sum)?;
        (*pending_sum >= Amount::ZERO).then_some(self)
    }
}

impl Event {
    /// The event's number in rows.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Posted => 0,
            Self::Pending => 1,
            Self::PostedPending => 2,
            Self::Voided => 3,
            Self::Expired => 4,
        }
    }

    /// The event with this number.
    #[must_use]
    pub const fn of_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Posted),
            1 => Some(Self::Pending),
            2 => Some(Self::PostedPending),
            3 => Some(Self::Voided),
            4 => Some(Self::Expired),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debits(posted: i128, pending: i128) -> Balances {
        Balances {
            debits_posted: Amount::new(posted),
            debits_pending: Amount::new(pending),
            ..Balances::default()
        }
    }

    #[test]
    fn a_side_never_exceeds_what_an_amount_holds() {
        let one = Amount::new(1);
        let full = debits(i128::MAX - 5, 5);
        assert_eq!(full.after(Side::Debit, Event::Posted, one, one), None);
        assert_eq!(full.after(Side::Debit, Event::Pending, one, one), None);
        assert!(full.after(Side::Credit, Event::Posted, one, one).is_some());
        assert_eq!(full.balance(), Amount::new(-(i128::MAX - 5)));
    }

    #[test]
    fn pending_moves_to_posted_or_back() {
        let (ten, four) = (Amount::new(10), Amount::new(4));
        let held = debits(1, 10);
        let after = |event| held.after(Side::Debit, event, ten, four).unwrap();
        assert_eq!(after(Event::PostedPending), debits(5, 0));
        assert_eq!(after(Event::Voided), debits(1, 0));
        assert_eq!(after(Event::Expired), debits(1, 0));
        assert_eq!(debits(1, 9).after(Side::Debit, Event::Voided, ten, four), None);
    }
}
