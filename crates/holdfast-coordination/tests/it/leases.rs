//! Leases.

mod fixtures;
mod model;
mod scenarios;
mod tokens;
