//! Scenarios run small, in this process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bookings;
mod data_sets;
