//! `limits.status`: how a request stands, rule by rule: why was it denied?
//!
//! It says what `limits.check` would, charges nothing, and shows what stands in the way: of
//! a sliding log the stamps themselves.

use holdfast_state::{
    Id, LogTime, Read, Stop,
    command::{Command, Method, Query},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    check::{RuleStanding, standings},
    descriptors::Descriptors,
    evaluate::{Applied, Asked, evaluate},
    get::{GetLimitRefusal, row_of},
    quota::{Quota, Units},
    rule::OnFailure,
};

/// The most stamps of a counter that are shown.
pub const SHOWN_MAX: usize = 32;

/// The command.
#[derive(Debug)]
pub struct LimitStatus;

/// Which limit, and what would be asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitStatusSpec {
    /// The limit's id.
    pub id: Id,
    /// What the request is. In a query, a JSON object.
    #[serde(default)]
    pub descriptors: Descriptors,
    /// What it costs; 1 when nothing is given.
    #[serde(default)]
    pub cost: Units,
}

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LimitStatusOutcome {
    /// The limit's id.
    pub id: Id,
    /// Which rules it has: the version of the limit.
    pub version: u64,
    /// When this was so.
    pub time: LogTime,
    /// Would it be allowed?
    pub allowed: bool,
    /// The rules that apply, in the limit's order.
    pub rules: Vec<RuleStatus>,
}

/// How a rule stands, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleStatus {
    /// As `limits.check` says it.
    #[serde(flatten)]
    pub standing: RuleStanding,
    /// The values by which it counts, as a JSON list.
    pub counter: String,
    /// How much is allowed.
    pub quota: Quota,
    /// What an edge does when it can ask nobody.
    pub on_failure: OnFailure,
    /// Of a sliding log, up to 32 requests that were accepted and count, the latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedCost>,
}

/// What was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AcceptedCost {
    /// When.
    pub at: LogTime,
    /// How much, at that very time.
    pub cost: u64,
}

impl Command for LimitStatus {
    const NAME: &'static str = "limits.status";
    const SUMMARY: &'static str = "Shows how a request stands, rule by rule, and why.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/limits/{id}/status";
    type Spec = LimitStatusSpec;
    type Outcome = LimitStatusOutcome;
    type Refusal = GetLimitRefusal;
}

impl Query for LimitStatus {
    fn run(
        state: &impl Read,
        spec: &LimitStatusSpec,
    ) -> Result<LimitStatusOutcome, Stop<GetLimitRefusal>> {
        let limit = row_of(state, &spec.id)?;
        let (request, cost) = (&spec.descriptors, spec.cost.get());
        let asked = Asked { limit: &spec.id, request, cost, holder: None };
        let evaluation = evaluate(state, &limit, asked)?;
        let both = evaluation.rules.iter().zip(standings(&evaluation));
        Ok(LimitStatusOutcome {
            id: spec.id.clone(),
            version: limit.version.get(),
            time: state.now(),
            allowed: evaluation.is_allowed(),
            rules: both.map(|(applied, standing)| status(applied, standing)).collect(),
        })
    }
}

fn status(applied: &Applied<'_>, standing: RuleStanding) -> RuleStatus {
    let accepted = applied.latest(SHOWN_MAX).into_iter();
    let rule = &applied.row.rule;
    RuleStatus {
        standing,
        counter: applied.key.clone(),
        quota: rule.quota,
        on_failure: rule.on_failure,
        accepted: accepted.map(|stamp| AcceptedCost { at: stamp.at, cost: stamp.cost }).collect(),
    }
}
