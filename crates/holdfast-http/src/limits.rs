//! What the edge allows. Everything a client can make us hold or wait for is here.

use std::time::Duration;

/// The bounds of the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time; one more is told 503 and closed.
    pub connections_max: usize,
    /// Requests being handled at one time; one more is told 503.
    pub requests_max: usize,
    /// Requests that wait for something at one time: followers of the change feed, streams,
    /// and long polls; one more is told 503.
    pub followers_max: usize,
    /// Bytes of a request's path and query.
    pub target_bytes_max: usize,
    /// Bytes of a request's header fields.
    pub header_bytes_max: usize,
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// Bytes of the body of a request that takes many operations.
    pub bulk_body_bytes_max: usize,
    /// Bytes of all larger bodies that are being received.
    pub bodies_bytes_max: usize,
    /// How long a connection may take to send a request's head, counted from its
    /// opening or from its last answer; so also how long it may be idle.
    pub head_timeout: Duration,
    /// How long a request's body may take to arrive.
    pub body_timeout: Duration,
    /// How long a request may take when it does not say.
    pub request_timeout: Duration,
    /// The longest it may ask for.
    pub request_timeout_max: Duration,
    /// The longest that a long poll may wait.
    pub changes_wait_max: Duration,
    /// How long requests in progress get to finish at shutdown.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            requests_max: 16_384,
            followers_max: 1_000,
            target_bytes_max: 4 << 10,
            header_bytes_max: 8 << 10,
            body_bytes_max: 1 << 20,
            bulk_body_bytes_max: 4 << 20,
            bodies_bytes_max: 256 << 20,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            request_timeout_max: Duration::from_secs(60),
            changes_wait_max: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(15),
        }
    }
}

/// Hyper's own buffer per connection, above which it answers a bare 431 itself.
/// Twice our bound, so that ours is met first and explains itself.
pub const CONNECTION_BUFFER_BYTES: usize = 16 << 10;
