//! `schemas.delete`: a schema of a topic is no more.
//!
//! If it was the latest, the one before judges from then on; if it was the last, nothing does.
//! Its number is not given again.

use holdfast_state::{
    Id, Read as _, Scan, Stop, Tx,
    command::{Command, Method, Write},
    page::bad_key,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    get::{SchemaRefusal, find},
    row::{Judging, Schemas},
};
use crate::topics::sequence::doubt;

/// The command.
#[derive(Debug)]
pub struct DeleteSchema;

/// Which schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSchemaSpec {
    /// The topic's id.
    pub topic: Id,
    /// The schema's number.
    pub number: u64,
}

/// The schema is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeleteSchemaOutcome {
    /// Always the same.
    pub outcome: Deleted,
    /// The topic's id.
    pub topic: Id,
    /// The schema's number.
    pub number: u64,
    /// Number of the one that judges now; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<u64>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deleted {
    /// The schema is gone.
    Deleted,
}

impl Command for DeleteSchema {
    const NAME: &'static str = "schemas.delete";
    const SUMMARY: &'static str = "Deletes a schema of a topic.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/topics/{topic}/schemas/{number}";
    type Spec = DeleteSchemaSpec;
    type Outcome = DeleteSchemaOutcome;
    type Refusal = SchemaRefusal;
}

impl Write for DeleteSchema {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeleteSchemaSpec,
    ) -> Result<DeleteSchemaOutcome, Stop<SchemaRefusal>> {
        let &DeleteSchemaSpec { ref topic, number } = spec;
        find(tx, topic, number)?;
        let judging = tx.get::<Judging>(topic.as_str())?;
        let mut judging = judging.ok_or_else(|| doubt(format!("{topic} has schemas unknown")))?;
        tx.delete::<Schemas>((topic.as_str(), number))?;
        let greatest = tx.scan::<Schemas>(&(topic.as_str(),), Scan::down(1))?;
        let greatest = greatest.first().map(|found| {
            let mut key = found.key();
            key.str().and_then(|_| key.u64()).map_err(|_| bad_key::<Schemas>())
        });
        judging.latest = greatest.transpose()?;
        judging.count = judging.count.saturating_sub(1);
        tx.put::<Judging>(topic.as_str(), &judging)?;
        let (outcome, latest) = (Deleted::Deleted, judging.latest);
        Ok(DeleteSchemaOutcome { outcome, topic: topic.clone(), number, latest })
    }
}
