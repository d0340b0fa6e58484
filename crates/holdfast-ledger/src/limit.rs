//! How far an account may be debited or credited.

use holdfast_state::Amount;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::balances::{Balances, Side};

/// A bound on an account's balances that no transfer may break. Pending amounts
/// count as if they had been posted, on the side that is bounded only: what is
/// not yet certain to come cannot be spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// It may go either way: a bank, an adjustment account.
    #[default]
    None,
    /// `debits_posted + debits_pending <= credits_posted`: a wallet, a liability.
    DebitsNotAboveCredits,
    /// `credits_posted + credits_pending <= debits_posted`: an asset, an advance.
    CreditsNotAboveDebits,
}

impl Limit {
    /// How much may still be moved on `side`; `None` when nothing bounds it.
    #[must_use]
    pub const fn available(self, balances: &Balances, side: Side) -> Option<Amount> {
        let bound = match (self, side) {
            (Self::DebitsNotAboveCredits, Side::Debit) => balances.credits_posted,
            (Self::CreditsNotAboveDebits, Side::Credit) => balances.debits_posted,
            (Self::None | Self::DebitsNotAboveCredits | Self::CreditsNotAboveDebits, _) => {
                return None;
            }
        };
        let used = balances.total(side);
        Some(bound.checked_sub(used).expect("both are sums that fit, and not negative"))
    }

    /// The limit's number in rows.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::DebitsNotAboveCredits => 1,
            Self::CreditsNotAboveDebits => 2,
        }
    }

    /// The limit with this number.
    #[must_use]
    pub const fn of_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::DebitsNotAboveCredits),
            2 => Some(Self::CreditsNotAboveDebits),
            _ => None,
        }
    }
}
