//! Messages as callers give them: one, or a list that is appended as one.

use std::{borrow::Cow, collections::BTreeSet, fmt, ops::Deref};

use holdfast_state::Id;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    data::Data,
    events::{Event, EventSource, attribute::MessageType, attributes::Contradiction},
    key::MessageKey,
};

/// The most messages of a list.
pub const MESSAGES_MAX: usize = 1_000;

/// The most bytes of a list: ids, keys, types and data together.
pub const BYTES_MAX: usize = 1 << 20;

/// A message that is not in a topic yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Given", deny_unknown_fields)]
#[schemars(!try_from)]
pub struct NewMessage {
    /// Its id, used once in the topic; without one it gets a fresh id, and a retry
    /// without an idempotency key would be another message.
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

/// A message as it is given, before it is known to hold together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
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

impl TryFrom<Given> for NewMessage {
    type Error = Contradiction;

    fn try_from(given: Given) -> Result<Self, Contradiction> {
        let Given { id, key, r#type, data, event } = given;
        if let Some(event) = &event {
            event.check(id.as_ref(), &data)?;
        }
        Ok(Self { id, key, r#type, data, event })
    }
}

impl NewMessage {
    fn bytes(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| id.len());
        let key = self.key.as_ref().map_or(0, |key| key.as_str().len());
        let event = self.event.as_ref().map_or(0, |event| event.bytes());
        id + key + self.r#type.as_str().len() + self.data.as_str().len() + event
    }

    /// What it is known by, if its caller gave it anything.
    pub(super) fn identity(&self) -> Option<Identity> {
        Identity::of(self.id.as_ref(), self.event.as_deref())
    }
}

/// What a caller knows a message by, and what is used once in a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Identity {
    /// The source of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<EventSource>,
    /// The message's id, or the event's.
    pub id: Box<str>,
}

impl Identity {
    /// Of a message with this id, or this event.
    #[must_use]
    pub fn of(id: Option<&Id>, event: Option<&Event>) -> Option<Self> {
        match (id, event) {
            (Some(id), _) => Some(Self { source: None, id: id.as_str().into() }),
            (None, Some(event)) => {
                Some(Self { source: Some(event.source.clone()), id: event.id.as_str().into() })
            }
            (None, None) => None,
        }
    }

    /// What it is looked for under. No two identities have one: neither an id nor a source
    /// has a space.
    pub(super) fn key(&self) -> Cow<'_, str> {
        match &self.source {
            None => Cow::Borrowed(&self.id),
            Some(source) => Cow::Owned(format!("{} {}", source.as_str(), self.id)),
        }
    }

    /// JSON Pointer to it, from the message.
    pub(super) const fn pointer(&self) -> &'static str {
        if self.source.is_some() { "/event/id" } else { "/id" }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            None => write!(f, "the id {:?}", self.id),
            Some(source) => write!(f, "the source {source:?} and the id {:?}", self.id),
        }
    }
}

/// 1 to 1000 messages of together at most 1 MiB, no two with one id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Messages(Vec<NewMessage>);

/// Why a list is not [`Messages`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMessages {
    /// None, or too many.
    #[error("1 to {MESSAGES_MAX} messages, not {0}")]
    WrongCount(usize),
    /// Too large.
    #[error("at most {BYTES_MAX} bytes of ids, keys, types and data together, not {0}")]
    TooLarge(usize),
    /// An id twice.
    #[error("two messages have {0}")]
    SameId(Identity),
}

impl Messages {
    /// These messages, in this order.
    ///
    /// # Errors
    /// [`NotMessages`]
    pub fn new(messages: Vec<NewMessage>) -> Result<Self, NotMessages> {
        if messages.is_empty() || messages.len() > MESSAGES_MAX {
            return Err(NotMessages::WrongCount(messages.len()));
        }
        let bytes = messages.iter().map(NewMessage::bytes).sum();
        if bytes > BYTES_MAX {
            return Err(NotMessages::TooLarge(bytes));
        }
        let mut seen = BTreeSet::new();
        let mut ids = messages.iter().filter_map(NewMessage::identity);
        if let Some(id) = ids.find(|id| !seen.insert(id.clone())) {
            return Err(NotMessages::SameId(id));
        }
        Ok(Self(messages))
    }
}

impl Deref for Messages {
    type Target = [NewMessage];

    fn deref(&self) -> &[NewMessage] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for Messages {
    fn schema_name() -> Cow<'static, str> {
        "NewMessages".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<NewMessage>(),
            "minItems": 1,
            "maxItems": MESSAGES_MAX,
            "description": "Together at most 1 MiB; no two with one id."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: Option<&str>, data: &str) -> NewMessage {
        NewMessage {
            id: id.map(|id| Id::new(id).unwrap()),
            key: None,
            r#type: MessageType::new("t").unwrap(),
            data: Data::new(data).unwrap(),
            event: None,
        }
    }

    #[test]
    fn a_list_is_bounded_and_names_each_message_once() {
        let many = |count| Messages::new(vec![message(None, "1"); count]);
        assert_eq!(many(0), Err(NotMessages::WrongCount(0)));
        assert_eq!(many(MESSAGES_MAX).unwrap().len(), MESSAGES_MAX);
        assert_eq!(many(MESSAGES_MAX + 1), Err(NotMessages::WrongCount(MESSAGES_MAX + 1)));
        let two = |a, b| Messages::new(vec![message(a, "1"), message(b, "1")]);
        assert!(two(Some("a"), Some("b")).is_ok());
        assert_eq!(
            two(Some("a"), Some("a")),
            Err(NotMessages::SameId(Identity { source: None, id: "a".into() }))
        );
        let large = format!("\"{}\"", "x".repeat((64 << 10) - 3));
        let of = |count| Messages::new(vec![message(None, &large); count]);
        assert!(of(16).is_ok(), "16 times 64 KiB with the type are 1 MiB");
        assert_eq!(of(17), Err(NotMessages::TooLarge(17 << 16)));
    }
}
