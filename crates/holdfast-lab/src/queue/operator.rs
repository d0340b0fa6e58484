//! An operator: looks at the dead letters, mends and puts them back: those that died of their consumers'
//! deaths, and half of those with which nobody can deal.
//!
//! There are two of them, who know nothing of each other: what both put back, goes back once.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;

use super::{Common, JOBS, QUEUE, REDRIVE, is_left};
use crate::{
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// Rest between two looks.
const REST: Duration = Duration::from_millis(100);

/// One operator.
pub(super) struct Operator {
    number: u64,
    common: Common,
    /// Letters to put back, and the numbers of their messages.
    letters: Vec<(String, u64)>,
    /// What it put back already, or tried to.
    seen: BTreeSet<u64>,
    looked: bool,
}

impl Operator {
    pub(super) const fn new(number: u64, common: Common) -> Self {
        Self { number, common, letters: Vec::new(), seen: BTreeSet::new(), looked: false }
    }

    fn hear(&mut self, answer: &Answer) {
        let page = answer.results().into_iter().next().unwrap_or_default();
        for letter in page["letters"].as_array().into_iter().flatten() {
            let number = letter["data"]["number"].as_u64();
            let is_poison = letter["data"]["poison"] == true;
            let named = letter["letter"].as_str().map(str::to_owned).zip(number);
            if let Some((letter, number)) = named
                && !(is_poison && is_left(number))
                && self.seen.insert(number)
            {
                self.letters.push((letter, number));
            }
        }
    }
}

impl Lane for Operator {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        if std::mem::take(&mut self.looked)
            && let Some(answer) = last
        {
            self.hear(answer);
        }
        if let Some((letter, number)) = self.letters.pop() {
            let data = json!({ "number": number, "poison": false });
            let edit = json!({ "topic": JOBS, "queue": QUEUE, "letter": letter, "data": data });
            let redrive = json!({ "topic": JOBS, "queue": QUEUE, "letters": [letter] });
            let operations =
                vec![operation("queues.edit", edit), operation("queues.redrive", redrive)];
            let key = format!("o{}-{number}", self.number);
            return Some(Request::write(key, REDRIVE, operations));
        }
        if self.common.progress.is_over() {
            return None;
        }
        self.looked = true;
        let args = json!({ "topic": JOBS, "queue": QUEUE, "limit": 1_000 });
        let operations = vec![operation("queues.dead_letters", args)];
        Some(Request::look("look at dead letters", operations).held_back(REST))
    }
}
