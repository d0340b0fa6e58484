//! The leader that comes back as a zombie: candidates for one lease, and a journal that whoever
//! holds it writes, a tick at a time.
//!
//! A leader is paused, dies, is cut off, or has its clock put back; its ticks arrive when they
//! arrive, some after others have led and written. Each is one transaction with a guard
//! (`leases.guard`), which refuses it unless its token is that of the grant. In the end every
//! tick stands in the journal once, under tokens that never fall; no zombie's write was
//! accepted, and some were tried; somebody led soon after each leader's end; and every candidate
//! led.
//!
//! Without protection ([`ZombieLeader::unprotected`]) ticks are written without the guard, by
//! leaders that look at their lease and their clock first, as programs do that trust a time to
//! live. That must write ticks twice, or the experiment shows nothing.

mod candidate;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use holdfast_state::Version;
use serde_json::{Value, json};

use self::candidate::{Candidate, Common};
use crate::{
    check::{
        journal::{self, Tick},
        succession::{self, Reign},
        zombies::{self, Attempt, Token},
    },
    history::{History, Record},
    random::Random,
    request::{Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Turns, Wrong, count_of, pages},
};

const LEASE: &str = "leader";
const JOURNAL: &str = "journal";

/// The document that says which tick was the last.
const HEAD: &str = "head";

const ASK: &str = "ask";
const RENEW: &str = "renew";

const ON_TIME: &str = "ticks";
const AFTER_A_PAUSE: &str = "ticks after a pause";
const OF_THE_DEAD: &str = "ticks of the dead";
const CUT_OFF: &str = "ticks of those cut off";
const CLOCK_PUT_BACK: &str = "ticks by clocks put back";

/// Everything a tick can have behind it.
const TICKS: [&str; 5] = [ON_TIME, AFTER_A_PAUSE, OF_THE_DEAD, CUT_OFF, CLOCK_PUT_BACK];

/// Beyond a lease's time, how long it may take until the next leader knows that it leads.
const SLACK: Duration = Duration::from_secs(2);

/// Candidates for a lease, and what befalls them.
#[derive(Clone, Debug)]
pub struct ZombieLeader {
    /// How many would like to lead.
    pub candidates: u64,
    /// The lease's time.
    pub ttl: Duration,
    /// How many ticks are to be written.
    pub ticks: u64,
    /// Of a hundred ticks, before how many something befalls the leader.
    pub faults_percent: u64,
    /// Decides what befalls whom.
    pub seed: u64,
    /// Leave the guard out.
    pub unprotected: bool,
}

impl Scenario for ZombieLeader {
    fn name(&self) -> &str {
        if self.unprotected { "zombie-leader, without protection" } else { "zombie-leader" }
    }

    fn prepare(&self) -> Vec<Request> {
        let head = json!({ "collection": JOURNAL, "id": HEAD, "value": { "number": 0 } });
        let operations = vec![
            operation("topics.create", json!({ "id": JOURNAL })),
            operation("documents.put", head),
        ];
        vec![Request::write("prepare".to_owned(), "prepare", operations)]
    }

    /// One for each candidate.
    fn lanes(&self, _count: usize) -> Vec<Box<dyn Lane>> {
        let common = Common {
            ttl: self.ttl,
            ticks: self.ticks,
            faults_percent: self.faults_percent,
            unprotected: self.unprotected,
            written: Arc::new(AtomicU64::new(0)),
            faults: Arc::new(AtomicU64::new(0)),
        };
        let lane = |number: u64| -> Box<dyn Lane> {
            let random = Random::new(self.seed ^ ((number + 1) << 32));
            Box::new(Turns::of(Candidate::new(number, common.clone(), random)))
        };
        (0..self.candidates).map(lane).collect()
    }

