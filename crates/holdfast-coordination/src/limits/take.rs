//! `limits.take`: a guard that charges. Refuses unless the request may go on.
//!
//! As an operation of a transaction it refuses all of it, with a 429, and what it would
//! have charged is charged to nobody; if another operation refuses, it is taken back.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    check::{RuleStanding, TooMuch, standings, too_much},
    descriptors::Descriptors,
    evaluate::{Asked, Evaluation, evaluate, ms},
    fields::LimitFields,
    quota::Units,
    refusals::{COST_ABOVE_QUOTA, HOLDER_REQUIRED, LIMIT_EXCEEDED, LIMIT_NOT_FOUND},
    row::Limits,
};

/// The command.
#[derive(Debug)]
pub struct TakeLimit;

/// Which limit, and what is taken of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeLimitSpec {
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
}

/// It was charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakeLimitOutcome {
    /// Always the same.
    pub outcome: TakenLimit,
    /// The rules that apply, in the limit's order.
    pub rules: Vec<RuleStanding>,
    /// Header fields for the request's own answer.
    pub fields: LimitFields,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenLimit {
    /// Every rule that applies was charged.
    Taken,
}

/// Why nothing was charged, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TakeLimitRefusal {
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
    /// A rule has no room for it now.
    LimitExceeded(Box<Exceeded>),
}

/// A rule without room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exceeded {
    /// The limit.
    pub limit: Id,
    /// Of the rules without room, the one that has it last.
    pub rule: Id,
    /// The values by which that rule counts, as a JSON list.
    pub counter: String,
    /// What was asked for.
    pub cost: u64,
    /// What is left of the rule's quota.
    pub remaining: u64,
    /// In how long it has room, in milliseconds, if nothing else is charged meanwhile.
    pub retry_after_ms: u64,
    /// Header fields of the answer.
    pub fields: LimitFields,
}

impl Refusal for TakeLimitRefusal {
    const ALL: &'static [RefusalInfo] =
        &[LIMIT_NOT_FOUND, HOLDER_REQUIRED, COST_ABOVE_QUOTA, LIMIT_EXCEEDED];

    fn code(&self) -> &'static str {
        match self {
            Self::LimitNotFound { .. } => LIMIT_NOT_FOUND.code,
            Self::HolderRequired { .. } => HOLDER_REQUIRED.code,
            Self::CostAboveQuota(_) => COST_ABOVE_QUOTA.code,
            Self::LimitExceeded(_) => LIMIT_EXCEEDED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::LimitNotFound { .. } => "/id",
            Self::HolderRequired { .. } => "/holder",
            Self::CostAboveQuota(_) | Self::LimitExceeded(_) => "/cost",
        })
    }
}

impl Command for TakeLimit {
    const NAME: &'static str = "limits.take";
    const SUMMARY: &'static str = "Charges a request, or refuses when it may not go on.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/limits/{id}/take";
    type Spec = TakeLimitSpec;
    type Outcome = TakeLimitOutcome;
    type Refusal = TakeLimitRefusal;
}

impl Write for TakeLimit {
    fn run(
        tx: &mut Tx<'_>,
        spec: &TakeLimitSpec,
    ) -> Result<TakeLimitOutcome, Stop<TakeLimitRefusal>> {
        take(tx, spec)
    }
}

/// Charges a request. A refusal has written nothing.
///
/// # Errors
/// [`TakeLimitRefusal`], or an abort.
pub fn take(
    tx: &mut Tx<'_>,
    spec: &TakeLimitSpec,
) -> Result<TakeLimitOutcome, Stop<TakeLimitRefusal>> {
    let refuse = |refusal| Err(Stop::Refused(refusal));
    let Some(limit) = tx.get::<Limits>(spec.id.as_str())? else {
        return refuse(TakeLimitRefusal::LimitNotFound { limit: spec.id.clone() });
    };
    let (request, cost, holder) = (&spec.descriptors, spec.cost.get(), spec.holder.as_ref());
    let asked = Asked { limit: &spec.id, request, cost, holder };
    let mut evaluation = evaluate(tx, &limit, asked)?;
    if let Some(rule) = evaluation.nameless() {
        let (limit, rule) = (spec.id.clone(), rule.clone());
        return refuse(TakeLimitRefusal::HolderRequired { limit, rule });
    }
    if let Some(too_much) = too_much(&evaluation, asked) {
        return refuse(TakeLimitRefusal::CostAboveQuota(too_much));
    }
    evaluation.count_decision(tx);
    if let Some(exceeded) = exceeded(&evaluation, asked) {
        return refuse(TakeLimitRefusal::LimitExceeded(Box::new(exceeded)));
    }
    evaluation.charge(tx)?;
    let (rules, fields) = (standings(&evaluation), LimitFields::of(&evaluation));
    Ok(TakeLimitOutcome { outcome: TakenLimit::Taken, rules, fields })
}

fn exceeded(evaluation: &Evaluation<'_>, asked: Asked<'_>) -> Option<Exceeded> {
    let last = evaluation.last_to_allow()?;
    Some(Exceeded {
        limit: asked.limit.clone(),
        rule: last.row.rule.name.clone(),
        counter: last.key.clone(),
        cost: asked.cost,
        remaining: last.reading.remaining,
        retry_after_ms: ms(last.retry_us().expect("what is never allowed was refused before")),
        fields: LimitFields::of(evaluation),
    })
}
