//! What limits show to whoever watches over them: what was decided, and what is held.
//!
//! A denial writes nothing, so decisions are counted by the node that makes them, and begin at 0
//! with its process. Requests that only ask (`dry_run`) are not among them, nor those that can
//! never be allowed; what edges give away of their slices is seen as the permits that they got.

use std::collections::BTreeMap;

use holdfast_state::{
    Abort, Read as _, Tx,
    instrument::{BoundedView, Family, Instrument, Reading, Shown, Source},
    page::bad_key,
};

use super::{
    evaluate::{Evaluation, RuleVerdict},
    row::Occupancies,
};

/// All of them.
pub const INSTRUMENTS: &[Instrument] = &[DECISIONS, RULES, HELD];

const DENIED: Family = Family {
    name: "limit_denied",
    shown: Shown::Counter,
    about: "Requests that were denied: a rule had no room.",
};
const ALLOWED: Family =
    Family { name: "limit_allowed", shown: Shown::Counter, about: "Requests that were allowed." };
const PERMITS: Family = Family {
    name: "limit_permits",
    shown: Shown::Counter,
    about: "Permits that edges were given, to give away by themselves.",
};
const RULE_DENIED: Family = Family {
    name: "limit_rule_denied",
    shown: Shown::Counter,
    about: "Requests for which the rule had no room.",
};
const WOULD_DENY: Family = Family {
    name: "limit_rule_would_deny",
    shown: Shown::Counter,
    about: "Requests that the rule would have denied, were it not on trial.",
};

const DECISIONS: Instrument = Instrument {
    labels: &["limit"],
    families: &[DENIED, ALLOWED, PERMITS],
    source: Source::Counted,
};

const RULES: Instrument = Instrument {
    labels: &["limit", "rule"],
    families: &[RULE_DENIED, WOULD_DENY],
    source: Source::Counted,
};

const HELD: Instrument = Instrument {
    labels: &["limit"],
    families: &[Family {
        name: "limit_held",
        shown: Shown::Level,
        about: "What is held of rules of concurrency.",
    }],
    source: Source::State(held),
};

impl Evaluation<'_> {
    /// The request was decided as the rules say.
    pub(super) fn count_decision(&self, tx: &mut Tx<'_>) {
        let limit = self.asked.limit.as_str();
        tx.count(if self.is_allowed() { &ALLOWED } else { &DENIED }, &[limit], 1);
        for applied in &self.rules {
            let family = match applied.verdict() {
                RuleVerdict::Allowed => continue,
                RuleVerdict::Denied => &RULE_DENIED,
                RuleVerdict::WouldDeny => &WOULD_DENY,
            };
            tx.count(family, &[limit, applied.row.rule.name.as_str()], 1);
        }
    }

    /// An edge was given so many permits.
    pub(super) fn count_permits(&self, tx: &mut Tx<'_>, permits: u64) {
        if permits > 0 {
            tx.count(&PERMITS, &[self.asked.limit.as_str()], permits);
        }
    }
}

fn held(view: &BoundedView<'_>) -> Result<Vec<Reading>, Abort> {
    // Of a counter that lies on two shelves the later says what it is.
    let mut counters = BTreeMap::new();
    view.each::<Occupancies>(|found| {
        let mut key = found.key();
        let names = key.id().and_then(|limit| Ok((limit, (key.u64()?, key.u16()?))));
        let names = names.and_then(|(limit, rule)| {
            key.u64()?;
            Ok((limit, rule, key.str()?))
        });
        let live = found.row.ends.iter().filter(|stamp| stamp.at > view.now());
        let held: u64 = live.map(|stamp| stamp.cost).sum();
        counters.insert(names.map_err(|_| bad_key::<Occupancies>())?, held);
        Ok(())
    })?;
    let mut limits = BTreeMap::<_, u64>::new();
    for ((limit, _, _), held) in counters {
        *limits.entry(limit).or_default() += held;
    }
    let reading = |(limit, held): (holdfast_state::Id, u64)| Reading {
        names: vec![limit.to_string()],
        values: vec![held],
    };
    Ok(limits.into_iter().map(reading).collect())
}
