//! `topics.read`: the messages of a partition after an offset, in order.
//!
//! A page ends at its limit, at the partition's end, or with the message that brings it to
//! 1 MiB. Its `next` is where to go on: always there, since more may come.
//!
//! Who asks for what was removed is refused and told where the partition begins now: nobody
//! passes over messages without knowing. Who asks for the beginning gets what there is.

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, LogTime, Read, Stop,
    command::{
        Command, Method, Query, Refusal, RefusalInfo,
        awaited::{Awaited, Pending, TailEvent, Tailed, Wait},
        foreign::AnsweredForm,
    },
    page::PageSize,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    data::Data,
    events::{self, Event, attribute::MessageType, written},
    key::MessageKey,
    partition::Partitions,
    refusals::{OFFSET_OUT_OF_RANGE, PARTITION_NOT_FOUND, TOPIC_NOT_FOUND},
    row::MessagesRow,
    sequence::{Placed, Sequence, first_tail},
};

/// A page of this many bytes of keys and data is long enough.
pub const PAGE_BYTES: usize = 1 << 20;

/// The command.
#[derive(Debug)]
pub struct ReadMessages;

/// Which messages of which partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadMessagesSpec {
    /// The topic's id.
    pub topic: Id,
    /// The partition's number; the first when nothing is given.
    #[serde(default)]
    pub partition: u16,
    /// Offset of the last message that the caller has: `next` of the page before; 0 for
    /// the beginning, wherever that is.
    #[serde(default)]
    pub after: u64,
    /// How many messages at most.
    #[serde(default)]
    pub limit: PageSize,
    /// How long the answer may wait where there is no message yet.
    #[serde(default, skip_serializing_if = "Wait::is_none")]
    pub wait: Wait,
}

/// A page of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MessagesPage {
    /// The topic's id.
    pub topic: Id,
    /// The partition's number.
    pub partition: u16,
    /// The messages, by offset.
    pub messages: Vec<Message>,
    /// What to ask for next as `after`: offset of the page's last message, or what was
    /// asked where there is none yet.
    pub next: u64,
    /// Offset of the first message of the partition that is there, or will be.
    pub first_offset: u64,
    /// Offset of the partition's last message.
    pub last_offset: u64,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Message {
    /// Its place in the partition.
    pub offset: u64,
    /// Its id: the caller's, or a fresh one.
    pub id: Id,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<MessageKey>,
    /// What happened.
    pub r#type: MessageType,
    /// When it was appended.
    pub time: LogTime,
    /// The transaction that appended it.
    pub version: u64,
    /// What it says.
    pub data: Data,
    /// Number of the schema that it was judged by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<u64>,
    /// What makes it a `CloudEvent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<Event>>,
}

impl Message {
    pub(super) fn of(row: &MessagesRow, placed: Placed<'_>) -> Self {
        let Placed { offset, id, message } = placed;
        Self {
            offset,
            id,
            key: message.key.clone(),
            r#type: message.r#type.clone(),
            time: row.time,
            version: row.version.get(),
            data: message.data.clone(),
            schema: row.schema,
            event: message.event.clone(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let event = self.event.as_ref().map_or(0, |event| event.bytes());
        let key = self.key.as_ref().map_or(0, |key| key.as_str().len());
        self.data.as_str().len() + key + event
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ReadMessagesRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// The topic has fewer partitions.
    PartitionNotFound {
        /// The topic's id.
        topic: Id,
        /// The number that was given.
        partition: u16,
        /// How many there are, numbered from 0.
        partitions: Partitions,
    },
    /// The messages behind this offset were removed.
    OffsetOutOfRange {
        /// The topic's id.
        topic: Id,
        /// The partition's number.
        partition: u16,
        /// The offset that was given.
        after: u64,
        /// Offset of the first message that is there, or will be.
        first_offset: u64,
        /// Offset of the last message.
        last_offset: u64,
    },
}

impl Refusal for ReadMessagesRefusal {
    const ALL: &'static [RefusalInfo] =
        &[TOPIC_NOT_FOUND, PARTITION_NOT_FOUND, OFFSET_OUT_OF_RANGE];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::PartitionNotFound { .. } => PARTITION_NOT_FOUND.code,
            Self::OffsetOutOfRange { .. } => OFFSET_OUT_OF_RANGE.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::PartitionNotFound { .. } => "/partition",
            Self::OffsetOutOfRange { .. } => "/after",
        })
    }
}

