//! `schemas.get`: a schema of a topic.

use holdfast_state::{
    Id, LogTime, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    row::{SchemaRow, Schemas},
    text::SchemaText,
};
use crate::topics::{
    refusals::{SCHEMA_NOT_FOUND, TOPIC_NOT_FOUND},
    row::Topics,
};

/// The command.
#[derive(Debug)]
pub struct GetSchema;

/// Which schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSchemaSpec {
    /// The topic's id.
    pub topic: Id,
    /// The schema's number.
    pub number: u64,
}

/// A schema of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RegisteredSchema {
    /// Its number.
    pub number: u64,
    /// When it was registered.
    pub registered_at: LogTime,
    /// What it says.
    pub schema: SchemaText,
}

impl RegisteredSchema {
    pub(super) fn of(number: u64, row: SchemaRow) -> Self {
        Self { number, registered_at: row.registered_at, schema: row.schema }
    }
}

/// Why there is no answer, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SchemaRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
    /// There is no such schema, or it was deleted.
    SchemaNotFound {
        /// The topic's id.
        topic: Id,
        /// The number.
        number: u64,
    },
}

impl Refusal for SchemaRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND, SCHEMA_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
            Self::SchemaNotFound { .. } => SCHEMA_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TopicNotFound { .. } => "/topic",
            Self::SchemaNotFound { .. } => "/number",
        })
    }
}

impl Command for GetSchema {
    const NAME: &'static str = "schemas.get";
    const SUMMARY: &'static str = "Shows a schema of a topic.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/schemas/{number}";
    type Spec = GetSchemaSpec;
    type Outcome = RegisteredSchema;
    type Refusal = SchemaRefusal;
}

impl Query for GetSchema {
    fn run(
        state: &impl Read,
        spec: &GetSchemaSpec,
    ) -> Result<RegisteredSchema, Stop<SchemaRefusal>> {
        let row = find(state, &spec.topic, spec.number)?;
        Ok(RegisteredSchema::of(spec.number, row))
    }
}

/// The schema of this number.
pub(super) fn find(
    state: &impl Read,
    topic: &Id,
    number: u64,
) -> Result<SchemaRow, Stop<SchemaRefusal>> {
    if state.get::<Topics>(topic.as_str())?.is_none() {
        return Err(Stop::Refused(SchemaRefusal::TopicNotFound { topic: topic.clone() }));
    }
    let row = state.get::<Schemas>((topic.as_str(), number))?;
    let not_found = || SchemaRefusal::SchemaNotFound { topic: topic.clone(), number };
    row.ok_or_else(|| Stop::Refused(not_found()))
}
