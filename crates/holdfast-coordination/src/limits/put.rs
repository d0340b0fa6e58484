//! `limits.put`: these are the limit's rules now.
//!
//! A rule that counts what it counted, in windows as long as before, keeps its counters,
//! also when more or less is allowed than before; a rule that changed otherwise begins
//! anew, and what it had counted is forgotten at once.

use holdfast_state::{
    Id, IfMatch, IfNoneMatch, LogTime, Read as _, Stop, Tx, Version,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    precondition::{Condition, PRECONDITION_FAILED, unmet},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    row::{LimitRow, Limits, RuleRow},
    rule::{Rule, Rules},
    shelf::Counters,
};

/// The command.
#[derive(Debug)]
pub struct PutLimit;

/// Which limit, and its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutLimitSpec {
    /// Its id.
    pub id: Id,
    /// Its rules.
    pub rules: Rules,
    /// Only if it is there, at this version or at any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
    /// Only if it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<IfNoneMatch>,
}

/// The limit has these rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PutLimitOutcome {
    /// Whether there was one before.
    pub outcome: LimitPut,
    /// Its id.
    pub id: Id,
    /// Its version now: this transaction.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written: now.
    pub updated_at: LogTime,
    /// How many of its rules count on from where they were.
    pub rules_kept: usize,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitPut {
    /// There was none.
    Created,
    /// There was one.
    Replaced,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum PutLimitRefusal {
    /// A condition does not hold.
    PreconditionFailed(Unmet),
}

/// A condition does not hold of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The limit.
    pub limit: Id,
    /// Which condition.
    pub condition: Condition,
    /// The version it is at; absent when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

impl Refusal for PutLimitRefusal {
    const ALL: &'static [RefusalInfo] = &[PRECONDITION_FAILED];

    fn code(&self) -> &'static str {
        match self {
            Self::PreconditionFailed(_) => PRECONDITION_FAILED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        let Self::PreconditionFailed(unmet) = self;
        Some(unmet.condition.pointer())
    }
}

impl Command for PutLimit {
    const NAME: &'static str = "limits.put";
    const SUMMARY: &'static str = "Writes a limit: the list of its rules.";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/v1/limits/{id}";
    const CONDITIONAL: bool = true;
    type Spec = PutLimitSpec;
    type Outcome = PutLimitOutcome;
    type Refusal = PutLimitRefusal;
}

impl Write for PutLimit {
    fn run(tx: &mut Tx<'_>, spec: &PutLimitSpec) -> Result<PutLimitOutcome, Stop<PutLimitRefusal>> {
        put(tx, spec)
    }
}

/// Writes a limit. A refusal has written nothing.
///
/// # Errors
/// [`PutLimitRefusal`], or an abort.
pub fn put(tx: &mut Tx<'_>, spec: &PutLimitSpec) -> Result<PutLimitOutcome, Stop<PutLimitRefusal>> {
    let before = tx.get::<Limits>(spec.id.as_str())?;
    let found = before.as_ref().map(|row| row.version);
    if let Some(condition) = unmet(spec.if_match, spec.if_none_match, found) {
        let (limit, version) = (spec.id.clone(), found.map(Version::get));
        let unmet = Unmet { limit, condition, version };
        return Err(Stop::Refused(PutLimitRefusal::PreconditionFailed(unmet)));
    }
    let outcome = if before.is_some() { LimitPut::Replaced } else { LimitPut::Created };
    let created_version = before.as_ref().map_or(tx.version(), |row| row.created_version);
    let before = before.map_or_else(Vec::new, |row| row.rules);
    let kept = |row: &&RuleRow| spec.rules.as_slice().iter().any(|rule| row.rule.keeps(rule));
    let (kept, gone): (Vec<_>, Vec<_>) = before.iter().partition(kept);
    for rule in gone {
        Counters { limit: &spec.id, rule }.remove(tx)?;
    }
    let rules_kept = kept.len();
    let rules = identified(spec.rules.as_slice(), &kept, tx.version());
    let (version, updated_at) = (tx.version(), tx.now());
    let row = LimitRow { version, created_version, updated_at, rules };
    tx.put::<Limits>(spec.id.as_str(), &row)?;
    Ok(PutLimitOutcome {
        outcome,
        id: spec.id.clone(),
        version: version.get(),
        created_version: created_version.get(),
        updated_at,
        rules_kept,
    })
}

/// The rules with what stands for them in keys: what they had, or what none has.
fn identified(rules: &[Rule], kept: &[&RuleRow], version: Version) -> Vec<RuleRow> {
    let taken = |number| kept.iter().any(|row| (row.since, row.number) == (version, number));
    let mut free = (0..=u16::MAX).filter(|number| !taken(*number));
    let row = |rule: &Rule| match kept.iter().find(|row| row.rule.keeps(rule)) {
        Some(row) => RuleRow { since: row.since, number: row.number, rule: rule.clone() },
        None => {
            let number = free.next().expect("a limit has few rules");
            RuleRow { since: version, number, rule: rule.clone() }
        }
    };
    rules.iter().map(row).collect()
}
