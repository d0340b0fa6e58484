//! `CloudEvents` 1.0: messages that came as events, and events that messages are.
//!
//! A message may bear an [`Event`]: the attributes of a `CloudEvent` that a message has no
//! field for. Type, key (`partitionkey`) and JSON data are the message's own, so whoever
//! knows nothing of events reads messages as ever. What came in one content mode leaves in
//! another without loss: attributes letter for letter, extension attributes with their
//! types, data as JSON or as bytes.
//!
//! Source and id together are an event's identity, and are used once in a topic.
//!
//! Read in this order: `syntax` (times, URIs, media types), [`attribute`] (values),
//! [`extension`], [`attributes`] (what a message bears); `parts` (attributes on their way
//! to a message), [`structured`] and [`binary`] (content modes in), [`written`] (out).

pub mod attribute;
pub mod attributes;
pub mod binary;
pub mod extension;
mod parts;
pub mod structured;
mod syntax;
pub mod written;

pub use attribute::{Binary, ContentType, EventId, EventSource, EventText, EventTime, SchemaUri};
pub use attributes::Event;
pub use extension::{ExtensionValue, Extensions};

/// An event by itself.
pub const STRUCTURED: &str = "application/cloudevents+json";

/// A list of events.
pub const BATCH: &str = "application/cloudevents-batch+json";

/// The version of the specification.
const SPECVERSION: &str = "1.0";
