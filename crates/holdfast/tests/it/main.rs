//! The real binary, as a user runs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

// The edge's own tests say what this client is; here it talks to a process.
#[path = "../../../holdfast-http/tests/it/client.rs"]
#[expect(dead_code, reason = "the edge's tests need more of it")]
mod client;
mod process;

mod cluster;
mod command_line;
mod commands;
mod configuration;
mod consumers;
mod dev;
mod documents;
mod kills;
mod mutations;
mod postgres;
mod scenarios;
mod sharing;
