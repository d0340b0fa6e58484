//! The messages of a partition: a list that only grows, and how much of it was removed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::expected::{Moment, text, time};

/// What was appended together counts for so many bytes besides its messages.
const APPEND_BYTES: u64 = 64;

/// The type of every message.
pub(super) const TYPE: &str = "said";

/// A message of a topic.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Unknown until somebody tells it, where the topic gave it.
    pub(super) id: Option<String>,
    /// Its caller gave the id: it is used once.
    pub(super) own: bool,
    pub(super) key: Option<String>,
    pub(super) data: Value,
    pub(super) at: Moment,
    /// Which append of the topic brought it.
    pub(super) append: u64,
}

impl Message {
    /// What somebody wants to append.
    pub(super) fn asked(args: &Value, at: Moment, append: u64) -> Self {
        let id = text(args, "id");
        let (own, key, data) = (id.is_some(), text(args, "key"), args["data"].clone());
        Self { id, own, key, data, at, append }
    }

    /// As it is shown, with its offset.
    pub(super) fn shown(&self, offset: u64) -> Value {
        let mut shown = json!({
            "offset": offset, "key": self.key, "data": self.data, "type": TYPE,
            "version": self.at.version, "time": time(self.at.time),
        });
        if let Some(id) = &self.id {
            shown["id"] = json!(id);
        }
        shown
    }

    pub(super) fn own_id(&self) -> Option<&String> {
        self.id.as_ref().filter(|_| self.own)
    }

    /// The field in which it is another than this one.
    pub(super) fn differs(&self, other: &Self) -> Option<&'static str> {
        if self.key != other.key {
            return Some("key");
        }
        (self.data != other.data).then_some("data")
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.own_id() == other.own_id() && self.differs(other).is_none()
    }

    fn bytes(&self) -> u64 {
        let [id, key] = [self.own_id(), self.key.as_ref()].map(|text| text.map_or(0, String::len));
        (id + key + TYPE.len() + self.data.to_string().len()) as u64
    }
}

/// The messages of a partition, and how many of them were removed.
#[derive(Clone, Debug, Default)]
pub(super) struct Partition {
    pub(super) messages: Vec<Message>,
    pub(super) removed: u64,
    /// So many of them were compared with the state.
    pub(super) seen: u64,
}

/// The place of an offset in a list.
pub(super) fn index(offset: u64) -> Option<usize> {
    usize::try_from(offset.checked_sub(1)?).ok()
}

impl Partition {
    pub(super) fn push(&mut self, message: Message) {
        self.messages.push(message);
    }

    /// The offset of the last message.
    pub(super) fn last(&self) -> u64 {
        self.messages.len() as u64
    }

    /// The message at an offset, be it removed.
    pub(super) fn ever(&self, offset: u64) -> Option<&Message> {
        self.messages.get(index(offset)?)
    }

    /// The messages behind one offset, up to another.
    pub(super) fn stretch(&self, after: u64, until: u64) -> impl Iterator<Item = &Message> {
        (after + 1..=until).filter_map(|offset| self.ever(offset))
    }

    /// Does an append begin with this message?
    pub(super) fn begins(&self, offset: u64) -> bool {
        let append = |offset: u64| self.ever(offset).map(|message| message.append);
        append(offset) != append(offset.saturating_sub(1))
    }

    /// How large the messages behind this offset are.
    pub(super) fn bytes_behind(&self, offset: u64) -> u64 {
        let behind = offset + 1..=self.last();
        let appends = behind.filter(|offset| self.begins(*offset)).count() as u64;
        let messages: u64 = self.stretch(offset, self.last()).map(Message::bytes).sum();
        messages + APPEND_BYTES * appends
    }

    /// How large the largest is that was appended at once.
    pub(super) fn largest_append(&self) -> u64 {
        let mut appends: BTreeMap<u64, u64> = BTreeMap::new();
        for message in &self.messages {
            *appends.entry(message.append).or_insert(APPEND_BYTES) += message.bytes();
        }
        appends.into_values().max().unwrap_or(0)
    }
}
