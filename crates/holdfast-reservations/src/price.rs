//! What a hold costs: carried with it and not interpreted. Who pays whom, and when,
//! is for the ledger and those who call both.

use holdfast_state::{Amount, Asset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An amount of an asset.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// How much, in minor units, for all of the hold.
    #[n(0)]
    pub amount: Amount,
    /// Of what.
    #[n(1)]
    pub asset: Asset,
}
