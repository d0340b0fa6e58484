//! Holdfast as a library, by no other name than [`holdfast`].
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

// The edge's own tests say what this client is.
#[path = "../../../holdfast-http/tests/it/client.rs"]
#[expect(dead_code, reason = "the edge's tests need more of it")]
mod client;

mod answers;
mod example;
mod own_commands;
