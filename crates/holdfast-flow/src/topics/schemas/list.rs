//! `schemas.list`: the schemas of a topic, all of them, by number.

use holdfast_state::{
    Id, Read, Scan, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::bad_key,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    compatibility::Compatibility,
    get::RegisteredSchema,
    register::COUNT_MAX,
    row::{Judging, Schemas},
};
use crate::topics::{refusals::TOPIC_NOT_FOUND, row::Topics};

/// The command.
#[derive(Debug)]
pub struct ListSchemas;

/// Of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSchemasSpec {
    /// The topic's id.
    pub topic: Id,
}

/// The schemas of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TopicSchemas {
    /// What a new one must have in common with them.
    pub compatibility: Compatibility,
    /// Number of the one that judges; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<u64>,
    /// The schemas, by number: at most 100.
    pub schemas: Vec<RegisteredSchema>,
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SchemasRefusal {
    /// The topic was never created.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
}

impl Refusal for SchemasRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/topic")
    }
}

impl Command for ListSchemas {
    const NAME: &'static str = "schemas.list";
    const SUMMARY: &'static str = "Lists the schemas of a topic.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/schemas";
    type Spec = ListSchemasSpec;
    type Outcome = TopicSchemas;
    type Refusal = SchemasRefusal;
}

impl Query for ListSchemas {
    fn run(
        state: &impl Read,
        spec: &ListSchemasSpec,
    ) -> Result<TopicSchemas, Stop<SchemasRefusal>> {
        let topic = spec.topic.as_str();
        if state.get::<Topics>(topic)?.is_none() {
            let topic = spec.topic.clone();
            return Err(Stop::Refused(SchemasRefusal::TopicNotFound { topic }));
        }
        let judging = state.get::<Judging>(topic)?.unwrap_or_default();
        let most = usize::try_from(COUNT_MAX).expect("it is small");
        let mut schemas = Vec::new();
        for found in state.scan::<Schemas>(&(topic,), Scan::up(most))? {
            let mut key = found.key();
            let number = key.str().and_then(|_| key.u64()).map_err(|_| bad_key::<Schemas>())?;
            schemas.push(RegisteredSchema::of(number, found.row));
        }
        let (compatibility, latest) = (judging.compatibility, judging.latest);
        Ok(TopicSchemas { compatibility, latest, schemas })
    }
}
