//! What a read is to see, chosen per request, and what that costs.
//!
//! | level | it sees | where | it costs |
//! | --- | --- | --- | --- |
//! | linearizable | everything that anyone was told before it came | the leader | nothing on a log that is the node's own or under a lease; else a round to the log, shared with everyone who waits |
//! | session | everything up to a version that the caller was told | any node | waiting until it is applied |
//! | stale | everything acknowledged until some time ago | any node | nothing |
//!
//! Whatever the level: a read sees one version, whole, of applied state.

use holdfast_state::Version;

/// What a read is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Everything that anyone was told before the read came (P10, P11). Only the leader knows that.
    Linearizable,
    /// Everything up to this version, on any node. Whoever sends back the highest version it was
    /// told sees its own writes and never goes back (P14).
    Session(Version),
    /// Everything that was acknowledged until `max_age_us` before the read came; without a bound
    /// whatever there is. A node whose last look at the log proves less does not serve it (P14).
    Stale {
        /// The bound, in microseconds.
        max_age_us: Option<u64>,
    },
}
