//! `topics.create`: a topic comes to be, empty.
//!
//! Nothing creates a topic by the way: a misspelt name would become a topic that
//! nobody reads. Creating it again in the same words is the same topic; in other words it
//! is refused.

use holdfast_state::{
    Id, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    get::Topic,
    partition::Partitions,
    refusals::TOPIC_EXISTS,
    retention::Retention,
    row::{TailRow, Tails, TopicRow, Topics},
    sweep,
};

/// The command.
#[derive(Debug)]
pub struct CreateTopic;

/// Which topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTopicSpec {
    /// Its id.
    pub id: Id,
    /// How many partitions it has, for ever: messages of one key share one and are in order.
    #[serde(default)]
    pub partitions: Partitions,
    /// What is kept of each partition; everything when nothing is given.
    #[serde(default, skip_serializing_if = "Retention::is_for_ever")]
    pub retention: Retention,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The topic is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CreateTopicOutcome {
    /// Always the same.
    pub outcome: Created,
    /// It had been created before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The topic.
    #[serde(flatten)]
    pub topic: Topic,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// The topic was created.
    Created,
}

/// Why a topic is not created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CreateTopicRefusal {
    /// It was created in other words.
    TopicExists {
        /// Its id.
        topic: Id,
        /// What differs.
        field: &'static str,
    },
}

impl Refusal for CreateTopicRefusal {
    const ALL: &'static [RefusalInfo] = &[TOPIC_EXISTS];

    fn code(&self) -> &'static str {
        match self {
            Self::TopicExists { .. } => TOPIC_EXISTS.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for CreateTopic {
    const NAME: &'static str = "topics.create";
    const SUMMARY: &'static str =
        "Creates a topic: messages in order, in one partition or several.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics";
    type Spec = CreateTopicSpec;
    type Outcome = CreateTopicOutcome;
    type Refusal = CreateTopicRefusal;
}

impl Write for CreateTopic {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CreateTopicSpec,
    ) -> Result<CreateTopicOutcome, Stop<CreateTopicRefusal>> {
        let key = spec.id.as_str();
        if let Some(row) = tx.get::<Topics>(key)? {
            if let Some(field) = differs(&row, spec) {
                let topic = spec.id.clone();
                return Err(Stop::Refused(CreateTopicRefusal::TopicExists { topic, field }));
            }
            let topic = Topic::of(&spec.id, row);
            return Ok(CreateTopicOutcome { outcome: Created::Created, existed: true, topic });
        }
        let &CreateTopicSpec { partitions, retention, .. } = spec;
        let row = TopicRow {
            version: tx.version(),
            created_at: tx.now(),
            metadata: spec.metadata.clone(),
            partitions,
            retention,
            unknown: Unknown::default(),
        };
        tx.put::<Topics>(key, &row)?;
        sweep::begin(tx, &spec.id, &row, false)?;
        let tail = TailRow { last: 0, partitions, bytes: 0, unknown: Unknown::default() };
        for partition in partitions.all() {
            tx.put::<Tails>((key, partition), &tail)?;
        }
        let topic = Topic::of(&spec.id, row);
        Ok(CreateTopicOutcome { outcome: Created::Created, existed: false, topic })
    }
}

/// The first field in which a topic is not what is asked for.
fn differs(row: &TopicRow, spec: &CreateTopicSpec) -> Option<&'static str> {
    match () {
        () if row.partitions != spec.partitions => Some("partitions"),
        () if row.retention != spec.retention => Some("retention"),
        () if row.metadata != spec.metadata => Some("metadata"),
        () => None,
    }
}
