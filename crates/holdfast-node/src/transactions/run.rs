//! Running operations one after the other in one transaction.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use holdfast_planted::planted;
use holdfast_state::{
    Read as _, Stop, Tx, Version, View,
    command::{Call, Entry, Input, Operation, Refused},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Mode, TransactionRefusal, reference};
use crate::at::At;

/// Operations that could be read.
pub(super) struct Composition {
    pub(super) mode: Mode,
    pub(super) steps: Vec<Step>,
}

/// One operation.
pub(super) struct Step {
    pub(super) name: Option<String>,
    /// Does a later one refer to its result?
    pub(super) referred_to: bool,
    pub(super) args: Args,
}

/// What an operation takes.
pub(super) enum Args {
    /// All of it is known.
    Ready(Box<dyn Call>),
    /// Some of it is in the results of earlier operations.
    Late(Late),
}

/// An operation that becomes a call when its turn comes.
pub(super) struct Late {
    pub(super) entry: &'static Entry,
    pub(super) args: Value,
    /// The earlier operations whose results it needs.
    pub(super) from: HashSet<String>,
    /// What there is, for operations within.
    pub(super) commands: Vec<&'static Entry>,
}

/// A refused operation in mode `each`.
#[derive(Serialize)]
struct RefusedResult<'r> {
    outcome: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'r str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    facts: &'r Map<String, Value>,
}

impl Step {
    fn run(
        &self,
        tx: &mut Tx<'_>,
        earlier: &HashMap<&str, Value>,
    ) -> Result<Vec<u8>, Stop<Refused>> {
        match &self.args {
            Args::Ready(call) => call.run(tx),
            Args::Late(late) => late.call(earlier).map_err(Stop::Refused)?.run(tx),
        }
    }
}

impl Late {
    /// The call, now that the earlier operations have run.
    fn call(&self, earlier: &HashMap<&str, Value>) -> Result<Box<dyn Call>, Refused> {
        let filled = reference::fill(&self.args, &self.from, earlier);
        let filled = filled.map_err(|refusal| Refused::new(&refusal))?;
        let body = serde_json::to_vec(&filled).expect("JSON is written as it was read");
        let input = Input { body: &body, fields: &[], commands: &self.commands };
        self.entry.parse(input).map_err(|error| {
            let message = error.message;
            let mut refused = Refused::new(&TransactionRefusal::OperationInvalid { message });
            refused.pointer = Some(error.pointer.into());
            refused
        })
    }
}

/// A refusal of one operation as a refusal of the whole request.
fn of_request(mut refused: Refused, index: usize, name: Option<&String>) -> Refused {
    let within = refused.pointer.unwrap_or(Cow::Borrowed(""));
    refused.pointer = Some(format!("/operations/{index}/args{within}").into());
    refused.operation = Some(Operation { index, name: name.cloned() });
    refused
}

impl Composition {
    fn run_steps(&self, tx: &mut Tx<'_>, results: &mut Vec<u8>) -> Result<(), Stop<Refused>> {
        let mut earlier = HashMap::new();
        let first = tx.savepoint();
        for (index, step) in self.steps.iter().enumerate() {
            let savepoint = tx.savepoint();
            let result = match step.run(tx, &earlier) {
                Ok(outcome) => {
                    if let (true, Some(name)) = (step.referred_to, &step.name) {
                        let value = serde_json::from_slice(&outcome);
                        earlier.insert(name.as_str(), value.expect("an outcome is JSON"));
                    }
                    outcome
                }
                Err(Stop::Refused(refused)) => {
                    let refused = of_request(refused, index, step.name.as_ref());
                    if self.mode == Mode::All {
                        return Err(Stop::Refused(refused));
                    }
                    tx.rollback_to(if planted!(EachTakesAllBack) { &first } else { &savepoint });
                    refused_result(&refused)
                }
                Err(Stop::Aborted(abort)) => return Err(Stop::Aborted(abort)),
            };
            if index > 0 {
                results.push(b',');
            }
            push_named(results, step.name.as_deref(), &result);
        }
        Ok(())
    }
}

fn refused_result(refused: &Refused) -> Vec<u8> {
    let result = RefusedResult {
        outcome: "refused",
        code: refused.info.code,
        pointer: refused.pointer.as_deref(),
        facts: &refused.facts,
    };
    serde_json::to_vec(&result).expect("a refusal is plain data")
}

/// A result with the operation's name as its first member.
fn push_named(results: &mut Vec<u8>, name: Option<&str>, result: &[u8]) {
    let Some(name) = name else {
        results.extend_from_slice(result);
        return;
    };
    let members = result.strip_prefix(b"{").expect("an outcome is an object");
    results.extend_from_slice(b"{\"name\":");
    serde_json::to_writer(&mut *results, name).expect("memory takes text");
    if members != b"}" {
        results.push(b',');
    }
    results.extend_from_slice(members);
}

impl Call for Composition {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>> {
        let mut results = Vec::with_capacity(64 + 320 * self.steps.len());
        self.run_steps(tx, &mut results)?;
        // What wrote nothing has no version of its own: it saw the one before.
        let version =
            if tx.has_written() { tx.version() } else { Version::new(tx.version().get() - 1) };
        let time = serde_json::to_string(&tx.now()).expect("a time is text");
        let mut outcome =
            format!("{{\"at\":\"{}\",\"time\":{time},\"results\":[", At::here(version))
                .into_bytes();
        outcome.append(&mut results);
        outcome.extend_from_slice(b"]}");
        Ok(outcome)
    }

    fn look(&self, _: &View) -> Option<Result<Vec<u8>, Stop<Refused>>> {
        None
    }
}
