//! `topics.append`: a message at the end of a topic.
//!
//! The same message again, under an id that the caller gave, is the same message;
//! another one under the id is refused. Everything is decided before the first row is
//! written. It reads the tail of its partition and writes it and the message; with an id,
//! it reads and writes that of the id as well; where the topic has a schema, that. An id is used for as long as its message is
//! there.

use holdfast_planted::planted;
use holdfast_state::{
    Id, LogTime, Stop, Tx,
    command::{
        Command, Method, Refusal, RefusalInfo, Write,
        foreign::{AskedForm, ToldBy},
    },
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{
    data::Data,
    events::{
        self, Event, attribute::MessageType, attributes::Contradiction, binary, structured,
        written::CloudEvent,
    },
    ids::Ids,
    key::MessageKey,
    messages::{Identity, NewMessage},
    refusals::{MESSAGE_EXISTS, SCHEMA_VIOLATED, TOPIC_NOT_FOUND},
    row::{MessageRow, PlaceRow},
    schemas::{Checking, Violation},
    sequence::{Beside, Run, Sequence, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct Append;

/// Which message, to which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Given", deny_unknown_fields)]
#[schemars(!try_from)]
pub struct AppendSpec {
    /// The topic's id.
    pub topic: Id,
    /// The message's id, used once in the topic; without one it gets a fresh id, and a
    /// retry without an idempotency key would be another message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// What it is about, for those whose order matters among themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<MessageKey>,
    /// What happened: `booking.held`.
    pub r#type: MessageType,
    /// What it says; `null` when nothing is given.
    #[serde(default)]
    pub data: Data,
    /// What makes it a `CloudEvent`, with an id of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Box<Event>>,
}

/// A spec as it is given, before it is known to hold together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    topic: Id,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    key: Option<MessageKey>,
    r#type: MessageType,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    event: Option<Box<Event>>,
}

impl TryFrom<Given> for AppendSpec {
    type Error = Contradiction;

    fn try_from(given: Given) -> Result<Self, Contradiction> {
        let Given { topic, id, key, r#type, data, event } = given;
        if let Some(event) = &event {
            event.check(id.as_ref(), &data)?;
        }
        Ok(Self { topic, id, key, r#type, data, event })
    }
}

impl AppendSpec {
    /// This message to this topic.
    #[must_use]
    pub fn new(topic: Id, message: NewMessage) -> Self {
        let NewMessage { id, key, r#type, data, event } = message;
        Self { topic, id, key, r#type, data, event }
    }

    fn row(&self) -> MessageRow {
        MessageRow {
            r#type: self.r#type.clone(),
            data: self.data.clone(),
            key: self.key.clone(),
            id: self.id.clone(),
            event: self.event.clone(),
        }
    }
}

/// The message is in the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AppendOutcome {
    /// Always the same.
    pub outcome: Appended,
    /// It had been appended before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The topic's id.
    pub topic: Id,
    /// The partition it is in.
    pub partition: u16,
    /// Its place in the partition.
    pub offset: u64,
    /// Its id: the caller's, or a fresh one.
    pub id: Id,
    /// The transaction that appended it.
    pub version: u64,
    /// When.
    pub time: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Appended {
    /// What was given is in the topic.
    Appended,
}

/// Why a message is not appended, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum AppendRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// The id was used for another message.
    MessageExists {
        /// The topic's id.
        topic: Id,
        /// What both are known by.
        #[serde(flatten)]
        identity: Identity,
        /// In which partition the message is that has it.
        partition: u16,
        /// Where in it.
        offset: u64,
        /// What differs.
        field: &'static str,
    },
    /// Its data is not what the topic's schema asks for.
    SchemaViolated {
        /// The topic's id.
        topic: Id,
        /// Where, and by what.
        #[serde(flatten)]
        violation: Violation,
    },
}

impl Refusal for AppendRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND, MESSAGE_EXISTS, SCHEMA_VIOLATED];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::MessageExists { .. } => MESSAGE_EXISTS.code,
            Self::SchemaViolated { .. } => SCHEMA_VIOLATED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::MessageExists { identity, .. } => identity.pointer(),
            Self::SchemaViolated { .. } => "/data",
        })
    }
}

impl Command for Append {
    const NAME: &'static str = "topics.append";
    const SUMMARY: &'static str = "Appends a message to a topic.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/messages";
    const ASKED_IN: &'static [AskedForm] = &[
        AskedForm {
            told_by: ToldBy::MediaType(events::STRUCTURED),
            summary: "A CloudEvent, as JSON.",
            schema: SchemaGenerator::subschema_for::<CloudEvent<'_>>,
            read: structured::event,
        },
        AskedForm {
            told_by: ToldBy::Fields(binary::PREFIX),
            summary: "A CloudEvent: attributes in header fields, data as the body.",
            schema: SchemaGenerator::subschema_for::<serde_json::Value>,
            read: binary::event,
        },
    ];
    type Spec = AppendSpec;
    type Outcome = AppendOutcome;
    type Refusal = AppendRefusal;
}

