//! `schemas.get`: Shows a schema of a topic.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::schemas::RegisteredSchema,
    command::{Command, Kind, Method, encode},
};

/// Which schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetSchemaSpec {
    /// The topic's id.
    pub topic: String,
    /// The schema's number.
    pub number: u64,
}

impl GetSchemaSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(topic: impl Into<String>, number: u64) -> Self {
        Self { topic: topic.into(), number }
    }
}

impl Command for GetSchemaSpec {
    type Outcome = RegisteredSchema;
    const NAME: &'static str = "schemas.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/topics/{}/schemas/{}", encode(&self.topic), self.number)
    }
}
