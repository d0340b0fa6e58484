//! The ledger as others use it: by its registry, and by its functions.

mod audit;
mod fixtures;
mod model;
mod overflow;
mod registry;
mod scenarios;
