//! Messages as callers give them: one, or a list that is appended as one.

use std::{borrow::Cow, collections::BTreeSet, ops::Deref};

use holdfast_state::Id;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{data::Data, key::MessageKey};

/// The most messages of a list.
pub const MESSAGES_MAX: usize = 1_000;

/// The most bytes of a list: ids, keys, types and data together.
pub const BYTES_MAX: usize = 1 << 20;

/// A message that is not in a topic yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// Its id, used once in the topic; without one it gets a fresh id, and a retry
    /// without an idempotency key would be another message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// What it is about, for those whose order matters among themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<MessageKey>,
    /// What happened: `booking.held`.
    pub r#type: Id,
    /// What it says; `null` when nothing is given.
    #[serde(default)]
    pub data: Data,
}

impl NewMessage {
    fn bytes(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| id.len());
        let key = self.key.as_ref().map_or(0, |key| key.as_str().len());
        id + key + self.r#type.len() + self.data.as_str().len()
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
    #[error("two messages have the id {0:?}")]
    SameId(Id),
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
        let ids = messages.iter().filter_map(|message| message.id.as_ref());
        if let Some(id) = ids.into_iter().find(|id| !seen.insert(*id)) {
            return Err(NotMessages::SameId(id.clone()));
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
            r#type: Id::new("t").unwrap(),
            data: Data::new(data).unwrap(),
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
        assert_eq!(two(Some("a"), Some("a")), Err(NotMessages::SameId(Id::new("a").unwrap())));
        let large = format!("\"{}\"", "x".repeat((64 << 10) - 3));
        let of = |count| Messages::new(vec![message(None, &large); count]);
        assert!(of(16).is_ok(), "16 times 64 KiB with the type are 1 MiB");
        assert_eq!(of(17), Err(NotMessages::TooLarge(17 << 16)));
    }
}
