//! Attributes and data on their way to a message, from whichever content mode.

use std::{collections::BTreeMap, fmt};

use holdfast_state::command::SpecError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{SPECVERSION, attribute::Binary, attributes::Event, extension::Extensions};
use crate::topics::{data::Data, messages::NewMessage};

/// What is wrong, and with which attribute.
#[derive(Debug)]
pub(super) struct Bad {
    attribute: String,
    message: String,
}

impl Bad {
    pub(super) fn new(attribute: &str, message: &dyn fmt::Display) -> Self {
        Self { attribute: attribute.to_owned(), message: message.to_string() }
    }

    /// As an error of a request, where the event stands there.
    pub(super) fn at(self, place: &str) -> SpecError {
        let name = self.attribute.replace('~', "~0").replace('/', "~1");
        SpecError { pointer: format!("{place}/{name}"), message: self.message, malformed: false }
    }
}

/// An event's data.
#[derive(Debug)]
pub(super) enum Content {
    /// None, which is something else than `null`.
    None,
    Json(Data),
    Bytes(Binary),
}

/// Attributes by name: text, `true`, `false`, or numbers.
#[derive(Debug)]
pub(super) struct Parts(pub(super) BTreeMap<String, Value>);

impl Parts {
    fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Bad> {
        self.optional(name)?.ok_or_else(|| Bad::new(name, &"an event has this attribute"))
    }

    fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Bad> {
        let value = self.0.remove(name).map(serde_json::from_value);
        value.transpose().map_err(|error| Bad::new(name, &error))
    }

    /// The media type of data, which is still there afterwards.
    pub(super) fn datacontenttype(&self) -> Option<&str> {
        self.0.get("datacontenttype").and_then(Value::as_str)
    }

    /// The message that bears the event.
    pub(super) fn message(mut self, content: Content) -> Result<NewMessage, Bad> {
        let specversion: String = self.required("specversion")?;
        if specversion != SPECVERSION {
            let message = format!("events of version {SPECVERSION} are taken, not {specversion:?}");
            return Err(Bad::new("specversion", &message));
        }
        let r#type = self.required("type")?;
        let key = self.optional("partitionkey")?;
        let (mut data, mut data_base64, mut empty) = (Data::default(), None, false);
        match content {
            Content::None => empty = true,
            Content::Json(json) => data = json,
            Content::Bytes(bytes) => data_base64 = Some(bytes),
        }
        let event = Event {
            source: self.required("source")?,
            id: self.required("id")?,
            subject: self.optional("subject")?,
            time: self.optional("time")?,
            datacontenttype: self.optional("datacontenttype")?,
            dataschema: self.optional("dataschema")?,
            data_base64,
            empty,
            extensions: self.extensions()?,
        };
        Ok(NewMessage { id: None, key, r#type, data, event: Some(Box::new(event)) })
    }

    fn extensions(self) -> Result<Extensions, Bad> {
        let mut extensions = BTreeMap::new();
        for (name, value) in self.0 {
            let value = serde_json::from_value(value).map_err(|error| Bad::new(&name, &error))?;
            let alone = BTreeMap::from([(name.clone(), value)]);
            let alone = Extensions::new(alone).map_err(|error| Bad::new(&name, &error))?;
            extensions.extend(alone.by_name().clone());
        }
        Extensions::new(extensions).map_err(|error| Bad::new("", &error))
    }
}
