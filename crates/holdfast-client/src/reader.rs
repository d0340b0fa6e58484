//! Reading a topic: its partitions side by side, from offsets on, waiting for more.
//!
//! It keeps nothing on any server: where it stands is [`Reader::positions`], which the program keeps if it
//! wants to. Who shares a topic's partitions with others is a [`Consumer`](crate::Consumer). Each
//! partition is asked for what comes behind its position by a long poll of its own, all at once; what
//! comes is handed out in turn. An answer is of a state that has seen what was read before, on
//! whatever node.

use std::{collections::BTreeMap, fmt, future::poll_fn, pin::Pin, task::Poll, time::Duration};

use crate::{
    answer::{Answer, At},
    api::topics::{GetTopicSpec, Message, MessagesPage, ReadMessagesSpec},
    client::Client,
    error::Error,
    request::Consistency,
};

/// How long at a time is waited for messages. Nothing depends on it.
const WAIT: Duration = Duration::from_secs(30);

/// Rest after a read in vain.
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

type Reading = Pin<Box<dyn Future<Output = Result<Answer<MessagesPage>, Error>> + Send>>;

/// A reader on its way.
pub struct Reader {
    client: Client,
    topic: String,
    limit: Option<u64>,
    positions: BTreeMap<u16, u64>,
    /// What is on its way. It is kept when a future of [`next`](Self::next) is dropped.
    readings: BTreeMap<u16, Reading>,
    /// The partition that messages came from last: others come first.
    last: u16,
    /// The newest state that was read.
    seen: Option<At>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, positions, seen, .. } = self;
        let mut shown = f.debug_struct("Reader");
        shown.field("topic", topic).field("positions", positions).field("seen", seen);
        shown.finish_non_exhaustive()
    }
}

impl Client {
    /// Reads a topic from these offsets on: `after` for each partition that is to be read.
    #[must_use]
    pub fn reader(&self, topic: &str, after: BTreeMap<u16, u64>) -> Reader {
        Reader {
            client: self.clone(),
            topic: topic.to_owned(),
            limit: None,
            positions: after,
            readings: BTreeMap::new(),
            last: u16::MAX,
            seen: None,
        }
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
    /// [`Error`] that does not pass by itself. Asked again after one, it tries again.
    pub async fn next(&mut self) -> Result<Messages, Error> {
        loop {
            self.read_all();
            let (partition, read) = poll_fn(|cx| {
                // Those behind the last come before those up to it.
                let mut all: Vec<_> = self.readings.iter_mut().collect();
                let after = all.partition_point(|(partition, _)| **partition <= self.last);
                all.rotate_left(after);
                for (partition, reading) in all {
                    if let Poll::Ready(read) = reading.as_mut().poll(cx) {
                        return Poll::Ready((*partition, read));
                    }
                }
                Poll::Pending
            })
            .await;
            self.readings.remove(&partition);
            match read {
                Ok(answer) => {
                    self.seen = match (self.seen, answer.at) {
                        (Some(seen), Some(at)) => Some(seen.max(at)),
                        (seen, at) => seen.or(at),
                    };
                    let MessagesPage { messages, next, .. } = answer.outcome;
                    if !messages.is_empty() {
                        self.last = partition;
                        self.positions.insert(partition, next);
                        return Ok(Messages { partition, messages, next });
                    }
                }
                Err(error) if error.is_transient() => tokio::time::sleep(REST).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on from elsewhere, in a state that has seen `at`. What is on its way is forgotten.
    pub(crate) fn go_to(&mut self, positions: BTreeMap<u16, u64>, at: Option<At>) {
        self.readings.clear();
        self.positions = positions;
        self.seen = at;
    }

    /// Asks for what comes behind each partition's position, where that is not asked for already.
    fn read_all(&mut self) {
        for (partition, after) in &self.positions {
            let (client, seen) = (&self.client, self.seen);
            self.readings.entry(*partition).or_insert_with(|| {
                let spec = ReadMessagesSpec {
                    partition: Some(*partition),
                    after: Some(*after),
                    limit: self.limit,
                    wait: Some(WAIT.as_secs()),
                    ..ReadMessagesSpec::new(self.topic.clone())
                };
                let client = client.clone();
                Box::pin(async move {
                    let mut reading = client.request(&spec);
                    if let Some(at) = seen {
                        reading = reading.consistency(Consistency::Session).after(at);
                    }
                    reading.send().await
                })
            });
        }
    }
}
