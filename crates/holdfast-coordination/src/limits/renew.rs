//! `limits.renew`: what a holder has of limits of concurrency it has for its whole time
//! again.

use holdfast_state::{
    Id, LogTime, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    concurrency::Occupancy,
    descriptors::Descriptors,
    holding::{HoldingRefusal, each_held},
};

/// The command.
#[derive(Debug)]
pub struct RenewHolder;

/// Who holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewHolderSpec {
    /// The limit's id.
    pub id: Id,
    /// What the request was.
    #[serde(default)]
    pub descriptors: Descriptors,
    /// Who holds it.
    pub holder: Id,
}

/// It is held for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RenewHolderOutcome {
    /// Always the same.
    pub outcome: HolderRenewed,
    /// The rules under which it is held.
    pub rules: Vec<HeldRule>,
}

/// A rule under which something is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldRule {
    /// Its name.
    pub rule: Id,
    /// Until when, unless it is renewed again.
    pub expires_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HolderRenewed {
    /// It is held for its whole time again.
    Renewed,
}

impl Command for RenewHolder {
    const NAME: &'static str = "limits.renew";
    const SUMMARY: &'static str = "Prolongs what a holder has of limits of concurrency.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/limits/{id}/renew";
    type Spec = RenewHolderSpec;
    type Outcome = RenewHolderOutcome;
    type Refusal = HoldingRefusal;
}

impl Write for RenewHolder {
    fn run(
        tx: &mut Tx<'_>,
        spec: &RenewHolderSpec,
    ) -> Result<RenewHolderOutcome, Stop<HoldingRefusal>> {
        renew(tx, spec)
    }
}

/// Prolongs what a holder has. A refusal has written nothing.
///
/// # Errors
/// [`HoldingRefusal`], or an abort.
pub fn renew(
    tx: &mut Tx<'_>,
    spec: &RenewHolderSpec,
) -> Result<RenewHolderOutcome, Stop<HoldingRefusal>> {
    let RenewHolderSpec { id, descriptors, holder } = spec;
    let held = each_held(tx, (id, descriptors, holder), |tx, occupancy: &mut Occupancy, place| {
        occupancy.renew(tx, place, holder)
    })?;
    let rule = |(rule, expires_at)| HeldRule { rule, expires_at };
    let rules = held.into_iter().map(rule).collect();
    Ok(RenewHolderOutcome { outcome: HolderRenewed::Renewed, rules })
}
