//! Reading a topic: its partitions in turn, from offsets on, waiting for more.
//!
//! It keeps nothing on any server: where it stands is [`Reader::positions`], which the program keeps if it
//! wants to. Who shares a topic's partitions with others is a [`Consumer`](crate::Consumer). News is waited
//! for in the change feed, from the version that the last look was of, so nothing lies between.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    answer::At,
    api::topics::{GetTopicSpec, Message, ReadMessagesSpec},
    changes::ChangesSpec,
    client::Client,
    error::Error,
    request::Consistency,
};

/// The table of messages; the first part of its keys is the topic.
const TABLE: &str = "topics.messages";

/// How long at a time is waited for news. Nothing depends on it.
const WAIT: Duration = Duration::from_secs(30);

/// Rest after a look in vain.
pub(crate) const REST: Duration = Duration::from_millis(200);

/// Messages of one partition, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Messages {
    /// The partition.
    pub partition: u16,
    /// The messages; at least one.
    pub messages: Vec<Message>,
    /// Offset of the last: where to go on.
    pub next: u64,
}

/// A reader on its way.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    topic: String,
    limit: Option<u64>,
    positions: BTreeMap<u16, u64>,
    /// Which partition comes first in the next round.
    turn: usize,
}

/// What a round over the partitions came to.
pub(crate) enum Round {
    Found(Messages),
    /// Nothing is there, as of this version.
    Nothing {
        seen: u64,
    },
}

impl Client {
    /// Reads a topic from these offsets on: `after` for each partition that is to be read.
    #[must_use]
    pub fn reader(&self, topic: &str, after: BTreeMap<u16, u64>) -> Reader {
        let (client, topic) = (self.clone(), topic.to_owned());
        Reader { client, topic, limit: None, positions: after, turn: 0 }
    }

    /// Reads a topic from its end on: what is appended from now on, in all partitions.
    ///
    /// # Errors
    /// `topic_not_found`, and all of [`Error`].
    pub async fn tail(&self, topic: &str) -> Result<Reader, Error> {
        let ends = self.call(&GetTopicSpec::new(topic)).await?.outcome.last_offsets;
        Ok(self.reader(topic, (0..).zip(ends).collect()))
    }
}

impl Reader {
    /// The same with so many messages in a page at most; 100 if nothing is said.
    #[must_use]
    pub fn with_limit(self, limit: Option<u64>) -> Self {
        Self { limit, ..self }
    }

    /// Up to which offset each partition was read.
    #[must_use]
    pub const fn positions(&self) -> &BTreeMap<u16, u64> {
        &self.positions
    }

    /// The next messages; waits for some. Dropped before it is done it has skipped nothing.
    ///
    /// # Errors
    /// [`Error`] that does not pass by itself.
    pub async fn next(&mut self) -> Result<Messages, Error> {
        loop {
            match self.round(None).await {
                Ok(Round::Found(messages)) => return Ok(messages),
                Ok(Round::Nothing { seen }) => self.news(seen).await,
                Err(error) if error.is_transient() => tokio::time::sleep(REST).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on from elsewhere.
    pub(crate) fn go_to(&mut self, positions: BTreeMap<u16, u64>) {
        self.positions = positions;
    }

    /// Looks into one partition after the other, in a state that has seen `at`.
    pub(crate) async fn round(&mut self, at: Option<At>) -> Result<Round, Error> {
        let places: Vec<_> = self.positions.iter().map(|(p, offset)| (*p, *offset)).collect();
        let mut seen = None;
        for step in 0..places.len() {
            let (partition, after) = places[(self.turn + step) % places.len()];
            let spec = ReadMessagesSpec {
                partition: Some(partition),
                after: Some(after),
                limit: self.limit,
                ..ReadMessagesSpec::new(self.topic.clone())
            };
            let mut reading = self.client.request(&spec);
            if let Some(at) = at {
                reading = reading.consistency(Consistency::Session).after(at);
            }
            let answer = reading.send().await?;
            let (messages, next) = (answer.outcome.messages, answer.outcome.next);
            if !messages.is_empty() {
                self.turn = (self.turn + step + 1) % places.len();
                self.positions.insert(partition, next);
                return Ok(Round::Found(Messages { partition, messages, next }));
            }
            // What came to the first of them since it was looked into is news as well.
            let version = answer.at.map_or(0, |at| at.version);
            seen = Some(seen.map_or(version, |seen: u64| seen.min(version)));
        }
        Ok(Round::Nothing { seen: seen.unwrap_or(0) })
    }

    /// Waits until there may be messages that were appended after this version.
    pub(crate) async fn news(&self, after: u64) {
        let (table, key) = (Some(TABLE.to_owned()), vec![self.topic.clone()]);
        let spec = ChangesSpec { after, table, key, wait: WAIT, limit: Some(1) };
        if self.client.changes(&spec).await.is_err() {
            tokio::time::sleep(REST).await;
        }
    }
}