impl Write for Append {
    fn run(tx: &mut Tx<'_>, spec: &AppendSpec) -> Result<AppendOutcome, Stop<AppendRefusal>> {
        append(tx, spec)
    }
}

/// Appends a message. A refusal has written nothing.
///
/// # Errors
/// [`AppendRefusal`], or an abort.
pub fn append(tx: &mut Tx<'_>, spec: &AppendSpec) -> Result<AppendOutcome, Stop<AppendRefusal>> {
    let first = first_tail(tx, &spec.topic)?;
    let not_found = || AppendRefusal::TopicNotFound { topic: spec.topic.clone() };
    let first = first.ok_or_else(|| Stop::Refused(not_found()))?;
    if let Some(identity) = Identity::of(spec.id.as_ref(), spec.event.as_deref())
        && !planted!(MessageIdNotChecked)
        && let Some(place) = Ids::of(tx, &spec.topic)?.find(tx, &identity)?
    {
        return existing(tx, spec, identity, place);
    }
    let mut checking = Checking::of(tx, &spec.topic)?;
    if let Some(checking) = &mut checking
        && let Some(violation) = checking.check(&spec.data, spec.event.as_deref())?
    {
        let topic = spec.topic.clone();
        return Err(Stop::Refused(AppendRefusal::SchemaViolated { topic, violation }));
    }
    let partition = first.partitions.of(spec.key.as_ref(), tx.version());
    let sequence = Sequence::new(&spec.topic, partition);
    let tail = sequence.tail(tx, first)?;
    let schema = checking.map(|checking| checking.number);
    let beside = Beside { siblings: None, schema };
    let run = sequence.push(tx, tail, vec![spec.row()], beside)?;
    let place = PlaceRow { offset: run.base, partition };
    outcome(spec, &run, place, false)
}

/// The message that has the id already: the same one?
fn existing(
    tx: &Tx<'_>,
    spec: &AppendSpec,
    identity: Identity,
    place: PlaceRow,
) -> Result<AppendOutcome, Stop<AppendRefusal>> {
    let PlaceRow { partition, offset } = place;
    let run = Sequence::new(&spec.topic, partition).holding(tx, offset)?;
    if let Some(field) = run.at(offset)?.message.differs(&spec.row()) {
        let topic = spec.topic.clone();
        let exists = AppendRefusal::MessageExists { topic, identity, partition, offset, field };
        return Err(Stop::Refused(exists));
    }
    outcome(spec, &run, place, true)
}

fn outcome(
    spec: &AppendSpec,
    run: &Run,
    place: PlaceRow,
    existed: bool,
) -> Result<AppendOutcome, Stop<AppendRefusal>> {
    let PlaceRow { partition, offset } = place;
    Ok(AppendOutcome {
        outcome: Appended::Appended,
        existed,
        topic: spec.topic.clone(),
        partition,
        offset,
        id: run.at(offset)?.id,
        version: run.row.version.get(),
        time: run.row.time,
    })
}
