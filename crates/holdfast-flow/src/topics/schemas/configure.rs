//! `schemas.configure`: what a new schema of a topic must have in common with those before.
//!
//! What is registered already is not compared again.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{compatibility::Compatibility, list::SchemasRefusal, row::Judging};
use crate::topics::row::Topics;

/// The command.
#[derive(Debug)]
pub struct ConfigureSchemas;

/// Which compatibility of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigureSchemasSpec {
    /// The topic's id.
    pub topic: Id,
    /// From now on.
    pub compatibility: Compatibility,
}

/// It holds from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigureSchemasOutcome {
    /// Always the same.
    pub outcome: Configured,
    /// The topic's id.
    pub topic: Id,
    /// From now on.
    pub compatibility: Compatibility,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Configured {
    /// The topic's schemas are compared so from now on.
    Configured,
}

impl Command for ConfigureSchemas {
    const NAME: &'static str = "schemas.configure";
    const SUMMARY: &'static str = "Says what new schemas of a topic are compared with, and how.";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/v1/topics/{topic}/compatibility";
    type Spec = ConfigureSchemasSpec;
    type Outcome = ConfigureSchemasOutcome;
    type Refusal = SchemasRefusal;
}

impl Write for ConfigureSchemas {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ConfigureSchemasSpec,
    ) -> Result<ConfigureSchemasOutcome, Stop<SchemasRefusal>> {
        let &ConfigureSchemasSpec { ref topic, compatibility } = spec;
        if tx.get::<Topics>(topic.as_str())?.is_none() {
            return Err(Stop::Refused(SchemasRefusal::TopicNotFound { topic: topic.clone() }));
        }
        let mut judging = tx.get::<Judging>(topic.as_str())?.unwrap_or_default();
        if judging.compatibility != compatibility {
            judging.compatibility = compatibility;
            tx.put::<Judging>(topic.as_str(), &judging)?;
        }
        let (outcome, topic) = (Configured::Configured, topic.clone());
        Ok(ConfigureSchemasOutcome { outcome, topic, compatibility })
    }
}
