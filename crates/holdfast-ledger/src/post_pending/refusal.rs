//! Why a pending transfer is not posted.

use holdfast_state::{
    Amount, Id, LogTime,
    command::{Class, Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::get_transfer::TRANSFER_NOT_FOUND;

/// Why a pending transfer is not posted, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PostPendingRefusal {
    /// The amount is zero or less; to post nothing is to void.
    AmountNotPositive {
        /// The amount.
        amount: Amount,
    },
    /// It was never made.
    TransferNotFound {
        /// Its id.
        id: Id,
    },
    /// It was posted at once when it was made.
    NotPending,
    /// It was posted over another amount.
    AlreadyPosted {
        /// How much of it.
        posted: Amount,
        /// How much was asked now.
        requested: Amount,
    },
    /// It was voided.
    AlreadyVoided,
    /// Its time is over.
    AlreadyExpired {
        /// Since when.
        expired_at: LogTime,
    },
    /// More than was set aside.
    ExceedsPending {
        /// What was set aside.
        pending: Amount,
        /// What was asked.
        requested: Amount,
    },
}

/// What both ends of a pending transfer say of one that was never pending.
pub(crate) const NOT_PENDING: RefusalInfo = RefusalInfo {
    code: "not_pending",
    class: Class::Conflict,
    summary: "The transfer was posted at once and never pending.",
};

/// The pending transfer was posted.
pub(crate) const ALREADY_POSTED: RefusalInfo = RefusalInfo {
    code: "already_posted",
    class: Class::Conflict,
    summary: "The pending transfer was posted.",
};

/// The pending transfer was voided.
pub(crate) const ALREADY_VOIDED: RefusalInfo = RefusalInfo {
    code: "already_voided",
    class: Class::Conflict,
    summary: "The pending transfer was voided.",
};

/// The pending transfer expired.
pub(crate) const ALREADY_EXPIRED: RefusalInfo = RefusalInfo {
    code: "already_expired",
    class: Class::Conflict,
    summary: "The pending transfer was not posted in time.",
};

impl Refusal for PostPendingRefusal {
    const ALL: &'static [RefusalInfo] = &[
        RefusalInfo {
            code: "amount_not_positive",
            class: Class::Invalid,
            summary: "An amount must be above zero.",
        },
        TRANSFER_NOT_FOUND,
        NOT_PENDING,
        ALREADY_POSTED,
        ALREADY_VOIDED,
        ALREADY_EXPIRED,
        RefusalInfo {
            code: "exceeds_pending",
            class: Class::Invalid,
            summary: "No more can be posted than was set aside.",
        },
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::AmountNotPositive { .. } => "amount_not_positive",
            Self::TransferNotFound { .. } => TRANSFER_NOT_FOUND.code,
            Self::NotPending => NOT_PENDING.code,
            Self::AlreadyPosted { .. } => ALREADY_POSTED.code,
            Self::AlreadyVoided => ALREADY_VOIDED.code,
            Self::AlreadyExpired { .. } => ALREADY_EXPIRED.code,
            Self::ExceedsPending { .. } => "exceeds_pending",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::AmountNotPositive { .. } | Self::ExceedsPending { .. } => "/amount",
            Self::TransferNotFound { .. }
            | Self::NotPending
            | Self::AlreadyPosted { .. }
            | Self::AlreadyVoided
            | Self::AlreadyExpired { .. } => "/id",
        })
    }
}
