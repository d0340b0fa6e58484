//! Why an entry does not join a waitlist.

use holdfast_state::{
    Id,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{refusals, stay::StayRefusal};

/// Why an entry does not join. [`ALL`](Refusal::ALL) has them in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum JoinWaitlistRefusal {
    /// The id was used for another entry.
    EntryExists {
        /// The id.
        id: Id,
        /// What differs.
        field: &'static str,
    },
    /// It is not about nights of a resource, or its units.
    #[serde(untagged)]
    Stay(StayRefusal),
}

impl Refusal for JoinWaitlistRefusal {
    const ALL: &'static [RefusalInfo] = &[
        refusals::NIGHTS_INCOMPLETE,
        refusals::NIGHTS_EMPTY,
        refusals::NIGHTS_TOO_MANY,
        refusals::ENTRY_EXISTS,
        refusals::RESOURCE_NOT_FOUND,
        refusals::NIGHTS_REQUIRED,
        refusals::NIGHTS_NOT_ALLOWED,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::EntryExists { .. } => refusals::ENTRY_EXISTS.code,
            Self::Stay(stay) => stay.code(),
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::EntryExists { .. } => Some("/id"),
            Self::Stay(stay) => stay.pointer(),
        }
    }
}
