//! `ledger.get_asset`: Shows an asset and its number of decimal places.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, encode};

/// Which asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetAssetSpec {
    /// Its code.
    pub asset: String,
}

impl GetAssetSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(asset: impl Into<String>) -> Self {
        Self { asset: asset.into() }
    }
}

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssetView {
    /// Its code.
    pub asset: String,
    /// Decimal places between its minor unit and itself.
    pub exponent: u8,
    /// Whether ISO 4217 defines it.
    pub standard: bool,
    /// When it was declared, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<String>,
    /// What people call it, if it was declared with a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Command for GetAssetSpec {
    type Outcome = AssetView;
    const NAME: &'static str = "ledger.get_asset";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/ledger/assets/{}", encode(&self.asset))
    }
}
