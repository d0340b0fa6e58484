//! The checks together, over runs of a ledger that really has versions: what was done right
//! passes all of them, and each way to do it wrong is found by the one that is there for it.

use std::{collections::BTreeMap, time::Duration};

use holdfast_lab::{
    check::{
        Call, Heard, Place, Reply, Specification as _, acknowledged, exactly_once, operations,
        specification::ledger::{Answer, Asked, Ledger},
        witness,
    },
    random::Random,
};
use holdfast_state::Version;
use proptest::prelude::*;

type Calls = Vec<Call<Asked, Reply<Answer>>>;

/// A ledger behind a network that loses requests and answers and sends requests twice, asked
/// by clients who repeat under their keys what was not answered. Its log is what it holds:
/// keys and versions.
struct Run {
    random: Random,
    now: u64,
    /// When something last took effect: nothing does before.
    effect: u64,
    ledger: Ledger,
    stored: BTreeMap<String, Reply<Answer>>,
    version: u64,
    calls: Calls,
}

impl Run {
    fn of(seed: u64, operations: u64) -> Self {
        let mut run = Self {
            random: Random::new(seed),
            now: 0,
            effect: 0,
            ledger: Ledger::default(),
            stored: BTreeMap::new(),
            version: 0,
            calls: Vec::new(),
        };
        for number in 0..operations {
            let asked = run.asked();
            for _ in 0..4 {
                if run.try_once(&format!("op-{number}"), asked) {
                    break;
                }
            }
        }
        run
    }

    fn asked(&mut self) -> Asked {
        let account = self.random.below(4);
        match self.random.below(4) {
            0 => Asked::Open { account, balance: 10 },
            1 => Asked::Balance { account },
            _ => Asked::Transfer { from: account, to: self.random.below(4), amount: 3 },
        }
    }

    /// Did the client hear?
    fn try_once(&mut self, key: &str, asked: Asked) -> bool {
        let sent = Duration::from_micros(self.now);
        self.now += 1 + self.random.below(5);
        let is_read = matches!(asked, Asked::Balance { .. });
        let key = (!is_read).then(|| key.to_owned());
        let heard = match self.random.below(10) {
            0 => Heard::Unknown,
            1 => Heard::Nothing,
            fate => {
                let answer = self.does(key.as_deref(), &asked);
                self.now += 1 + self.random.below(5);
                let at = Duration::from_micros(self.now);
                if fate == 2 { Heard::Unknown } else { Heard::Answered { at, answer } }
            }
        };
        // Clients run beside each other: the next may ask while this one waits.
        self.now -= self.random.below(4).min(self.now);
        let is_heard = matches!(heard, Heard::Answered { .. });
        self.calls.push(Call { key, asked, sent, heard });
        is_heard
    }

    fn does(&mut self, key: Option<&str>, asked: &Asked) -> Reply<Answer> {
        self.now = self.now.max(self.effect);
        self.effect = self.now;
        if let Some(stored) = key.and_then(|key| self.stored.get(key)) {
            return Reply { replayed: true, ..stored.clone() };
        }
        let body = self.ledger.ask(asked);
        let Some(key) = key else {
            let place = Place::Saw(Version::new(self.version));
            return Reply { place, replayed: false, body };
        };
        self.version += 1;
        let place = Place::Is(Version::new(self.version));
        let reply = Reply { place, replayed: false, body };
        self.stored.insert(key.to_owned(), reply.clone());
        reply
    }

    fn logged(&self) -> BTreeMap<String, Version> {
        let versions = self.stored.iter().map(|(key, reply)| (key.clone(), reply.place.version()));
        versions.collect()
    }
}

fn judge(calls: &Calls, logged: &BTreeMap<String, Version>) -> Result<witness::Witnessed, String> {
    exactly_once::answers(calls).map_err(|wrong| wrong.to_string())?;
    let operations = operations(calls);
    acknowledged::check(&operations, logged).map_err(|wrong| wrong.to_string())?;
    let placed = witness::place(&operations, logged);
    witness::check(&mut Ledger::default(), placed).map_err(|wrong| wrong.to_string())
}

proptest! {
    #[test]
    fn what_was_done_right_passes(seed: u64) {
        let run = Run::of(seed, 60);
        let told = judge(&run.calls, &run.logged()).map_err(TestCaseError::fail)?;
        prop_assert_eq!(told.versions_unseen, 0);
        prop_assert_eq!(told.writes, run.version);
    }

    #[test]
    fn an_answer_that_was_changed_is_found(seed: u64, which: prop::sample::Index) {
        let run = Run::of(seed, 30);
        let mut calls = run.calls.clone();
        let answers: Vec<_> = calls.iter_mut().filter_map(answer).collect();
        prop_assume!(!answers.is_empty());
        let count = answers.len();
        let reply = answers.into_iter().nth(which.index(count)).unwrap();
        reply.body = if reply.body == Answer::Done { Answer::Lacks } else { Answer::Done };
        prop_assert!(judge(&calls, &run.logged()).is_err());
    }

    #[test]
    fn a_version_of_another_is_found(seed: u64, which: prop::sample::Index) {
        let run = Run::of(seed, 30);
        let mut calls = run.calls.clone();
        let is_write = |reply: &&mut Reply<Answer>| matches!(reply.place, Place::Is(_));
        let writes: Vec<_> = calls.iter_mut().filter_map(answer).filter(is_write).collect();
        prop_assume!(!writes.is_empty());
        let count = writes.len();
        let reply = writes.into_iter().nth(which.index(count)).unwrap();
        reply.place = Place::Is(reply.place.version().next());
        prop_assert!(judge(&calls, &run.logged()).is_err());
    }

    #[test]
    fn a_log_that_lost_what_was_acknowledged_is_found(seed: u64, which: prop::sample::Index) {
        let run = Run::of(seed, 30);
        let mut logged = run.logged();
        let heard: Vec<String> = operations(&run.calls)
            .iter()
            .filter(|operation| matches!(operation.belief, holdfast_lab::check::Belief::Settled { .. }))
            .filter_map(|operation| operation.key.map(str::to_owned))
            .collect();
        prop_assume!(!heard.is_empty());
        logged.remove(which.get(&heard));
        prop_assert!(judge(&run.calls, &logged).is_err());
    }
}

fn answer(call: &mut Call<Asked, Reply<Answer>>) -> Option<&mut Reply<Answer>> {
    match &mut call.heard {
        Heard::Answered { answer, .. } => Some(answer),
        Heard::Nothing | Heard::Unknown => None,
    }
}

#[test]
#[ignore = "by hand: prints how long a million operations take to judge"]
fn a_million_operations() {
    let run = Run::of(1, 1_000_000);
    let logged = run.logged();
    let begun = std::time::Instant::now();
    let told = judge(&run.calls, &logged).unwrap();
    let took = begun.elapsed();
    eprintln!("{} calls, {told:?}: judged in {took:?}", run.calls.len());
}
