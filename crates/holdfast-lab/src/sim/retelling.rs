//! The log retold to the naive primitives: every transaction in the order of versions, with what
//! it was answered, and what whoever looked in between was shown.
//!
//! The log itself tells what each command was answered, also where nobody heard of it: in the
//! record of its key, or in a row beside it. The state is made again, transaction by
//! transaction, by somebody who had no part in the run, and is asked with the production
//! queries behind each that touched a primitive: what they show must be what the naive one
//! keeps. So an answer, a fact and a look are held to one account of what happened.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use holdfast_engine::Decision;
use holdfast_log::Position;
use holdfast_state::{
    Batch, LogTime, MemoryStore, Namespace, Store as _, View,
    fact::{BatchBuilder, Change, Fact},
    table::split_key,
};

use super::{
    client::{Fate, Operation},
    primitives::{
        Command, REGISTRY, Said, Showing,
        expected::{Moment, Wrong},
        naive::Naive,
    },
    truth::{Kind, Truth},
    violation::Violation,
};
use crate::check::log;

/// So much of an answer is shown when it is wrong, in characters.
const SHOWN_MAX: usize = 1_000;

/// Somebody was shown something at a version.
struct Look<'a> {
    asked: &'a Command,
    time: LogTime,
    said: Said,
}

/// Tells the naive primitives everything, and gives them.
///
/// # Errors
/// The first thing that cannot have been.
pub(super) fn retell(
    operations: &[Operation],
    truth: &Truth,
    entries: &[(Position, Bytes)],
) -> Result<Naive, Violation> {
    let mut retelling = Retelling {
        naive: Naive::default(),
        store: MemoryStore::new(),
        looks: looks(operations, truth),
    };
    retelling.looks_at(0)?;
    let logged = log::read(None, entries.iter().cloned());
    let logged = logged.map_err(|why| Violation::Broken { why: why.to_string() })?;
    for batch in logged.batches() {
        for change in batch.changes() {
            let change = change.map_err(|why| Violation::Broken { why: why.to_string() })?;
            retelling.goes_on(&change, operations, truth)?;
        }
    }
    Ok(retelling.naive)
}

struct Retelling<'a> {
    naive: Naive,
    store: MemoryStore,
    looks: BTreeMap<u64, Vec<Look<'a>>>,
}

impl Retelling<'_> {
    fn goes_on(
        &mut self,
        change: &Change,
        operations: &[Operation],
        truth: &Truth,
    ) -> Result<(), Violation> {
        let at = Moment { version: change.version.get(), time: change.time };
        let transaction = truth.transaction(change.version).expect("it is in the log");
        if let Kind::Operation(operation) = transaction.kind
            && let Some(command) = operations[operation].op.command()
        {
            let answer = transaction.answer.as_ref().ok_or_else(|| Violation::Unasked {
                version: at.version,
                what: "a command of which the log does not tell the answer".to_owned(),
            })?;
            let said = Said::new(transaction.refused, answer);
            let judged = self.naive.take(at, command, &said);
            judged.map_err(|wrong| diverged(at.version, command.to_string(), wrong))?;
        }
        let touched = self.apply(change);
        let showing = Showing(self.view(at.time));
        for primitive in touched {
            let compared = self.naive.compare(at, primitive, &showing);
            compared.map_err(|wrong| {
                diverged(at.version, format!("the state of {primitive}"), wrong)
            })?;
        }
        self.looks_at(at.version)
    }

    fn view(&self, now: LogTime) -> View {
        View::new(self.store.snapshots().latest(), Namespace::DEFAULT, now)
    }

    /// Applies one transaction; returns the primitives whose tables it touched.
    fn apply(&mut self, change: &Change) -> BTreeSet<&'static str> {
        let (mut builder, mut touched) = (BatchBuilder::default(), BTreeSet::new());
        builder.begin(0);
        for fact in change.facts() {
            let fact = fact.expect("the truth has read it");
            let (Fact::Put { key, .. }
            | Fact::Delete { key }
            | Fact::DeleteRange { from: key, .. }) = fact;
            touched.extend(split_key(key).and_then(|(_, table, _)| REGISTRY.table(table)).map(
                |table| table.name.split_once('.').map_or(table.name, |(primitive, _)| primitive),
            ));
            match fact {
                Fact::Put { key, value } => builder.put(key, value),
                Fact::Delete { key } => builder.delete(key),
                Fact::DeleteRange { from, to } => builder.delete_range(from, to),
            }
        }
        builder.commit();
        let (first, time) = (change.version, change.time);
        let batch = Batch { first, count: 1, time, bytes: builder.into_bytes().into() };
        self.store.apply(&batch, Bytes::new()).expect("memory takes what a log holds");
        touched
    }

    /// Everything that was shown of this version.
    fn looks_at(&mut self, version: u64) -> Result<(), Violation> {
        for Look { asked, time, said } in self.looks.remove(&version).unwrap_or_default() {
            // As the next transaction would have, if it were at that time.
            let at = Moment { version: version + 1, time };
            let judged = self.naive.clone().take(at, asked, &said);
            judged.map_err(|wrong| diverged(version, asked.to_string(), wrong))?;
        }
        Ok(())
    }
}

/// What the log holds, or somebody was shown, is not what the naive primitives make of it.
pub(super) fn diverged(version: u64, what: String, wrong: Wrong) -> Violation {
    let [expected, found] = [wrong.expected, wrong.found].map(shortened);
    Violation::Diverged { version, what, expected, found }
}

/// A whole page is more than anybody reads.
fn shortened(text: String) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// Answers that are no transactions, by the version that they saw.
fn looks<'a>(operations: &'a [Operation], truth: &Truth) -> BTreeMap<u64, Vec<Look<'a>>> {
    let mut looks: BTreeMap<u64, Vec<Look<'a>>> = BTreeMap::new();
    for (number, operation) in operations.iter().enumerate() {
        let Some(asked) = operation.op.command() else { continue };
        for sending in &operation.sendings {
            let Fate::Left { answer: Ok(outcome), .. } = &sending.fate else { continue };
            let transaction = truth.transaction(outcome.version);
            if transaction.is_some_and(|found| found.kind == Kind::Operation(number)) {
                continue;
            }
            let said = Said::new(outcome.decision == Decision::Refused, &outcome.body);
            let look = Look { asked, time: outcome.time, said };
            looks.entry(outcome.version.get()).or_default().push(look);
        }
    }
    looks
}
