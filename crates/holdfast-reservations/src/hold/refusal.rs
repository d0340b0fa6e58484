//! Why a hold is not made.

use holdfast_state::{
    Id, LogTime,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{refusals, room::RoomRefusal, stay::StayRefusal};

/// Why a hold is not made. [`ALL`](Refusal::ALL) has them in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum HoldRefusal {
    /// Both `expires_at` and `expires_in`.
    ExpiryGivenTwice,
    /// The id was used for another hold.
    HoldExists {
        /// The id.
        id: Id,
        /// What differs.
        field: &'static str,
    },
    /// It would have expired by now.
    ExpiryInPast {
        /// When it would expire.
        expires_at: LogTime,
        /// Log time.
        now: LogTime,
    },
    /// It is not about nights of a resource, or its units.
    #[serde(untagged)]
    Stay(StayRefusal),
    /// The resource does not give it.
    #[serde(untagged)]
    Room(RoomRefusal),
}

impl From<StayRefusal> for HoldRefusal {
    fn from(stay: StayRefusal) -> Self {
        Self::Stay(stay)
    }
}

impl From<RoomRefusal> for HoldRefusal {
    fn from(room: RoomRefusal) -> Self {
        Self::Room(room)
    }
}

impl Refusal for HoldRefusal {
    const ALL: &'static [RefusalInfo] = &[
        refusals::EXPIRY_GIVEN_TWICE,
        refusals::NIGHTS_INCOMPLETE,
        refusals::NIGHTS_EMPTY,
        refusals::NIGHTS_TOO_MANY,
        refusals::HOLD_EXISTS,
        refusals::RESOURCE_NOT_FOUND,
        refusals::NIGHTS_REQUIRED,
        refusals::NIGHTS_NOT_ALLOWED,
        refusals::EXPIRY_IN_PAST,
        refusals::WAITLIST_FIRST,
        refusals::SOLD_OUT,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::ExpiryGivenTwice => refusals::EXPIRY_GIVEN_TWICE.code,
            Self::HoldExists { .. } => refusals::HOLD_EXISTS.code,
            Self::ExpiryInPast { .. } => refusals::EXPIRY_IN_PAST.code,
            Self::Stay(stay) => stay.code(),
            Self::Room(room) => room.code(),
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::ExpiryGivenTwice => None,
            Self::HoldExists { .. } => Some("/id"),
            Self::ExpiryInPast { .. } => Some("/expires_at"),
            Self::Stay(stay) => stay.pointer(),
            Self::Room(room) => room.pointer(),
        }
    }
}
