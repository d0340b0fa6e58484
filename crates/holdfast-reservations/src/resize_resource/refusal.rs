//! Why a stock is not changed.

use holdfast_state::{
    Date,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{Stock, refusals, stay::StayRefusal};

/// Why a stock is not changed. [`ALL`](Refusal::ALL) has them in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ResizeResourceRefusal {
    /// More is held and sold than there would be.
    StockTaken {
        /// The first such night, of a resource that has nights.
        #[serde(skip_serializing_if = "Option::is_none")]
        night: Option<Date>,
        /// How many are held.
        held: u64,
        /// How many are sold.
        sold: u64,
        /// How many there would be.
        requested: Stock,
    },
    /// It is not about a resource, or about nights that it does not have.
    #[serde(untagged)]
    Stay(StayRefusal),
}

impl Refusal for ResizeResourceRefusal {
    const ALL: &'static [RefusalInfo] = &[
        refusals::NIGHTS_INCOMPLETE,
        refusals::NIGHTS_EMPTY,
        refusals::NIGHTS_TOO_MANY,
        refusals::RESOURCE_NOT_FOUND,
        refusals::NIGHTS_NOT_ALLOWED,
        refusals::STOCK_TAKEN,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::StockTaken { .. } => refusals::STOCK_TAKEN.code,
            Self::Stay(stay) => stay.code(),
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::StockTaken { .. } => Some("/stock"),
            Self::Stay(StayRefusal::ResourceNotFound { .. }) => Some("/id"),
            Self::Stay(stay) => stay.pointer(),
        }
    }
}