    fn expected(&self) -> u64 {
        // While a leader is away, the others ask again and again.
        self.ticks * (1 + self.faults_percent / 2)
    }

    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong> {
        let acknowledged = ticks(history).filter(|(record, _)| record.answer.is_done());
        let acknowledged: Vec<Tick> = acknowledged.map(|(_, tick)| tick).collect();
        let journal = written(look)?;
        journal::check(&journal, &acknowledged).map_err(Wrong::of)?;
        let zombies = zombies::check(attempts(history)).and_then(zombies::Zombies::proven);
        let zombies = zombies.map_err(Wrong::of)?;
        let candidates: Vec<String> =
            (0..self.candidates).map(|number| format!("c{number}")).collect();
        let succession = succession::check(
            &reigns(history),
            candidates.iter().map(String::as_str),
            self.ttl + SLACK,
        );
        let succession = succession.map_err(Wrong::of)?;
        let mut counts = vec![
            ("ticks in the journal".to_owned(), count_of(journal.len())),
            ("reigns".to_owned(), count_of(succession.reigns)),
            (
                "longest to the next leader, in ms".to_owned(),
                count_of(succession.longest.as_millis()),
            ),
            ("zombies' writes, all refused".to_owned(), count_of(zombies.attempted)),
        ];
        for label in TICKS {
            let these = || ticks(history).filter(|(record, _)| record.label == label);
            let refused = these().filter(|(record, _)| !record.answer.is_done()).count();
            if these().next().is_none() {
                return Wrong::because(format!(
                    "there were no {label}: nothing was put to the test"
                ));
            }
            counts.push((label.to_owned(), count_of(these().count())));
            counts.push((format!("{label}, refused"), count_of(refused)));
        }
        Ok(counts)
    }
}

/// What the topic holds, in its order.
fn written(look: &mut dyn Look) -> Result<Vec<Tick>, Wrong> {
    let messages = pages(look, JOURNAL, 0)?;
    let tick = |message: &Value| {
        Some(Tick {
            version: Version::new(message["version"].as_u64()?),
            number: message["data"]["number"].as_u64()?,
            token: message["data"]["token"].as_u64()?,
        })
    };
    let ticks: Option<Vec<Tick>> = messages.iter().map(tick).collect();
    ticks.ok_or_else(|| Wrong("the journal holds something that is no tick".to_owned()))
}

/// The ticks that were asked for, by version.
fn ticks(history: &History) -> impl Iterator<Item = (&Record, Tick)> {
    let asked = history.records().iter().filter(|record| TICKS.contains(&record.label));
    asked.map(|record| {
        let operations = record.operations();
        let appended = operations.last().expect("a tick ends with its entry");
        let data = &appended["args"]["data"];
        let number = |field: &str| data[field].as_u64().expect("ticks have numbers and tokens");
        let version = Version::new(record.answer.version);
        (record, Tick { version, number: number("number"), token: number("token") })
    })
}

/// Every token that a grant had, and who was told so first.
fn grants(history: &History) -> BTreeMap<u64, &Record> {
    let mut grants: BTreeMap<u64, &Record> = BTreeMap::new();
    for record in history.records().iter().filter(|record| record.label == ASK) {
        if let Some(token) =
            record.answer.results().first().and_then(|result| result["token"].as_u64())
        {
            grants.entry(token).or_insert(record);
        }
    }
    grants
}

/// Ticks under a token when there was a newer one. A token is the version of its grant.
fn attempts(history: &History) -> Vec<Attempt> {
    let grants = grants(history);
    let newest = |at: Version| grants.range(..=at.get()).next_back().map(|(token, _)| *token);
    let late = ticks(history).filter_map(|(record, tick)| {
        let newest = newest(tick.version).filter(|newest| *newest > tick.token)?;
        Some(Attempt {
            what: format!("tick {} at version {}", tick.number, tick.version),
            token: Token::Lease(tick.token),
            newest: Token::Lease(newest),
            accepted: record.answer.is_done(),
        })
    });
    late.collect()
}

fn reigns(history: &History) -> Vec<Reign> {
    let reign = |(token, record): (u64, &Record)| {
        let owner = record.operations()[0]["args"]["owner"].as_str().unwrap_or_default().to_owned();
        let candidate = owner.split('.').next().unwrap_or_default().to_owned();
        (token, Reign { token, candidate, began: record.answered, kept: record.sent })
    };
    let mut reigns: BTreeMap<u64, Reign> = grants(history).into_iter().map(reign).collect();
    for record in history.records() {
        if record.label == RENEW && record.answer.is_done() {
            let token = record.operations()[0]["args"]["token"].as_u64().unwrap_or_default();
            if let Some(reign) = reigns.get_mut(&token) {
                reign.kept = reign.kept.max(record.sent);
            }
        }
    }
    reigns.into_values().collect()
}
