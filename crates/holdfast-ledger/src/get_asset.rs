//! `ledger.get_asset`: what is known of an asset.

use holdfast_state::{
    LogTime, Read, Stop,
    command::{Class, Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Asset, currencies, row::Assets};

/// The command.
#[derive(Debug)]
pub struct GetAsset;

/// Which asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAssetSpec {
    /// Its code.
    pub asset: Asset,
}

/// An asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AssetView {
    /// Its code.
    pub asset: Asset,
    /// Decimal places between its minor unit and itself.
    pub exponent: u8,
    /// Whether ISO 4217 defines it.
    pub standard: bool,
    /// What people call it, if it was declared with a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it was declared, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<LogTime>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetAssetRefusal {
    /// Neither in ISO 4217 nor declared.
    UnknownAsset {
        /// The code.
        asset: Asset,
    },
}

impl Refusal for GetAssetRefusal {
    const ALL: &'static [RefusalInfo] = &[RefusalInfo {
        code: "unknown_asset",
        class: Class::NotFound,
        summary: "The asset is neither in ISO 4217 nor declared.",
    }];

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownAsset { .. } => "unknown_asset",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/asset")
    }
}

impl Command for GetAsset {
    const NAME: &'static str = "ledger.get_asset";
    const SUMMARY: &'static str = "Shows an asset and its number of decimal places.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/ledger/assets/{asset}";
    type Spec = GetAssetSpec;
    type Outcome = AssetView;
    type Refusal = GetAssetRefusal;
}

impl Query for GetAsset {
    fn run(state: &impl Read, spec: &GetAssetSpec) -> Result<AssetView, Stop<GetAssetRefusal>> {
        let asset = spec.asset;
        if let Some(exponent) = currencies::exponent(asset.as_str()) {
            return Ok(AssetView {
                asset,
                exponent,
                standard: true,
                label: None,
                declared_at: None,
            });
        }
        let row = state.get::<Assets>(asset.as_str())?;
        let row = row.ok_or(Stop::Refused(GetAssetRefusal::UnknownAsset { asset }))?;
        Ok(AssetView {
            asset,
            exponent: row.exponent,
            standard: false,
            label: row.label,
            declared_at: Some(row.declared_at),
        })
    }
}
