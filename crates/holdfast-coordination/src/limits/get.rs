//! `limits.get`: a limit; and [`ShownLimit`], which is how limits are shown.

use holdfast_state::{
    Id, LogTime, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    refusals::LIMIT_NOT_FOUND,
    row::{LimitRow, Limits},
    rule::Rule,
};

/// The command.
#[derive(Debug)]
pub struct GetLimit;

/// Which limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetLimitSpec {
    /// Its id.
    pub id: Id,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShownLimit {
    /// Its id.
    pub id: Id,
    /// The transaction that wrote it last: its entity tag.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written last.
    pub updated_at: LogTime,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

impl ShownLimit {
    pub(super) fn of(id: Id, row: LimitRow) -> Self {
        Self {
            id,
            version: row.version.get(),
            created_version: row.created_version.get(),
            updated_at: row.updated_at,
            rules: row.rules.into_iter().map(|row| row.rule).collect(),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetLimitRefusal {
    /// There is no such limit.
    LimitNotFound {
        /// The limit.
        limit: Id,
    },
}

impl Refusal for GetLimitRefusal {
    const ALL: &'static [RefusalInfo] = &[LIMIT_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::LimitNotFound { .. } => LIMIT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetLimit {
    const NAME: &'static str = "limits.get";
    const SUMMARY: &'static str = "Shows a limit and its rules.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/limits/{id}";
    const CONDITIONAL: bool = true;
    type Spec = GetLimitSpec;
    type Outcome = ShownLimit;
    type Refusal = GetLimitRefusal;
}

impl Query for GetLimit {
    fn run(state: &impl Read, spec: &GetLimitSpec) -> Result<ShownLimit, Stop<GetLimitRefusal>> {
        Ok(ShownLimit::of(spec.id.clone(), row_of(state, &spec.id)?))
    }
}

/// The limit of this id.
pub(super) fn row_of(state: &impl Read, id: &Id) -> Result<LimitRow, Stop<GetLimitRefusal>> {
    let row = state.get::<Limits>(id.as_str())?;
    row.ok_or_else(|| Stop::Refused(GetLimitRefusal::LimitNotFound { limit: id.clone() }))
}
