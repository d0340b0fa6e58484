//! `topics.update`: what is kept of a topic changes.
//!
//! What is kept no more is removed at once, or as fast as can be where it is very much.
//! What was removed does not come back.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{get::Topic, refusals::TOPIC_NOT_FOUND, retention::Retention, row::Topics, sweep};

/// The command.
#[derive(Debug)]
pub struct UpdateTopic;

/// What changes of which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTopicSpec {
    /// Its id.
    pub id: Id,
    /// What is kept of each partition from now on; everything when it is empty.
    pub retention: Retention,
}

/// The topic is as it was asked to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UpdateTopicOutcome {
    /// Always the same.
    pub outcome: Updated,
    /// The topic.
    #[serde(flatten)]
    pub topic: Topic,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Updated {
    /// The topic is as it was asked to be.
    Updated,
}

/// Why nothing changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum UpdateTopicRefusal {
    /// There is no such topic.
    TopicNotFound {
        /// Its id.
        topic: Id,
    },
}

impl Refusal for UpdateTopicRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicNotFound { .. } => TOPIC_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for UpdateTopic {
    const NAME: &'static str = "topics.update";
    const SUMMARY: &'static str = "Changes how long a topic's messages are kept.";
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "/v1/topics/{id}";
    type Spec = UpdateTopicSpec;
    type Outcome = UpdateTopicOutcome;
    type Refusal = UpdateTopicRefusal;
}

impl Write for UpdateTopic {
    fn run(
        tx: &mut Tx<'_>,
        spec: &UpdateTopicSpec,
    ) -> Result<UpdateTopicOutcome, Stop<UpdateTopicRefusal>> {
        let row = tx.get::<Topics>(spec.id.as_str())?;
        let refusal = || UpdateTopicRefusal::TopicNotFound { topic: spec.id.clone() };
        let mut row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        if row.retention != spec.retention {
            row.retention = spec.retention;
            row.version = tx.version();
            tx.put::<Topics>(spec.id.as_str(), &row)?;
            sweep::begin(tx, &spec.id, &row, true)?;
        }
        Ok(UpdateTopicOutcome { outcome: Updated::Updated, topic: Topic::of(&spec.id, row) })
    }
}
