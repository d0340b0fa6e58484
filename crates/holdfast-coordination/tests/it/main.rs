//! Documents, leases, limits and sessions as others use them: by their registry, and by
//! their functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documents;
mod leases;
mod limits;
mod sessions;

use holdfast_coordination::{documents as d, leases as l, sessions as s};
use holdfast_state::TimerHandler;

/// The timers of all that sessions have to do with.
fn timers() -> Vec<(&'static str, TimerHandler)> {
    [d::TIMERS, l::TIMERS, s::TIMERS].concat()
}
