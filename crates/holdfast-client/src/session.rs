//! A session: whoever reads in it sees what was seen and done in it before, on whatever node.
//!
//! It remembers the highest place in the order that an answer came from, refusals included, and
//! sends it along. Reads go at the level `session`, so any node that has applied the log so far
//! answers them by itself. Two sessions know nothing of each other; what one has
//! [seen](Session::seen) the other may be told ([`Session::raise`]), also by a cookie or a message.

use std::sync::{Mutex, PoisonError};

use crate::{
    answer::{Answer, At},
    client::Client,
    command::Command,
    error::Error,
    request::Request,
};

/// Calls that see each other. Shared by reference.
#[derive(Debug)]
pub struct Session {
    client: Client,
    /// The highest place seen; locked for moments.
    seen: Mutex<Option<At>>,
}

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, seen: Mutex::new(None) }
    }

    /// As [`Client::call`].
    ///
    /// # Errors
    /// [`Error`]
    pub async fn call<C: Command>(&self, command: &C) -> Result<Answer<C::Outcome>, Error> {
        self.request(command).send().await
    }

    /// As [`Client::request`].
    pub fn request<'a, C: Command>(&'a self, command: &'a C) -> Request<'a, C> {
        Request::new(&self.client, command).within(self)
    }

    /// The highest place that was seen.
    #[must_use]
    pub fn seen(&self) -> Option<At> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This was seen elsewhere, and later reads of the session are to see it as well.
    pub fn raise(&self, at: At) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(seen.map_or(at, |before| at.max(before)));
    }
}
