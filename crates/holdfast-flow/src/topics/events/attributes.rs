//! What a message bears that is an event: the attributes that a message has no field for.

use holdfast_state::Id;
use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    attribute::{Binary, ContentType, EventId, EventSource, EventText, EventTime, SchemaUri},
    extension::Extensions,
};
use crate::topics::data::Data;

/// The attributes of a `CloudEvent` that a message has no field for. Type, key and JSON
/// data are the message's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MessageEvent")]
pub struct Event {
    /// Where it comes from: a URI or a relative reference. With the id it identifies the
    /// event, and is used once in the topic.
    #[n(0)]
    pub source: EventSource,
    /// Its id, which is its producer's and not the message's.
    #[n(1)]
    pub id: EventId,
    /// What it is about, for those who filter.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EventText>,
    /// When it happened, as its producer says.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<EventTime>,
    /// What its data is; JSON when nothing is given.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<ContentType>,
    /// Which schema its data adheres to.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<SchemaUri>,
    /// Data that is neither JSON nor text; the message's data is `null` then.
    #[n(8)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<Binary>,
    /// It has no data, which is something else than `null`.
    #[n(2)]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
    /// Extension attributes, by name.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Extensions::is_empty")]
    pub extensions: Extensions,
}

/// Why a message cannot be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// It has two identities.
    #[error("an event is known by its source and id: its message has no id of the caller's")]
    TwoIds,
    /// It has two sets of data.
    #[error("data is either JSON or data_base64, or the event is empty")]
    TwoData,
}

impl Event {
    /// Can a message of the caller's be so?
    ///
    /// # Errors
    /// [`Contradiction`]
    pub fn check(&self, id: Option<&Id>, data: &Data) -> Result<(), Contradiction> {
        let forms = [self.data_base64.is_some(), self.empty, *data != Data::default()];
        match () {
            () if id.is_some() => Err(Contradiction::TwoIds),
            () if forms.into_iter().filter(|form| *form).count() > 1 => Err(Contradiction::TwoData),
            () => Ok(()),
        }
    }

    /// Bytes of attributes and of data that the message does not have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let optional = [
            self.subject.as_ref().map(EventText::as_str),
            self.time.as_ref().map(EventTime::as_str),
            self.datacontenttype.as_ref().map(ContentType::as_str),
            self.dataschema.as_ref().map(SchemaUri::as_str),
        ];
        let optional: usize = optional.into_iter().flatten().map(str::len).sum();
        let data = self.data_base64.as_ref().map_or(0, |data| data.as_bytes().len());
        let named = self.source.as_str().len() + self.id.as_str().len();
        named + optional + data + self.extensions.bytes()
    }

    /// The first attribute in which two events of one identity differ.
    pub(in crate::topics) fn differs(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.subject != other.subject => Some("subject"),
            () if self.time != other.time => Some("time"),
            () if self.datacontenttype != other.datacontenttype => Some("datacontenttype"),
            () if self.dataschema != other.dataschema => Some("dataschema"),
            () if self.data_base64 != other.data_base64 => Some("data"),
            () if self.empty != other.empty => Some("data"),
            () if self.extensions != other.extensions => Some("extensions"),
            () => None,
        }
    }

    /// The same event with JSON for its data.
    pub(in crate::topics) fn with_json(mut self) -> Self {
        if self.data_base64.take().is_some() {
            self.datacontenttype = None;
        }
        self.empty = false;
        self
    }
}
