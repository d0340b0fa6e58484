//! A request against all rules that apply to it: each has room, or none is charged.

use holdfast_state::{Abort, Id, Read, Tx};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    descriptors::Descriptors,
    meter::Meter,
    reading::{Reading, Room},
    row::{LimitRow, RuleRow},
    shelf::{Counters, Place},
    stamps::Stamp,
};

/// What is asked of a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) limit: &'a Id,
    pub(super) request: &'a Descriptors,
    pub(super) cost: u64,
    /// Who holds what it takes of limits of concurrency.
    pub(super) holder: Option<&'a Id>,
}

/// The rules that apply, and what their counters say.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) rules: Vec<Applied<'a>>,
}

/// A rule that applies.
#[derive(Debug)]
pub(super) struct Applied<'a> {
    pub(super) row: &'a RuleRow,
    /// Which of its counters.
    pub(super) key: String,
    pub(super) meter: Meter,
    pub(super) reading: Reading,
}

/// What a rule says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleVerdict {
    /// It has room for it.
    Allowed,
    /// It has not.
    Denied,
    /// It has not, but denies nothing: it is on trial (`dry_run`).
    WouldDeny,
}

/// Microseconds as milliseconds, rounded up.
pub(super) const fn ms(us: u64) -> u64 {
    us.div_ceil(1000)
}

impl Applied<'_> {
    pub(super) fn verdict(&self) -> RuleVerdict {
        match (self.reading.room, self.row.rule.dry_run) {
            (Room::Now, _) => RuleVerdict::Allowed,
            (_, false) => RuleVerdict::Denied,
            (_, true) => RuleVerdict::WouldDeny,
        }
    }

    /// Is it more than this rule, not on trial, ever allows?
    pub(super) fn is_too_much(&self) -> bool {
        self.reading.room == Room::Never && !self.row.rule.dry_run
    }

    /// In how long there is room, if there is none now and ever will be.
    pub(super) const fn retry_us(&self) -> Option<u64> {
        match self.reading.room {
            Room::In(us) => Some(us),
            Room::Now | Room::Never => None,
        }
    }

    /// What was accepted last, where that is kept.
    pub(super) fn latest(&self, limit: usize) -> Vec<Stamp> {
        self.meter.latest(limit)
    }
}

/// Asks all rules that apply.
pub(super) fn evaluate<'a>(
    state: &impl Read,
    limit: &'a LimitRow,
    asked: Asked<'a>,
) -> Result<Evaluation<'a>, Abort> {
    let mut rules: Vec<Applied<'a>> = Vec::new();
    for row in &limit.rules {
        let taken = rules.iter().any(|other| other.row.rule.name == row.rule.name);
        if taken || !row.rule.applies_to(asked.request) {
            continue;
        }
        let key = row.rule.counter_of(asked.request);
        let place = Place { counters: Counters { limit: asked.limit, rule: row }, key: &key };
        let meter = Meter::find(state, place, asked.holder)?;
        let reading = meter.read(state, place, asked.cost)?;
        rules.push(Applied { row, key, meter, reading });
    }
    Ok(Evaluation { asked, rules })
}

impl Evaluation<'_> {
    /// Has every rule room that may deny?
    pub(super) fn is_allowed(&self) -> bool {
        self.rules.iter().all(|applied| applied.verdict() != RuleVerdict::Denied)
    }

    /// Of the rules that deny, the one whose room comes last.
    pub(super) fn last_to_allow(&self) -> Option<&Applied<'_>> {
        let denied = self.rules.iter().filter(|applied| applied.verdict() == RuleVerdict::Denied);
        denied.max_by_key(|applied| applied.retry_us())
    }

    /// The first rule that wants to know who holds what it gives, if nobody said so.
    pub(super) fn nameless(&self) -> Option<&Id> {
        let wants = |one: &&Applied<'_>| matches!(one.meter, Meter::Occupancy(_));
        let wanting = self.rules.iter().find(wants).map(|applied| &applied.row.rule.name);
        wanting.filter(|_| self.asked.holder.is_none())
    }

    /// Charges every rule that has room, and reads what is left.
    pub(super) fn charge(&mut self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        let Asked { limit, cost, holder, .. } = self.asked;
        for applied in self.rules.iter_mut().filter(|applied| applied.reading.room == Room::Now) {
            let counters = Counters { limit, rule: applied.row };
            let place = Place { counters, key: &applied.key };
            applied.meter.charge(tx, place, (cost, holder))?;
            applied.reading = applied.meter.read(tx, place, 0)?;
        }
        Ok(())
    }
}
