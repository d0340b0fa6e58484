//! `limits.release`: what a holder has of limits of concurrency is free again.

use holdfast_state::{
    Id, Stop, Tx,
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
pub struct ReleaseHolder;

/// Who holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseHolderSpec {
    /// The limit's id.
    pub id: Id,
    /// What the request was.
    #[serde(default)]
    pub descriptors: Descriptors,
    /// Who holds it.
    pub holder: Id,
}

/// It is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReleaseHolderOutcome {
    /// Always the same.
    pub outcome: HolderReleased,
    /// The rules under which it was held.
    pub rules: Vec<Id>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HolderReleased {
    /// What was held is free.
    Released,
}

impl Command for ReleaseHolder {
    const NAME: &'static str = "limits.release";
    const SUMMARY: &'static str = "Gives back what a holder has of limits of concurrency.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/limits/{id}/release";
    type Spec = ReleaseHolderSpec;
    type Outcome = ReleaseHolderOutcome;
    type Refusal = HoldingRefusal;
}

impl Write for ReleaseHolder {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ReleaseHolderSpec,
    ) -> Result<ReleaseHolderOutcome, Stop<HoldingRefusal>> {
        release(tx, spec)
    }
}

/// Gives back what a holder has. A refusal has written nothing.
///
/// # Errors
/// [`HoldingRefusal`], or an abort.
pub fn release(
    tx: &mut Tx<'_>,
    spec: &ReleaseHolderSpec,
) -> Result<ReleaseHolderOutcome, Stop<HoldingRefusal>> {
    let ReleaseHolderSpec { id, descriptors, holder } = spec;
    let rules =
        each_held(tx, (id, descriptors, holder), |tx, occupancy: &mut Occupancy, place| {
            Ok(occupancy.release(tx, place, holder)?.then_some(()))
        })?;
    let rules = rules.into_iter().map(|(rule, ())| rule).collect();
    Ok(ReleaseHolderOutcome { outcome: HolderReleased::Released, rules })
}
