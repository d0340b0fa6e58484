//! The lab: workloads against real servers under faults, and verdicts about them.
//!
//! A [`Scenario`] says what is asked, lane by lane, and judges what was answered.
//! [`run`] asks it of a server process over HTTP, or of a node in this process; sends
//! some requests twice, kills the server in between at even shares of progress, and
//! repeats under their keys the requests that got no answer. What was answered
//! becomes the [`History`], in version order; checks that hold for every scenario
//! come first ([`history`]), then the scenario's own naive model.
//!
//! Read in this order: [`request`], [`scenario`], [`history`]; [`target`] (who is
//! asked), `connection`, [`runner`]; then the scenarios: [`bookings`],
//! [`orders`], [`flash_sale`]; [`zombie_leader`], [`deadlock`], [`queue`], [`consumer_group`],
//! [`rate_limit`], whose callers hang, die and come back.
//!
//! Beside that: [`check`], what must hold of any run, one file for each invariant; and
//! [`model`], every interleaving of the log's protocol within small bounds.
//!
//! Promises: a request without an answer is never taken for one that did not happen;
//! kills happen by progress, not by time; the same seed asks the same things, but for callers that
//! go by clocks: of those it decides what befalls them.

pub mod bookings;
pub mod check;
pub mod cluster;
mod connection;
pub mod consumer_group;
pub mod deadlock;
pub mod flash_sale;
pub mod history;
pub mod model;
pub mod orders;
pub mod queue;
pub mod random;
pub mod rate_limit;
pub mod request;
pub mod runner;
pub mod scenario;
pub mod sim;
pub mod target;
pub mod zombie_leader;

pub use history::{History, Record};
pub use request::{Answer, Request};
pub use runner::{Options, Report, run};
pub use scenario::{Lane, Look, Scenario};
pub use target::Target;
