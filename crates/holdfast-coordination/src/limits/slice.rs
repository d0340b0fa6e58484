//! `limits.slice`: an edge gives back what it did not use of its slice, and gets another.
//!
//! A *slice* is a number of permits that an edge gives away by itself, without asking for
//! each. It comes out of sliding logs alone, and never makes one exceed its quota: what is
//! held counts until a window after the last moment at which it can be used, and what was
//! used is stamped when the edge says so. So a limit may deny too early. By how much is
//! bounded: for each slice by what it holds and did not use, and by what of it was used
//! before the window and told within; together at most twice its size. An edge that says
//! nothing any more, or began anew, has used all of it, as far as anybody knows: its size once
//! more, for a window.

use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    descriptors::Descriptors,
    evaluate::{Applied, Asked, Evaluation, evaluate, ms},
    meter::Meter,
    quota::{SLICE_US_MAX, Units},
    refusals::{LIMIT_NOT_FOUND, SLICE_UNSUPPORTED, SLICES_MANY},
    row::{Held, Limits},
    rule::OnFailure,
    shelf::{Counters, Place},
    sliding_log::Log,
};

/// The most slices of one counter that are held, or were and still count.
pub const SLICES_MAX: usize = 64;

/// The command.
#[derive(Debug)]
pub struct TakeSlice;

/// Which slice, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeSliceSpec {
    /// The limit's id.
    pub id: Id,
    /// The slice: a name that no other edge uses, and that stands for these descriptors.
    pub slice: Id,
    /// What the requests are that it is for.
    #[serde(default)]
    pub descriptors: Descriptors,
    /// How many permits; nothing is taken when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permits: Option<Units>,
    /// How long they may be given away; at most a minute.
    pub ttl: SliceTtl,
    /// How many were given away of the slice that is held; more than it has do not count.
    /// Without it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

/// For how long a slice is: at most a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct SliceTtl(Lifetime);

impl SliceTtl {
    /// This long; `None` beyond a minute.
    #[must_use]
    pub const fn new(ttl: Lifetime) -> Option<Self> {
        if ttl.as_us() <= SLICE_US_MAX { Some(Self(ttl)) } else { None }
    }

    /// Its length in microseconds.
    #[must_use]
    pub const fn as_us(self) -> u64 {
        self.0.as_us()
    }
}

impl<'de> Deserialize<'de> for SliceTtl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ttl = Lifetime::deserialize(deserializer)?;
        Self::new(ttl).ok_or_else(|| de::Error::custom("a slice is for a minute at most"))
    }
}

/// What the edge holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakeSliceOutcome {
    /// Whether it is anything.
    pub outcome: SliceTaken,
    /// How many permits: as many as were asked for, or fewer.
    pub permits: u64,
    /// When the last of them can be given away, in log time; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<LogTime>,
    /// In how long there is at least one, in milliseconds, if nothing else is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What to do when nobody can be asked: `closed` if a rule that applies says so.
    pub on_failure: OnFailure,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SliceTaken {
    /// The edge holds permits.
    Granted,
    /// It holds none: there are none, or it wanted none.
    Empty,
}

/// Why nothing changed, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TakeSliceRefusal {
    /// There is no such limit.
    LimitNotFound {
        /// The limit.
        limit: Id,
    },
    /// A rule that applies counts by another algorithm than a sliding log.
    SliceUnsupported {
        /// The limit.
        limit: Id,
        /// The rule.
        rule: Id,
    },
    /// As many slices of a counter are held as may be.
    SlicesMany {
        /// The limit.
        limit: Id,
        /// The rule.
        rule: Id,
        /// How many may be.
        slices_max: usize,
    },
}

impl Refusal for TakeSliceRefusal {
    const ALL: &'static [RefusalInfo] = &[LIMIT_NOT_FOUND, SLICE_UNSUPPORTED, SLICES_MANY];

    fn code(&self) -> &'static str {
        match self {
            Self::LimitNotFound { .. } => LIMIT_NOT_FOUND.code,
            Self::SliceUnsupported { .. } => SLICE_UNSUPPORTED.code,
            Self::SlicesMany { .. } => SLICES_MANY.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::LimitNotFound { .. } => "/id",
            Self::SliceUnsupported { .. } => "/descriptors",
            Self::SlicesMany { .. } => "/slice",
        })
    }
}

