//! Receiving a body: bounded in bytes, in time, and all bodies together.
//!
//! A body that comes in one piece, as nearly all do, is taken as it is. A larger
//! one takes its bytes out of a budget that all connections share, so that many
//! senders of large bodies cannot take all memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use crate::{
    limits::Limits,
    problem::{Kind, Problem},
};

/// Up to here copying a body is cheaper than another buffer for its connection.
const DETACHED_BYTES_MAX: usize = 2 << 10;

/// Bytes of bodies being received.
#[derive(Debug, Default)]
pub struct Budget(AtomicUsize);

/// A part of the budget, given back when dropped.
#[derive(Debug)]
struct Reserved<'b> {
    budget: &'b Budget,
    bytes: usize,
    max: usize,
}

impl Reserved<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes += bytes;
        let before = self.budget.0.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.max {
            let detail = "too many large bodies are being received at once";
            return Err(Problem::new(Kind::Overloaded, detail).closing());
        }
        Ok(())
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The whole body, of at most `max` bytes.
///
/// # Errors
/// `body_too_large`, `request_timeout`, `overloaded`, `malformed_request`; after each
/// of them the connection is of no more use, since the rest of the body is still to come.
pub async fn receive(
    body: Incoming,
    max: usize,
    limits: &Limits,
    budget: &Budget,
) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let declared = body.size_hint().lower();
    if declared > max as u64 {
        return Err(too_large(max));
    }
    match tokio::time::timeout(limits.body_timeout, collect(body, max, limits, budget)).await {
        Ok(received) => received,
        Err(_) => {
            let waited = limits.body_timeout;
            let detail = format_args!("the body did not arrive within {waited:?}");
            Err(Problem::new(Kind::RequestTimeout, detail).closing())
        }
    }
}

async fn collect(
    mut body: Incoming,
    max: usize,
    limits: &Limits,
    budget: &Budget,
) -> Result<Bytes, Problem> {
    let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
    if first.len() > max {
        return Err(too_large(max));
    }
    if body.is_end_stream() {
        return Ok(detached(first));
    }
    let mut reserved = Reserved { budget, bytes: 0, max: limits.bodies_bytes_max };
    reserved.grow(first.len())?;
    let mut whole = BytesMut::from(first);
    while let Some(more) = next(&mut body).await? {
        if whole.len() + more.len() > max {
            return Err(too_large(max));
        }
        reserved.grow(more.len())?;
        whole.extend_from_slice(&more);
    }
    Ok(whole.freeze())
}

/// A small body on its own. As a part of the connection's buffer it would keep the
/// connection from reading into that buffer again until the request is answered.
fn detached(body: Bytes) -> Bytes {
    if body.len() <= DETACHED_BYTES_MAX { Bytes::copy_from_slice(&body) } else { body }
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let detail = format_args!("the body broke off: {error}");
            Problem::new(Kind::MalformedRequest, detail).closing()
        })?;
        // Trailers say nothing that we know.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn too_large(max: usize) -> Problem {
    Problem::new(Kind::BodyTooLarge, format_args!("a body has at most {max} bytes"))
        .fact("bytes_max", max)
        .closing()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_given_back_even_after_a_refusal() {
        let budget = Budget::default();
        let mut one = Reserved { budget: &budget, bytes: 0, max: 100 };
        let mut two = Reserved { budget: &budget, bytes: 0, max: 100 };
        one.grow(60).unwrap();
        assert_eq!(two.grow(60).unwrap_err().code, "overloaded");
        drop(two);
        one.grow(40).unwrap();
        drop(one);
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }
}
