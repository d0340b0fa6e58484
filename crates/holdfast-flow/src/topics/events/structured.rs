//! Structured mode: an event, or a list of events, as JSON.
//!
//! What a JSON parser would let pass is refused where it would lose something: a member
//! that is there twice. `null` is as if the member were absent, but for data.

use std::{collections::BTreeMap, fmt};

use holdfast_state::command::{SpecError, foreign::Foreign};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::{
    attribute::Binary,
    parts::{Bad, Content, Parts},
};
use crate::topics::{
    data::Data,
    messages::{Messages, NewMessage},
};

/// The members of an object, none twice.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            if members.contains_key(&name) {
                return Err(de::Error::custom(format!("{name:?} is there twice")));
            }
            members.insert(name, value);
        }
        Ok(Members(members))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// The message that an event is, as JSON.
///
/// # Errors
/// [`SpecError`], with a pointer into the event.
pub fn event(asked: Foreign<'_>) -> Result<Vec<u8>, SpecError> {
    let members = serde_json::from_slice(asked.body).map_err(|error| not_json(&error))?;
    json(&message(members).map_err(|bad| bad.at(""))?)
}

/// The messages that a list of events is, as JSON.
///
/// # Errors
/// [`SpecError`], with a pointer into the list.
pub fn batch(asked: Foreign<'_>) -> Result<Vec<u8>, SpecError> {
    #[derive(Serialize)]
    struct Batch {
        messages: Messages,
    }
    let events: Vec<&RawValue> =
        serde_json::from_slice(asked.body).map_err(|error| not_json(&error))?;
    let mut messages = Vec::with_capacity(events.len());
    for (index, event) in events.into_iter().enumerate() {
        let place = format!("/{index}");
        let members = serde_json::from_str(event.get());
        let members = members.map_err(|error| wrong(&place, &error))?;
        messages.push(message(members).map_err(|bad| bad.at(&place))?);
    }
    let messages = Messages::new(messages).map_err(|error| wrong("", &error))?;
    json(&Batch { messages })
}

fn message(members: Members<'_>) -> Result<NewMessage, Bad> {
    let mut members = members.0;
    let json = members.remove("data").map(|data| Data::new(data.get()));
    let json = json.transpose().map_err(|error| Bad::new("data", &error))?;
    let base64 = members.remove("data_base64").filter(|value| value.get() != "null");
    let bytes = base64.map(|value| serde_json::from_str::<Binary>(value.get())).transpose();
    let content = match (json, bytes.map_err(|error| Bad::new("data_base64", &error))?) {
        (None, None) => Content::None,
        (Some(json), None) => Content::Json(json),
        (None, Some(bytes)) => Content::Bytes(bytes),
        (Some(_), Some(_)) => return Err(Bad::new("data_base64", &"data is there as well")),
    };
    let mut attributes = BTreeMap::new();
    for (name, value) in members {
        match serde_json::from_str(value.get()).map_err(|error| Bad::new(&name, &error))? {
            Value::Null => {}
            value => {
                attributes.insert(name, value);
            }
        }
    }
    Parts(attributes).message(content)
}

fn json(spec: &impl Serialize) -> Result<Vec<u8>, SpecError> {
    serde_json::to_vec(spec).map_err(|error| wrong("", &error))
}

fn wrong(pointer: &str, message: &dyn fmt::Display) -> SpecError {
    SpecError { pointer: pointer.to_owned(), message: message.to_string(), malformed: false }
}

fn not_json(error: &serde_json::Error) -> SpecError {
    SpecError { malformed: error.is_syntax() || error.is_eof(), ..wrong("", error) }
}