impl Command for TakeSlice {
    const NAME: &'static str = "limits.slice";
    const SUMMARY: &'static str = "Exchanges the permits that an edge gives away by itself.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/limits/{id}/slices/{slice}";
    type Spec = TakeSliceSpec;
    type Outcome = TakeSliceOutcome;
    type Refusal = TakeSliceRefusal;
}

impl Write for TakeSlice {
    fn run(
        tx: &mut Tx<'_>,
        spec: &TakeSliceSpec,
    ) -> Result<TakeSliceOutcome, Stop<TakeSliceRefusal>> {
        slice(tx, spec)
    }
}

/// Settles the slice that is held under this name, and grants the next. A refusal has
/// written nothing.
///
/// # Errors
/// [`TakeSliceRefusal`], or an abort.
pub fn slice(
    tx: &mut Tx<'_>,
    spec: &TakeSliceSpec,
) -> Result<TakeSliceOutcome, Stop<TakeSliceRefusal>> {
    let limit = spec.id.clone();
    let Some(row) = tx.get::<Limits>(limit.as_str())? else {
        return Err(Stop::Refused(TakeSliceRefusal::LimitNotFound { limit }));
    };
    let (limit_id, request) = (&spec.id, &spec.descriptors);
    let asked = Asked { limit: limit_id, request, cost: 1, holder: None };
    let mut evaluation = evaluate(tx, &row, asked)?;
    check(&evaluation, spec).map_err(Stop::Refused)?;
    evaluation.settle(tx, &spec.slice, spec.used)?;
    let left = evaluation.rules.iter().filter(|applied| !applied.row.rule.dry_run);
    let left = left.map(|applied| applied.reading.remaining).min();
    let permits = spec.permits.map_or(0, Units::get).min(left.unwrap_or(u64::MAX));
    let expires_at = tx.now().plus_us(spec.ttl.as_us());
    let held = Held { slice: Some(spec.slice.clone()), permits, expires_at };
    evaluation.hold(tx, &held)?;
    evaluation.count_permits(tx, permits);
    let granted = permits > 0;
    let retry_us = evaluation.last_to_allow().and_then(Applied::retry_us);
    Ok(TakeSliceOutcome {
        outcome: if granted { SliceTaken::Granted } else { SliceTaken::Empty },
        permits,
        expires_at: granted.then_some(expires_at),
        retry_after_ms: retry_us.filter(|_| !granted).map(ms),
        on_failure: on_failure(&evaluation),
    })
}

fn check(evaluation: &Evaluation<'_>, spec: &TakeSliceSpec) -> Result<(), TakeSliceRefusal> {
    for applied in &evaluation.rules {
        let (limit, rule) = (spec.id.clone(), applied.row.rule.name.clone());
        let Meter::Log(log) = &applied.meter else {
            return Err(TakeSliceRefusal::SliceUnsupported { limit, rule });
        };
        if log.slices() >= SLICES_MAX {
            let slices_max = SLICES_MAX;
            return Err(TakeSliceRefusal::SlicesMany { limit, rule, slices_max });
        }
    }
    Ok(())
}

fn on_failure(evaluation: &Evaluation<'_>) -> OnFailure {
    let mut rules = evaluation.rules.iter().map(|applied| applied.row.rule.on_failure);
    if rules.any(|what| what == OnFailure::Closed) { OnFailure::Closed } else { OnFailure::Open }
}

impl Evaluation<'_> {
    /// What was held under this name is held no more; what was used of it is stamped.
    fn settle(&mut self, tx: &mut Tx<'_>, slice: &Id, used: Option<u64>) -> Result<(), Abort> {
        self.each_log(tx, |log, tx, place| log.settle(tx, place, slice, used))
    }

    /// So much is held from now on.
    fn hold(&mut self, tx: &mut Tx<'_>, held: &Held) -> Result<(), Abort> {
        if held.permits == 0 {
            return Ok(());
        }
        self.each_log(tx, |log, tx, place| log.hold(tx, place, held.clone()))
    }

    fn each_log(
        &mut self,
        tx: &mut Tx<'_>,
        mut change: impl FnMut(&mut Log, &mut Tx<'_>, Place<'_>) -> Result<(), Abort>,
    ) -> Result<(), Abort> {
        let asked = self.asked;
        for applied in &mut self.rules {
            let counters = Counters { limit: asked.limit, rule: applied.row };
            let place = Place { counters, key: &applied.key };
            if let Meter::Log(log) = &mut applied.meter {
                change(log, tx, place)?;
            }
            applied.reading = applied.meter.read(tx, place, asked.cost)?;
        }
        Ok(())
    }
}
