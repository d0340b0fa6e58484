//! A node on real files: what it begins with, and what it refuses.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client_types;
mod corruption;
mod data;
mod executing;
mod offline;
mod quarantine;
mod recovery;
mod registry;
mod sharing;
mod timers;
mod transactions;
