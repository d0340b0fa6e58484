//! Scenarios run small, in this process; checks over histories made up and published; the
//! model of the log protocol.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod against_the_log;
mod bookings;
mod checks;
mod data_sets;
mod experiments;
mod histories;
mod model;
#[cfg(feature = "planted")]
mod mutants;
mod sim;
