//! Operations that run later: timers of users.
//!
//! A timer is armed with operations (`timers.arm`) and fires once log time has come so
//! far: its operations run as one transaction, all or none. What came of them is kept
//! with the timer for [`KEPT_FOR_US`], then forgotten. Until it fires it can be cancelled.
//!
//! Operations are checked when the timer is armed, and again when it fires: a command
//! that a later release no longer has is a refusal then, and kept as such.

pub mod arm;
pub mod cancel;
pub mod get;
mod row;

use holdfast_state::{
    Abort, Id, Read as _, Stop, StoreError, Table as _, TableId, Tx,
    command::{Class, Entry, RefusalInfo, Refused},
    row::Row as _,
};
use serde_json::{Map, Value};

pub use row::{Scheduled, ScheduledRow, Status};

use super::{Mode, TransactionSpec, compose};

/// The tables of timers: number and name. Numbers `0x0f00..=0x0fff` are the node's.
pub const TABLES: &[(TableId, &str)] = &[(Scheduled::ID, Scheduled::NAME)];

/// The name of the handler of a timer that is due.
pub const HANDLER: &str = "timers.fire";

/// The name of the handler that forgets a timer which has fired.
pub const FORGET: &str = "timers.forget";

/// For how long what came of a timer is kept: seven days, in microseconds.
pub const KEPT_FOR_US: u64 = 7 * 24 * 3_600 * 1_000_000;

/// No timer has this id.
const TIMER_NOT_FOUND: RefusalInfo = RefusalInfo {
    code: "timer_not_found",
    class: Class::NotFound,
    summary: "No timer with this id is armed or remembered.",
};

/// Runs the operations of the timer whose id is the payload.
///
/// # Errors
/// [`Abort`]
pub fn fire(tx: &mut Tx<'_>, payload: &[u8], commands: &[&'static Entry]) -> Result<(), Abort> {
    let id = Id::parse(payload).map_err(|_| doubt("a payload is not an id"))?;
    let row = tx.get::<Scheduled>(id.as_str())?;
    let mut row = row.ok_or_else(|| doubt("a timer fires that is not there"))?;
    let savepoint = tx.savepoint();
    (row.status, row.result) = match run(tx, &row.operations, commands) {
        Ok(outcome) => (Status::Done, outcome),
        Err(Stop::Refused(refused)) => {
            tx.rollback_to(&savepoint);
            (Status::Refused, shown(&refused))
        }
        Err(Stop::Aborted(abort)) => return Err(abort),
    };
    row.ended_at = Some(tx.now());
    tx.put::<Scheduled>(id.as_str(), &row)?;
    tx.arm_timer(tx.now().plus_us(KEPT_FOR_US), FORGET, &id)?;
    Ok(())
}

/// Forgets the timer whose id is the payload.
///
/// # Errors
/// [`Abort`]
pub fn forget(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let id = Id::parse(payload).map_err(|_| doubt("a payload is not an id"))?;
    tx.delete::<Scheduled>(id.as_str())
}

fn run(
    tx: &mut Tx<'_>,
    operations: &[u8],
    commands: &[&'static Entry],
) -> Result<Vec<u8>, Stop<Refused>> {
    use holdfast_state::command::Call as _;
    let broken = |_| Stop::Aborted(doubt("operations do not decode").into());
    let operations_of = serde_json::from_slice(operations).map_err(broken)?;
    let spec = TransactionSpec { mode: Mode::All, operations: operations_of };
    let composed = compose(spec, operations.len(), commands).map_err(|error| {
        let message = error.message;
        let refusal = super::TransactionRefusal::OperationInvalid { message };
        let mut refused = Refused::new(&refusal);
        refused.pointer = Some(error.pointer.into());
        Stop::Refused(refused)
    })?;
    composed.run(tx)
}

/// A refusal as it is kept.
fn shown(refused: &Refused) -> Vec<u8> {
    let mut shown = Map::new();
    shown.insert("code".to_owned(), refused.info.code.into());
    if let Some(operation) = &refused.operation {
        let operation = serde_json::to_value(operation).expect("an operation is plain data");
        shown.insert("operation".to_owned(), operation);
    }
    if let Some(pointer) = &refused.pointer {
        shown.insert("pointer".to_owned(), pointer.as_ref().into());
    }
    shown.insert("facts".to_owned(), Value::Object(refused.facts.clone()));
    serde_json::to_vec(&shown).expect("a refusal is plain data")
}

/// The rows do not fit together: the state must be rebuilt.
fn doubt(what: &str) -> StoreError {
    StoreError::Doubt { what: format!("timers: {what}") }
}
