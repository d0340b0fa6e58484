//! Why a hold is not moved.

use holdfast_state::command::{Refusal, RefusalInfo};
use serde::Serialize;

use crate::{refusals, room::RoomRefusal, standing::StandingRefusal, stay::StayRefusal};

/// Why a hold is not moved. [`ALL`](Refusal::ALL) has them in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum MoveRefusal {
    /// It does not stand any more.
    Standing(StandingRefusal),
    /// It would not be about nights of a resource, or its units.
    Stay(StayRefusal),
    /// The resource does not give it.
    Room(RoomRefusal),
}

impl Refusal for MoveRefusal {
    const ALL: &'static [RefusalInfo] = &[
        refusals::HOLD_NOT_FOUND,
        refusals::HOLD_EXPIRED,
        refusals::HOLD_RELEASED,
        refusals::HOLD_CANCELLED,
        refusals::NIGHTS_INCOMPLETE,
        refusals::NIGHTS_EMPTY,
        refusals::NIGHTS_TOO_MANY,
        refusals::RESOURCE_NOT_FOUND,
        refusals::NIGHTS_REQUIRED,
        refusals::NIGHTS_NOT_ALLOWED,
        refusals::WAITLIST_FIRST,
        refusals::SOLD_OUT,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::Standing(standing) => standing.code(),
            Self::Stay(stay) => stay.code(),
            Self::Room(room) => room.code(),
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::Standing(standing) => standing.pointer(),
            Self::Stay(stay) => stay.pointer(),
            Self::Room(room) => room.pointer(),
        }
    }
}
