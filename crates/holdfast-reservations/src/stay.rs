//! What a request is about: a resource, and the nights between `from` and `to`.

use holdfast_state::{
    Date, Id, Read, Stop,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{
    nights::{NIGHTS_MAX, Nights, NotNights},
    refusals::{
        NIGHTS_EMPTY, NIGHTS_INCOMPLETE, NIGHTS_NOT_ALLOWED, NIGHTS_REQUIRED, NIGHTS_TOO_MANY,
        RESOURCE_NOT_FOUND,
    },
    row::{Kind, ResourceRow, Resources},
};

/// Why a request is not about nights of a resource, or its units, in order of
/// precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum StayRefusal {
    /// One of the two is missing.
    NightsIncomplete,
    /// The stay ends before it has a night.
    NightsEmpty {
        /// The first night.
        from: Date,
        /// The day of departure.
        to: Date,
    },
    /// There are too many of them.
    NightsTooMany {
        /// How many.
        nights: u32,
        /// How many there may be.
        nights_max: u32,
    },
    /// The resource was never created.
    ResourceNotFound {
        /// Its id.
        resource: Id,
    },
    /// The resource has nights, and the request names none.
    NightsRequired {
        /// The resource.
        resource: Id,
    },
    /// The resource has no nights, and the request names some.
    NightsNotAllowed {
        /// The resource.
        resource: Id,
    },
}

impl Refusal for StayRefusal {
    const ALL: &'static [RefusalInfo] = &[
        NIGHTS_INCOMPLETE,
        NIGHTS_EMPTY,
        NIGHTS_TOO_MANY,
        RESOURCE_NOT_FOUND,
        NIGHTS_REQUIRED,
        NIGHTS_NOT_ALLOWED,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::NightsIncomplete => NIGHTS_INCOMPLETE.code,
            Self::NightsEmpty { .. } => NIGHTS_EMPTY.code,
            Self::NightsTooMany { .. } => NIGHTS_TOO_MANY.code,
            Self::ResourceNotFound { .. } => RESOURCE_NOT_FOUND.code,
            Self::NightsRequired { .. } => NIGHTS_REQUIRED.code,
            Self::NightsNotAllowed { .. } => NIGHTS_NOT_ALLOWED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::NightsIncomplete => None,
            Self::NightsEmpty { .. } | Self::NightsTooMany { .. } => Some("/to"),
            Self::ResourceNotFound { .. } => Some("/resource"),
            Self::NightsRequired { .. } | Self::NightsNotAllowed { .. } => Some("/from"),
        }
    }
}

/// The nights that two dates are; `None` where neither is given.
pub(crate) fn nights_of(
    from: Option<Date>,
    to: Option<Date>,
) -> Result<Option<Nights>, StayRefusal> {
    match (from, to) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) => Nights::new(from, to).map(Some).map_err(|not| match not {
            NotNights::Empty => StayRefusal::NightsEmpty { from, to },
            NotNights::TooLong { nights } => {
                StayRefusal::NightsTooMany { nights, nights_max: NIGHTS_MAX }
            }
        }),
        (Some(_), None) | (None, Some(_)) => Err(StayRefusal::NightsIncomplete),
    }
}

/// The resource, if it is one that these nights can be asked of.
pub(crate) fn resource(
    state: &impl Read,
    resource: &Id,
    nights: Option<Nights>,
) -> Result<ResourceRow, Stop<StayRefusal>> {
    let row = state.get::<Resources>(resource.as_str())?;
    check(row, resource, nights).map_err(Stop::Refused)
}

/// The same of a resource that was looked for.
pub(crate) fn check(
    row: Option<ResourceRow>,
    resource: &Id,
    nights: Option<Nights>,
) -> Result<ResourceRow, StayRefusal> {
    let resource = || resource.clone();
    match (row, nights) {
        (None, _) => Err(StayRefusal::ResourceNotFound { resource: resource() }),
        (Some(row), _) if (row.kind == Kind::Nights) == nights.is_some() => Ok(row),
        (Some(_), None) => Err(StayRefusal::NightsRequired { resource: resource() }),
        (Some(_), Some(_)) => Err(StayRefusal::NightsNotAllowed { resource: resource() }),
    }
}
