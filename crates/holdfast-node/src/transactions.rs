//! `transactions.run`: operations of any primitive as one transaction.
//!
//! An operation is a command by its registry name with its arguments. In mode
//! `all` they have one outcome: the first refusal refuses everything, and says
//! which operation it was. In mode `each` every operation has an outcome of its
//! own and all of them one version: what a refused operation wrote is taken back,
//! the others stand.
//!
//! An argument may be `{"$from": NAME, "path": POINTER}`: the value at this JSON
//! Pointer (RFC 6901) in the result of an earlier operation of that name.
//! Whatever does not depend on such a value is checked before the transaction
//! begins, on the caller's thread.
//!
//! This file is what is asked and how it is read; `run` does it; `reference`
//! finds and fills in what refers to earlier results; [`timers`] runs operations later.

mod reference;
mod run;
pub mod timers;

use std::collections::HashSet;

use holdfast_state::command::{
    Call, Class, Command, Composed, Entry, Input, Method, Refusal, RefusalInfo, SpecError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use reference::Others;
use run::{Args, Composition, Late, Step};

/// The most operations in mode `all`.
pub const OPERATIONS_MAX: usize = 128;

/// The largest request in mode `all`, in bytes.
pub const BYTES_MAX: usize = 1 << 20;

/// The most operations in mode `each`.
pub const EACH_OPERATIONS_MAX: usize = 10_000;

/// The largest request in mode `each`, in bytes.
pub const EACH_BYTES_MAX: usize = 4 << 20;

/// The longest name of an operation, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// What a node offers beside its primitives' commands.
pub const COMMANDS: &[Entry] = &[
    Entry::composed::<RunTransaction>(),
    Entry::composed::<timers::arm::ArmTimer>(),
    Entry::write::<timers::cancel::CancelTimer>(),
    Entry::query::<timers::get::GetTimer>(),
];

/// The command.
#[derive(Debug)]
pub struct RunTransaction;

/// Which operations.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransactionSpec {
    /// One outcome for all, or one for each.
    #[serde(default)]
    pub mode: Mode,
    /// In the order in which they run: 1 to 128, or to 10,000 in mode `each`.
    pub operations: Vec<OperationSpec>,
}

/// How outcomes hang together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// All operations are done, or none.
    #[default]
    All,
    /// Each operation is done or refused by itself; all have one version.
    Each,
}

/// One operation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationSpec {
    /// What later operations, results and refusals call it; its own within the
    /// request, at most 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A command: `ledger.transfer`.
    pub op: String,
    /// What the command takes.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub args: Box<RawValue>,
}

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransactionOutcome {
    /// Partition and version: the transaction's place in the one order.
    pub at: String,
    /// Log time.
    pub time: holdfast_state::LogTime,
    /// For each operation, in order: its name, if it has one, and its outcome's
    /// fields. In mode `each` a refused one has the outcome `refused`, and the
    /// refusal's `code`, `pointer` and `facts`.
    pub results: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Why operations that could be read are refused as a whole; what an operation is
/// refused for itself is its command's own refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TransactionRefusal {
    /// An earlier result has nothing at this place.
    ReferenceNotFound {
        /// The name of the earlier operation.
        from: String,
        /// The JSON Pointer into its result.
        path: String,
    },
    /// With what it refers to filled in, the operation is not what its command takes.
    OperationInvalid {
        /// What is wrong.
        message: String,
    },
}

impl Refusal for TransactionRefusal {
    const ALL: &'static [RefusalInfo] = &[
        RefusalInfo {
            code: "reference_not_found",
            class: Class::Invalid,
            summary: "The result of an earlier operation has nothing at this place.",
        },
        RefusalInfo {
            code: "operation_invalid",
            class: Class::Invalid,
            summary: "With what it refers to, the operation is not what its command takes.",
        },
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::ReferenceNotFound { .. } => "reference_not_found",
            Self::OperationInvalid { .. } => "operation_invalid",
        }
    }
}

impl Command for RunTransaction {
    const NAME: &'static str = "transactions.run";
    const SUMMARY: &'static str = "Runs operations of any primitive as one transaction.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/transactions";
    type Spec = TransactionSpec;
    type Outcome = TransactionOutcome;
    type Refusal = TransactionRefusal;
}

