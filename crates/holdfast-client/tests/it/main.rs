//! The client against servers: a real one in this process, and peers that fail as they are told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod node;
mod peer;

mod calls;
mod consumers;
mod feed;
mod fencing;
mod leases;
mod limiters;
mod live_sessions;
mod one_effect;
mod sessions;
mod workers;
