//! The log on real servers: conformance, settings, lost answers, standbys and failovers.
//!
//! Servers are started by the tests themselves. Where PostgreSQL is not installed each test says
//! so and does nothing; `cargo xtask verify` installs it where it may, and names it if not.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod ambiguity;
mod conformance;
mod failover;
mod followers;
mod proxy;
mod refusals;
mod rig;