impl Composed for RunTransaction {
    fn parse(input: Input<'_>) -> Result<Box<dyn Call>, SpecError> {
        let spec: TransactionSpec = Entry::spec(input)?;
        Ok(Box::new(compose(spec, input.body.len(), input.commands)?))
    }
}

/// The operations, ready to run; `bytes` is how large the request was.
fn compose(
    spec: TransactionSpec,
    bytes: usize,
    commands: &[&'static Entry],
) -> Result<Composition, SpecError> {
    check_bounds(&spec, bytes)?;
    let mut steps = Vec::with_capacity(spec.operations.len());
    let mut names = HashSet::new();
    let mut referred = HashSet::new();
    for (index, operation) in spec.operations.into_iter().enumerate() {
        let at = |pointer: &str| format!("/operations/{index}{pointer}");
        let step = step(operation, commands, &names, &mut referred)
            .map_err(|error| SpecError { pointer: at(&error.pointer), ..error })?;
        if let Some(name) = &step.name
            && !names.insert(name.clone())
        {
            let message = format!("an earlier operation is called {name:?}");
            return Err(invalid(at("/name"), message));
        }
        steps.push(step);
    }
    for step in &mut steps {
        step.referred_to = step.name.as_ref().is_some_and(|name| referred.contains(name));
    }
    Ok(Composition { mode: spec.mode, steps })
}

fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> SpecError {
    SpecError { pointer: pointer.into(), message: message.into(), malformed: false }
}

fn check_bounds(spec: &TransactionSpec, bytes: usize) -> Result<(), SpecError> {
    let (most, most_bytes, mode) = match spec.mode {
        Mode::All => (OPERATIONS_MAX, BYTES_MAX, "all"),
        Mode::Each => (EACH_OPERATIONS_MAX, EACH_BYTES_MAX, "each"),
    };
    let count = spec.operations.len();
    if count == 0 || count > most {
        let message = format!("1 to {most} operations in mode {mode:?}, not {count}");
        return Err(invalid("/operations", message));
    }
    if bytes > most_bytes {
        let message = format!("at most {most_bytes} bytes in mode {mode:?}, not {bytes}");
        return Err(invalid("", message));
    }
    Ok(())
}

/// An operation, ready to run as far as it can be before those it refers to have.
/// Pointers of errors begin at the operation.
fn step(
    operation: OperationSpec,
    commands: &[&'static Entry],
    earlier: &HashSet<String>,
    referred: &mut HashSet<String>,
) -> Result<Step, SpecError> {
    let OperationSpec { name, op, args } = operation;
    if let Some(name) = &name
        && (name.is_empty() || name.len() > NAME_BYTES_MAX)
    {
        return Err(invalid("/name", format!("a name has 1 to {NAME_BYTES_MAX} bytes")));
    }
    let entry = commands.iter().find(|entry| entry.name == op);
    let entry = entry.ok_or_else(|| invalid("/op", format!("there is no command {op:?}")))?;
    if entry.name == RunTransaction::NAME {
        return Err(invalid("/op", "a transaction does not hold another"));
    }
    let text = args.get();
    let in_args = |error: SpecError| SpecError {
        pointer: format!("/args{}", error.pointer),
        // The request is JSON; that of the arguments is not at fault.
        malformed: false,
        ..error
    };
    if reference::may_be_in(text) {
        let value = serde_json::from_str(text).expect("raw JSON is JSON");
        // What runs later has operations and names of its own.
        let others = if entry.bulk { Others::Left } else { Others::Refused };
        let found = reference::check(&value, earlier, others).map_err(in_args)?;
        if !found.is_empty() {
            referred.extend(found.iter().cloned());
            let late = Late { entry, args: value, from: found, commands: commands.to_vec() };
            return Ok(Step { name, referred_to: false, args: Args::Late(late) });
        }
    }
    let input = Input { body: text.as_bytes(), fields: &[], commands };
    let args = Args::Ready(entry.parse(input).map_err(in_args)?);
    Ok(Step { name, referred_to: false, args })
}
