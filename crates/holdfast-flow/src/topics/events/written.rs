//! Out: a page of messages as a list of events.
//!
//! A message that bears an event is that event, as it came. Any other is an event of the
//! topic: its source is the topic's path, its id the message's, its time that of the
//! append.
//!
//! Pages are read as the JSON that answers are made of, so that whoever asks for events
//! gets what is stored once more, letter for letter.

use std::{borrow::Cow, collections::BTreeMap};

use holdfast_state::command::foreign::Rendered;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{SPECVERSION, extension::ExtensionValue};

/// Header fields of a page, and what they say.
pub const FIELDS: &[(&str, &str)] = &[
    ("Holdfast-Next", "What to ask for next as `after`: offset of the last event."),
    ("Holdfast-First-Offset", "Offset of the partition's first message."),
    ("Holdfast-Last-Offset", "Offset of the partition's last message."),
];

#[derive(Deserialize)]
struct Page<'a> {
    topic: &'a str,
    #[serde(borrow)]
    messages: Vec<Shown<'a>>,
    next: u64,
    first_offset: u64,
    last_offset: u64,
}

#[derive(Deserialize)]
struct Shown<'a> {
    id: &'a str,
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    time: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    event: Option<ShownEvent<'a>>,
}

#[derive(Deserialize)]
struct ShownEvent<'a> {
    source: &'a str,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    subject: Option<Cow<'a, str>>,
    time: Option<&'a str>,
    #[serde(borrow)]
    datacontenttype: Option<Cow<'a, str>>,
    dataschema: Option<&'a str>,
    data_base64: Option<&'a str>,
    #[serde(default)]
    empty: bool,
    #[serde(default)]
    extensions: BTreeMap<String, ExtensionValue>,
}

/// An event in the JSON format of `CloudEvents` 1.0. Extension attributes stand beside the
/// others.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CloudEvent<'a> {
    /// Always `1.0`.
    pub specversion: &'a str,
    /// With the source, what identifies the event.
    pub id: Cow<'a, str>,
    /// Where it comes from: a URI or a relative reference.
    pub source: Cow<'a, str>,
    /// What happened.
    pub r#type: Cow<'a, str>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Cow<'a, str>>,
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Cow<'a, str>>,
    /// What its data is; JSON when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<Cow<'a, str>>,
    /// Which schema its data adheres to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<Cow<'a, str>>,
    /// The message's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitionkey: Option<Cow<'a, str>>,
    /// Extension attributes.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub extensions: BTreeMap<String, ExtensionValue>,
    /// Its data, if that is JSON or text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub data: Option<&'a RawValue>,
    /// Its data, if that is bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_base64: Option<Cow<'a, str>>,
}

/// A page of messages as a list of events.
///
/// # Panics
/// Where the bytes are no page of ours, which is a bug of ours.
#[must_use]
pub fn batch(outcome: &[u8]) -> Rendered {
    let page: Page<'_> = serde_json::from_slice(outcome).expect("a page is as it was written");
    let source = format!("/v1/topics/{}", page.topic);
    let events: Vec<_> = page.messages.into_iter().map(|shown| shown.event(&source)).collect();
    let body = serde_json::to_vec(&events).expect("events are plain data");
    let offsets = [page.next, page.first_offset, page.last_offset];
    let fields = FIELDS.iter().zip(offsets).map(|((name, _), offset)| (*name, offset.to_string()));
    Rendered { body, fields: fields.collect() }
}

impl<'a> Shown<'a> {
    fn event(self, topic: &'a str) -> CloudEvent<'a> {
        let Some(event) = self.event else { return self.of_topic(topic) };
        CloudEvent {
            specversion: SPECVERSION,
            id: event.id,
            source: event.source.into(),
            r#type: self.r#type,
            subject: event.subject,
            time: event.time.map(Cow::Borrowed),
            datacontenttype: event.datacontenttype,
            dataschema: event.dataschema.map(Cow::Borrowed),
            partitionkey: self.key,
            extensions: event.extensions,
            data: (!event.empty && event.data_base64.is_none()).then_some(self.data),
            data_base64: event.data_base64.map(Cow::Borrowed),
        }
    }

    fn of_topic(self, topic: &'a str) -> CloudEvent<'a> {
        let data = Some(self.data).filter(|data| data.get() != "null");
        CloudEvent {
            specversion: SPECVERSION,
            id: self.id.into(),
            source: topic.into(),
            r#type: self.r#type,
            subject: None,
            time: Some(self.time.into()),
            datacontenttype: data.map(|_| "application/json".into()),
            dataschema: None,
            partitionkey: self.key,
            extensions: BTreeMap::new(),
            data,
            data_base64: None,
        }
    }
}
