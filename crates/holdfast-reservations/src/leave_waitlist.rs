//! `reservations.leave_waitlist`: waits no more. Leaving twice is the same as once. An
//! entry that was offered a hold has left the waitlist by that: release the hold.

use holdfast_state::{
    Id, Read as _, Stop, StoreError, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    get_waitlist_entry::WaitlistEntry,
    refusals::{ENTRY_NOT_FOUND, ENTRY_OFFERED},
    row::{Entries, EntryRow, EntryStatus, Queue, Resources, Stamp},
};

/// The command.
#[derive(Debug)]
pub struct LeaveWaitlist;

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveWaitlistSpec {
    /// Its id.
    pub id: Id,
}

/// The entry has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeaveWaitlistOutcome {
    /// Always the same.
    pub outcome: Left,
    /// It had left before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The entry.
    #[serde(flatten)]
    pub entry: WaitlistEntry,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// The entry waits no more.
    Left,
}

/// Why an entry does not leave, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum LeaveWaitlistRefusal {
    /// It was never made.
    EntryNotFound {
        /// Its id.
        id: Id,
    },
    /// It was offered a hold.
    EntryOffered {
        /// The hold.
        hold: Id,
    },
}

impl Refusal for LeaveWaitlistRefusal {
    const ALL: &'static [RefusalInfo] = &[ENTRY_NOT_FOUND, ENTRY_OFFERED];

    fn code(&self) -> &'static str {
        match self {
            Self::EntryNotFound { .. } => ENTRY_NOT_FOUND.code,
            Self::EntryOffered { .. } => ENTRY_OFFERED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for LeaveWaitlist {
    const NAME: &'static str = "reservations.leave_waitlist";
    const SUMMARY: &'static str = "Leaves a waitlist before anything was offered.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/waitlist/{id}/leave";
    type Spec = LeaveWaitlistSpec;
    type Outcome = LeaveWaitlistOutcome;
    type Refusal = LeaveWaitlistRefusal;
}

impl Write for LeaveWaitlist {
    fn run(
        tx: &mut Tx<'_>,
        spec: &LeaveWaitlistSpec,
    ) -> Result<LeaveWaitlistOutcome, Stop<LeaveWaitlistRefusal>> {
        leave_waitlist(tx, spec)
    }
}

/// Leaves a waitlist. A refusal has written nothing.
///
/// # Errors
/// [`LeaveWaitlistRefusal`], or an abort.
pub fn leave_waitlist(
    tx: &mut Tx<'_>,
    spec: &LeaveWaitlistSpec,
) -> Result<LeaveWaitlistOutcome, Stop<LeaveWaitlistRefusal>> {
    let row = tx.get::<Entries>(spec.id.as_str())?;
    let not_found = || LeaveWaitlistRefusal::EntryNotFound { id: spec.id.clone() };
    let mut row = row.ok_or_else(|| Stop::Refused(not_found()))?;
    let existed = match &row.status {
        EntryStatus::Waiting => false,
        EntryStatus::Left => true,
        EntryStatus::Offered(hold) => {
            return Err(Stop::Refused(LeaveWaitlistRefusal::EntryOffered { hold: hold.clone() }));
        }
    };
    if !existed {
        leave(tx, &spec.id, &mut row)?;
    }
    let entry = WaitlistEntry::of(tx, spec.id.clone(), row)?;
    Ok(LeaveWaitlistOutcome { outcome: Left::Left, existed, entry })
}

fn leave(tx: &mut Tx<'_>, id: &Id, row: &mut EntryRow) -> Result<(), holdfast_state::Abort> {
    let resource = tx.get::<Resources>(row.resource.as_str())?;
    let counted = resource.and_then(|mut resource| {
        resource.waiting = resource.waiting.checked_sub(1)?;
        Some(resource)
    });
    let what = || format!("the waitlist of {} does not count {id}", row.resource);
    let mut resource = counted.ok_or_else(|| StoreError::Doubt { what: what() })?;
    resource.version = tx.version();
    tx.put::<Resources>(row.resource.as_str(), &resource)?;
    tx.delete::<Queue>((row.resource.as_str(), row.ticket))?;
    row.status = EntryStatus::Left;
    row.ended = Some(Stamp::of(tx));
    tx.put::<Entries>(id.as_str(), row)
}
