//! The logs from outside: conformance, crashes, corruption, faults.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod conformance;
mod corruption;
mod crashes;
mod faults;
mod model;
mod script;
mod world;
