//! The ledger as others use it: by its registry, and by its functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod fixtures;
mod model;
mod overflow;
mod scenarios;
