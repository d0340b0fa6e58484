//! Why a hold is not extended.

use holdfast_state::{
    LogTime,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{refusals, standing::StandingRefusal};

/// Why a hold is not extended. [`ALL`](Refusal::ALL) has them in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ExtendRefusal {
    /// Both `expires_at` and `expires_in`.
    ExpiryGivenTwice,
    /// Neither of them.
    ExpiryMissing,
    /// It does not expire any more.
    HoldConfirmed,
    /// It expires later already, or never.
    ExpiryNotLater {
        /// When it expires; absent if never.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<LogTime>,
        /// When it would.
        requested: LogTime,
    },
    /// It does not stand any more.
    #[serde(untagged)]
    Standing(StandingRefusal),
}

impl Refusal for ExtendRefusal {
    const ALL: &'static [RefusalInfo] = &[
        refusals::EXPIRY_GIVEN_TWICE,
        refusals::EXPIRY_MISSING,
        refusals::HOLD_NOT_FOUND,
        refusals::HOLD_EXPIRED,
        refusals::HOLD_RELEASED,
        refusals::HOLD_CANCELLED,
        refusals::HOLD_CONFIRMED,
        refusals::EXPIRY_NOT_LATER,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::ExpiryGivenTwice => refusals::EXPIRY_GIVEN_TWICE.code,
            Self::ExpiryMissing => refusals::EXPIRY_MISSING.code,
            Self::HoldConfirmed => refusals::HOLD_CONFIRMED.code,
            Self::ExpiryNotLater { .. } => refusals::EXPIRY_NOT_LATER.code,
            Self::Standing(standing) => standing.code(),
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::ExpiryGivenTwice | Self::ExpiryMissing => None,
            Self::HoldConfirmed => Some("/id"),
            Self::ExpiryNotLater { .. } => Some("/expires_at"),
            Self::Standing(standing) => standing.pointer(),
        }
    }
}
