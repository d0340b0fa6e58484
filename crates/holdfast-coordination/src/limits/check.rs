//! `limits.check`: may this request go on? If so it is charged.
//!
//! A denial is an answer like any other, not a problem of the one who asks: a gateway that
//! asked has been served. Envoy's service, redis-cell and Gubernator answer so too; a 429
//! belongs to the client of the gateway, and `fields` has what to put into it. A denial
//! writes nothing. Under an idempotency key the first answer is given again, be it a
//! denial: a request that is repeated is counted once, and one that is to be tried again
//! has a key of its own.

use holdfast_planted::planted;
use holdfast_state::{
    Id, Read, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    descriptors::Descriptors,
    evaluate::{Asked, Evaluation, RuleVerdict, evaluate, ms},
    fields::LimitFields,
    quota::Units,
    refusals::{COST_ABOVE_QUOTA, HOLDER_REQUIRED, LIMIT_NOT_FOUND},
    row::{LimitRow, Limits},
};

/// The command.
#[derive(Debug)]
pub struct CheckLimit;

/// Which limit, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckLimitSpec {
    /// The limit's id.
    pub id: Id,
    /// What the request is.
    #[serde(default)]
    pub descriptors: Descriptors,
    /// What it costs; 1 when nothing is given.
    #[serde(default)]
    pub cost: Units,
    /// Who holds what it takes of limits of concurrency: a name that no other request has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Id>,
    /// Nothing is charged, whatever the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckLimitOutcome {
    /// May it go on?
    pub outcome: CheckedLimit,
    /// Nothing was charged: it was only asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// In how long it may, in milliseconds, if nothing else is charged meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The rules that apply, in the limit's order.
    pub rules: Vec<RuleStanding>,
    /// Header fields for the request's own answer.
    pub fields: LimitFields,
}

/// What the command found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckedLimit {
    /// Every rule that applies has room for it, and was charged.
    Allowed,
    /// A rule has no room; none was charged.
    Denied,
}

/// How a rule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleStanding {
    /// Its name.
    pub rule: Id,
    /// What it says of the request.
    pub verdict: RuleVerdict,
    /// What is left of its quota.
    pub remaining: u64,
    /// In how long all of it is there again, in milliseconds, if nothing is charged.
    pub reset_after_ms: u64,
    /// In how long it has room, in milliseconds, if nothing else is charged meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// Why there is no answer, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CheckLimitRefusal {
    /// There is no such limit.
    LimitNotFound {
        /// The limit.
        limit: Id,
    },
    /// It would hold something, and has no name.
    HolderRequired {
        /// The limit.
        limit: Id,
        /// The rule of concurrency.
        rule: Id,
    },
    /// It can never be allowed.
    CostAboveQuota(TooMuch),
}

/// A cost that a rule never allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TooMuch {
    /// The limit.
    pub limit: Id,
    /// The rule.
    pub rule: Id,
    /// What was asked for.
    pub cost: u64,
    /// The most that it ever allows at once.
    pub at_once: u64,
}

impl Refusal for CheckLimitRefusal {
    const ALL: &'static [RefusalInfo] = &[LIMIT_NOT_FOUND, HOLDER_REQUIRED, COST_ABOVE_QUOTA];

    fn code(&self) -> &'static str {
        match self {
            Self::LimitNotFound { .. } => LIMIT_NOT_FOUND.code,
            Self::HolderRequired { .. } => HOLDER_REQUIRED.code,
            Self::CostAboveQuota(_) => COST_ABOVE_QUOTA.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::LimitNotFound { .. } => "/id",
            Self::HolderRequired { .. } => "/holder",
            Self::CostAboveQuota(_) => "/cost",
        })
    }
}

impl Command for CheckLimit {
    const NAME: &'static str = "limits.check";
    const SUMMARY: &'static str = "Says whether a request may go on, and charges it if so.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/limits/{id}/check";
    type Spec = CheckLimitSpec;
    type Outcome = CheckLimitOutcome;
    type Refusal = CheckLimitRefusal;
}

impl Write for CheckLimit {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CheckLimitSpec,
    ) -> Result<CheckLimitOutcome, Stop<CheckLimitRefusal>> {
        check(tx, spec)
    }
}

/// Charges a request if it may go on. A denial or refusal has written nothing.
///
/// # Errors
/// [`CheckLimitRefusal`], or an abort.
pub fn check(
    tx: &mut Tx<'_>,
    spec: &CheckLimitSpec,
) -> Result<CheckLimitOutcome, Stop<CheckLimitRefusal>> {
    let limit = limit_of(tx, &spec.id)?;
    let mut evaluation = ask(tx, &limit, spec)?;
    let outcome =
        if evaluation.is_allowed() { CheckedLimit::Allowed } else { CheckedLimit::Denied };
    if !spec.dry_run {
        evaluation.count_decision(tx);
    }
    let charges = outcome == CheckedLimit::Allowed || planted!(DenialIsCharged);
    if charges && !spec.dry_run {
        evaluation.charge(tx)?;
    }
    Ok(CheckLimitOutcome {
        outcome,
        dry_run: spec.dry_run,
        retry_after_ms: evaluation.last_to_allow().and_then(|one| one.retry_us()).map(ms),
        fields: LimitFields::of(&evaluation),
        rules: standings(&evaluation),
    })
}

fn ask<'a>(
    tx: &Tx<'_>,
    limit: &'a LimitRow,
    spec: &'a CheckLimitSpec,
) -> Result<Evaluation<'a>, Stop<CheckLimitRefusal>> {
    let (request, cost, holder) = (&spec.descriptors, spec.cost.get(), spec.holder.as_ref());
    let asked = Asked { limit: &spec.id, request, cost, holder };
    let evaluation = evaluate(tx, limit, asked)?;
    if let Some(rule) = evaluation.nameless() {
        let (limit, rule) = (spec.id.clone(), rule.clone());
        return Err(Stop::Refused(CheckLimitRefusal::HolderRequired { limit, rule }));
    }
    match too_much(&evaluation, asked) {
        Some(too_much) => Err(Stop::Refused(CheckLimitRefusal::CostAboveQuota(too_much))),
        None => Ok(evaluation),
    }
}

fn limit_of(state: &impl Read, id: &Id) -> Result<LimitRow, Stop<CheckLimitRefusal>> {
    let limit = state.get::<Limits>(id.as_str())?;
    limit.ok_or_else(|| Stop::Refused(CheckLimitRefusal::LimitNotFound { limit: id.clone() }))
}

/// The first rule that never allows it, if one does not.
pub(super) fn too_much(evaluation: &Evaluation<'_>, asked: Asked<'_>) -> Option<TooMuch> {
    let never = evaluation.rules.iter().find(|applied| applied.is_too_much())?;
    Some(TooMuch {
        limit: asked.limit.clone(),
        rule: never.row.rule.name.clone(),
        cost: asked.cost,
        at_once: never.row.rule.quota.at_once().get(),
    })
}

/// How the rules stand that apply.
pub(super) fn standings(evaluation: &Evaluation<'_>) -> Vec<RuleStanding> {
    let standing = |applied: &super::evaluate::Applied<'_>| RuleStanding {
        rule: applied.row.rule.name.clone(),
        verdict: applied.verdict(),
        remaining: applied.reading.remaining,
        reset_after_ms: ms(applied.reading.reset_us),
        retry_after_ms: applied.retry_us().map(ms),
    };
    evaluation.rules.iter().map(standing).collect()
}
