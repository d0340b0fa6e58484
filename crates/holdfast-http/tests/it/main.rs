//! The edge over real sockets: a server in this process on a port of the
//! system's choice, and a client that sends exactly the bytes it is told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod lab;
mod server;

mod bounds;
mod changes;
mod conditional;
mod consistency;
mod conventions;
mod forms;
mod keys;
mod limited;
mod metrics;
mod openapi;
mod pages;
mod problems;
mod shutdown;
mod waiting;
