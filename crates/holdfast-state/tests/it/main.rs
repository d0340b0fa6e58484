//! What the crate promises, seen from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod budget;
mod disk_crash;
mod disk_damage;
mod disk_model;
mod disk_world;
mod order_model;
mod snapshot_stream;
mod tx_model;
