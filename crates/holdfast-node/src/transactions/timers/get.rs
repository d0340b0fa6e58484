//! `timers.get`: where a timer stands, and what came of it.

use holdfast_state::{
    Id, LogTime, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Scheduled, ScheduledRow, Status, TIMER_NOT_FOUND, doubt};

/// The command.
#[derive(Debug)]
pub struct GetTimer;

/// Which timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTimerSpec {
    /// Its id.
    pub id: Id,
}

/// A timer.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Timer {
    /// Its id.
    pub id: Id,
    /// Where it stands.
    pub status: Status,
    /// When it is, or was, due.
    pub fires_at: LogTime,
    /// When it fired or was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<LogTime>,
    /// What it runs.
    pub operations: Vec<Map<String, Value>>,
    /// What came of it: the outcome, or why its operations were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Map<String, Value>>,
}

impl Timer {
    fn of(id: Id, row: &ScheduledRow) -> Result<Self, serde_json::Error> {
        let result = (!row.result.is_empty()).then(|| serde_json::from_slice(&row.result));
        Ok(Self {
            id,
            status: row.status,
            fires_at: row.fires_at,
            ended_at: row.ended_at,
            operations: serde_json::from_slice(&row.operations)?,
            result: result.transpose()?,
        })
    }
}

/// Why no timer is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetTimerRefusal {
    /// None has this id.
    TimerNotFound {
        /// The id.
        id: Id,
    },
}

impl Refusal for GetTimerRefusal {
    const ALL: &'static [RefusalInfo] = &[TIMER_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::TimerNotFound { .. } => TIMER_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetTimer {
    const NAME: &'static str = "timers.get";
    const SUMMARY: &'static str = "Shows where a timer stands, and what came of it.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/timers/{id}";
    type Spec = GetTimerSpec;
    type Outcome = Timer;
    type Refusal = GetTimerRefusal;
}

impl Query for GetTimer {
    fn run(state: &impl Read, spec: &GetTimerSpec) -> Result<Timer, Stop<GetTimerRefusal>> {
        let row = state.get::<Scheduled>(spec.id.as_str())?;
        let refusal = || GetTimerRefusal::TimerNotFound { id: spec.id.clone() };
        let row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        Timer::of(spec.id.clone(), &row)
            .map_err(|_| Stop::Aborted(doubt("a timer's JSON does not decode").into()))
    }
}
