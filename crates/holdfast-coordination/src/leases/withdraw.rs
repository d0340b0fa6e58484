//! `leases.withdraw`: an owner waits no longer.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    queue::{leave, standing_place},
    refusals::NOT_WAITING,
    row::Leases,
    standing::{count, doubt},
};

/// The command.
#[derive(Debug)]
pub struct Withdraw;

/// Who, and from which lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawSpec {
    /// The lease's id.
    pub id: Id,
    /// Who waits for it.
    pub owner: Id,
}

/// It waits no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WithdrawOutcome {
    /// Always the same.
    pub outcome: Withdrawn,
    /// The lease's id.
    pub id: Id,
    /// Who waited.
    pub owner: Id,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawn {
    /// The owner waits no longer.
    Withdrawn,
}

/// Why nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum WithdrawRefusal {
    /// It does not wait: it never did, gave up, or was granted the lease.
    NotWaiting {
        /// The lease.
        lease: Id,
        /// The owner.
        owner: Id,
    },
}

impl Refusal for WithdrawRefusal {
    const ALL: &'static [RefusalInfo] = &[NOT_WAITING];

    fn code(&self) -> &'static str {
        match self {
            Self::NotWaiting { .. } => NOT_WAITING.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/owner")
    }
}

impl Command for Withdraw {
    const NAME: &'static str = "leases.withdraw";
    const SUMMARY: &'static str = "Ends an owner's wait for a lease.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/leases/{id}/withdraw";
    type Spec = WithdrawSpec;
    type Outcome = WithdrawOutcome;
    type Refusal = WithdrawRefusal;
}

impl Write for Withdraw {
    fn run(tx: &mut Tx<'_>, spec: &WithdrawSpec) -> Result<WithdrawOutcome, Stop<WithdrawRefusal>> {
        withdraw(tx, spec)
    }
}

/// Takes an owner out of a queue. A refusal has written nothing.
///
/// # Errors
/// [`WithdrawRefusal`], or an abort.
pub fn withdraw(
    tx: &mut Tx<'_>,
    spec: &WithdrawSpec,
) -> Result<WithdrawOutcome, Stop<WithdrawRefusal>> {
    let WithdrawSpec { id, owner } = spec;
    let Some(place) = standing_place(tx, id, owner)? else {
        let (lease, owner) = (id.clone(), owner.clone());
        return Err(Stop::Refused(WithdrawRefusal::NotWaiting { lease, owner }));
    };
    let row = tx.get::<Leases>(id.as_str())?;
    let mut row = row.ok_or_else(|| doubt(id, "is waited for without a grant"))?;
    leave(tx, id, &place)?;
    let waiting = row.waiting - 1;
    count(tx, id, &mut row, waiting)?;
    let (id, owner) = (id.clone(), owner.clone());
    Ok(WithdrawOutcome { outcome: Withdrawn::Withdrawn, id, owner })
}
