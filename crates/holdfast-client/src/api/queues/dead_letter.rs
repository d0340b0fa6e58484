//! `queues.dead_letter`: Shows a dead letter of a queue.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::queues::Letter,
    command::{Command, Kind, Method, encode},
};

/// Which letter of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetDeadLetterSpec {
    /// The topic's id.
    pub topic: String,
    /// The queue's id.
    pub queue: String,
    /// The letter.
    pub letter: String,
}

impl GetDeadLetterSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        queue: impl Into<String>,
        letter: impl Into<String>,
    ) -> Self {
        Self { topic: topic.into(), queue: queue.into(), letter: letter.into() }
    }
}

impl Command for GetDeadLetterSpec {
    type Outcome = Letter;
    const NAME: &'static str = "queues.dead_letter";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!(
            "/v1/topics/{}/queues/{}/dead-letters/{}",
            encode(&self.topic),
            encode(&self.queue),
            encode(&self.letter),
        )
    }
}