impl Command for ReadMessages {
    const NAME: &'static str = "topics.read";
    const SUMMARY: &'static str = "Reads the messages of a topic's partition after an offset.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/messages";
    const ANSWERED_IN: &'static [AnsweredForm] = &[AnsweredForm {
        media_type: events::BATCH,
        schema: SchemaGenerator::subschema_for::<Vec<written::CloudEvent<'_>>>,
        fields: written::FIELDS,
        write: written::batch,
    }];
    type Spec = ReadMessagesSpec;
    type Outcome = MessagesPage;
    type Refusal = ReadMessagesRefusal;
}

impl Query for ReadMessages {
    fn run(
        state: &impl Read,
        spec: &ReadMessagesSpec,
    ) -> Result<MessagesPage, Stop<ReadMessagesRefusal>> {
        let &ReadMessagesSpec { ref topic, partition, after, .. } = spec;
        let first = first_tail(state, topic)?;
        let not_found = || ReadMessagesRefusal::TopicNotFound { topic: topic.clone() };
        let first = first.ok_or_else(|| Stop::Refused(not_found()))?;
        if !first.partitions.has(partition) {
            let (topic, partitions) = (topic.clone(), first.partitions);
            let none = ReadMessagesRefusal::PartitionNotFound { topic, partition, partitions };
            return Err(Stop::Refused(none));
        }
        let sequence = Sequence::new(topic, partition);
        let last_offset = sequence.tail(state, first)?.last;
        let head = sequence.head(state)?;
        let first_offset = head.first;
        if after > 0 && after < head.removed() && !planted!(ReaderPassesOver) {
            let topic = topic.clone();
            return Err(Stop::Refused(ReadMessagesRefusal::OffsetOutOfRange {
                topic,
                partition,
                after,
                first_offset,
                last_offset,
            }));
        }
        let after = after.max(head.removed());
        let messages = page(state, sequence, after, last_offset, spec.limit)?;
        let next = messages.last().map_or(after, |message| message.offset);
        let topic = topic.clone();
        Ok(MessagesPage { topic, partition, messages, next, first_offset, last_offset })
    }
}

impl Awaited for ReadMessages {
    fn wait(spec: &ReadMessagesSpec) -> Wait {
        spec.wait
    }

    fn pending(state: &impl Read, spec: &ReadMessagesSpec) -> Result<Option<Pending>, Abort> {
        let Some(first) = first_tail(state, &spec.topic)? else { return Ok(None) };
        if !first.partitions.has(spec.partition) {
            return Ok(None);
        }
        let sequence = Sequence::new(&spec.topic, spec.partition);
        let last = sequence.tail(state, first)?.last;
        let removed = sequence.head(state)?.removed();
        let is_there = last > spec.after.max(removed);
        let is_refused = spec.after > 0 && spec.after < removed;
        Ok((!is_there && !is_refused).then_some(Pending { until: None }))
    }
}

impl Tailed for ReadMessages {
    const FROM: &'static str = "after";

    fn events(spec: &ReadMessagesSpec, page: MessagesPage) -> (Vec<TailEvent>, ReadMessagesSpec) {
        let event = |message: &Message| TailEvent {
            id: message.offset.to_string(),
            data: serde_json::to_string(message).expect("a message is plain data"),
        };
        let events = page.messages.iter().map(event).collect();
        (events, ReadMessagesSpec { after: page.next, ..spec.clone() })
    }
}

fn page(
    state: &impl Read,
    sequence: Sequence<'_>,
    after: u64,
    last_offset: u64,
    limit: PageSize,
) -> Result<Vec<Message>, Abort> {
    let (mut messages, mut bytes) = (Vec::new(), 0);
    if after < last_offset {
        sequence.walk(state, after + 1..=last_offset, |row, placed| {
            let message = Message::of(row, placed);
            bytes += message.bytes();
            messages.push(message);
            messages.len() < limit.rows() && bytes < PAGE_BYTES
        })?;
    }
    Ok(messages)
}
