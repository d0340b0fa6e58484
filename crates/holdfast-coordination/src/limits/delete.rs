//! `limits.delete`: the limit is no longer there, nor is anything that it had counted.

use holdfast_state::{
    Id, IfMatch, Read as _, Stop, Tx, Version,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    precondition::{PRECONDITION_FAILED, unmet},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{put::Unmet, refusals::LIMIT_NOT_FOUND, row::Limits, shelf::Counters};

/// The command.
#[derive(Debug)]
pub struct DeleteLimit;

/// Which limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteLimitSpec {
    /// Its id.
    pub id: Id,
    /// Only if it is there, at this version or at any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
}

/// The limit is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeleteLimitOutcome {
    /// Always the same.
    pub outcome: LimitDeleted,
    /// Its id.
    pub id: Id,
    /// The version it was at.
    pub deleted_version: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitDeleted {
    /// The limit was deleted.
    Deleted,
}

/// Why nothing was deleted, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DeleteLimitRefusal {
    /// A condition does not hold.
    PreconditionFailed(Unmet),
    /// There is no such limit.
    LimitNotFound {
        /// The limit.
        limit: Id,
    },
}

impl Refusal for DeleteLimitRefusal {
    const ALL: &'static [RefusalInfo] = &[PRECONDITION_FAILED, LIMIT_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::PreconditionFailed(_) => PRECONDITION_FAILED.code,
            Self::LimitNotFound { .. } => LIMIT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::PreconditionFailed(unmet) => unmet.condition.pointer(),
            Self::LimitNotFound { .. } => "/id",
        })
    }
}

impl Command for DeleteLimit {
    const NAME: &'static str = "limits.delete";
    const SUMMARY: &'static str = "Deletes a limit and all that it counted.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/limits/{id}";
    const CONDITIONAL: bool = true;
    type Spec = DeleteLimitSpec;
    type Outcome = DeleteLimitOutcome;
    type Refusal = DeleteLimitRefusal;
}

impl Write for DeleteLimit {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeleteLimitSpec,
    ) -> Result<DeleteLimitOutcome, Stop<DeleteLimitRefusal>> {
        let row = tx.get::<Limits>(spec.id.as_str())?;
        let found = row.as_ref().map(|row| row.version);
        if let Some(condition) = unmet(spec.if_match, None, found) {
            let (limit, version) = (spec.id.clone(), found.map(Version::get));
            let unmet = Unmet { limit, condition, version };
            return Err(Stop::Refused(DeleteLimitRefusal::PreconditionFailed(unmet)));
        }
        let Some(row) = row else {
            let limit = spec.id.clone();
            return Err(Stop::Refused(DeleteLimitRefusal::LimitNotFound { limit }));
        };
        for rule in &row.rules {
            Counters { limit: &spec.id, rule }.remove(tx)?;
        }
        tx.delete::<Limits>(spec.id.as_str())?;
        Ok(DeleteLimitOutcome {
            outcome: LimitDeleted::Deleted,
            id: spec.id.clone(),
            deleted_version: row.version.get(),
        })
    }
}
