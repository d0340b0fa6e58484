//! `ledger.declare_asset`: Declares an asset that ISO 4217 does not define.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method};

/// Which asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeclareAssetSpec {
    /// Its code.
    pub asset: String,
    /// Decimal places between its minor unit and itself, at most 18.
    pub exponent: u8,
    /// What people call it, at most 128 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl DeclareAssetSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(asset: impl Into<String>, exponent: u8) -> Self {
        Self { asset: asset.into(), exponent, label: None }
    }
}

/// The asset is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeclareAssetOutcome {
    /// Always the same.
    pub outcome: Declared,
    /// Its code.
    pub asset: String,
    /// Decimal places between its minor unit and itself.
    pub exponent: u8,
    /// When it was declared first.
    pub declared_at: String,
    /// It had been declared before, in the same words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Declared {
    /// The asset is declared.
    Declared,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

impl Command for DeclareAssetSpec {
    type Outcome = DeclareAssetOutcome;
    const NAME: &'static str = "ledger.declare_asset";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/ledger/assets".to_owned()
    }
}
