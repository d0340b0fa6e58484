//! `ledger.declare_asset`: makes an asset known that ISO 4217 does not have.
//!
//! A declaration never changes: accounts count in it. Declaring it again in the
//! same words is the same declaration.

use holdfast_state::{
    LogTime, Read as _, Stop, Tx,
    command::{Class, Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Asset, currencies,
    row::{AssetRow, Assets},
};

/// The most decimal places an asset may have: those of ether.
pub const EXPONENT_MAX: u8 = 18;

/// The longest label in bytes.
pub const LABEL_BYTES_MAX: usize = 128;

/// The command.
#[derive(Debug)]
pub struct DeclareAsset;

/// Which asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareAssetSpec {
    /// Its code.
    pub asset: Asset,
    /// Decimal places between its minor unit and itself, at most 18.
    pub exponent: u8,
    /// What people call it, at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The asset is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeclareAssetOutcome {
    /// Always the same.
    pub outcome: Declared,
    /// It had been declared before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// Its code.
    pub asset: Asset,
    /// Decimal places between its minor unit and itself.
    pub exponent: u8,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it was declared first.
    pub declared_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Declared {
    /// The asset is declared.
    Declared,
}

/// Why an asset is not declared, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum DeclareAssetRefusal {
    /// ISO 4217 defines it.
    StandardAsset {
        /// The code.
        asset: Asset,
        /// The standard's exponent.
        exponent: u8,
    },
    /// More than 18 decimal places.
    ExponentTooLarge {
        /// What was asked.
        exponent: u8,
        /// What is possible.
        max: u8,
    },
    /// The label is longer than 128 bytes.
    LabelTooLong {
        /// Its length in bytes.
        bytes: usize,
        /// What is possible.
        max: usize,
    },
    /// It was declared in other words.
    AssetExists {
        /// The code.
        asset: Asset,
        /// What differs.
        field: &'static str,
    },
}

impl Refusal for DeclareAssetRefusal {
    const ALL: &'static [RefusalInfo] = &[
        RefusalInfo {
            code: "standard_asset",
            class: Class::Invalid,
            summary: "ISO 4217 defines this asset; it is known without a declaration.",
        },
        RefusalInfo {
            code: "exponent_too_large",
            class: Class::Invalid,
            summary: "An asset has at most 18 decimal places.",
        },
        RefusalInfo {
            code: "label_too_long",
            class: Class::Invalid,
            summary: "A label has at most 128 bytes.",
        },
        RefusalInfo {
            code: "asset_exists",
            class: Class::Conflict,
            summary: "The asset was declared before with other properties.",
        },
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::StandardAsset { .. } => "standard_asset",
            Self::ExponentTooLarge { .. } => "exponent_too_large",
            Self::LabelTooLong { .. } => "label_too_long",
            Self::AssetExists { .. } => "asset_exists",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::StandardAsset { .. } | Self::AssetExists { .. } => "/asset",
            Self::ExponentTooLarge { .. } => "/exponent",
            Self::LabelTooLong { .. } => "/label",
        })
    }
}

impl Command for DeclareAsset {
    const NAME: &'static str = "ledger.declare_asset";
    const SUMMARY: &'static str = "Declares an asset that ISO 4217 does not define.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/assets";
    type Spec = DeclareAssetSpec;
    type Outcome = DeclareAssetOutcome;
    type Refusal = DeclareAssetRefusal;
}

impl Write for DeclareAsset {
    fn run(
        tx: &mut Tx<'_>,
        spec: &DeclareAssetSpec,
    ) -> Result<DeclareAssetOutcome, Stop<DeclareAssetRefusal>> {
        check(spec).map_err(Stop::Refused)?;
        let key = spec.asset.as_str();
        if let Some(row) = tx.get::<Assets>(key)? {
            let field = match () {
                () if row.exponent != spec.exponent => "exponent",
                () if row.label != spec.label => "label",
                () => return Ok(outcome(spec.asset, row, true)),
            };
            return Err(Stop::Refused(DeclareAssetRefusal::AssetExists {
                asset: spec.asset,
                field,
            }));
        }
        let row =
            AssetRow { exponent: spec.exponent, declared_at: tx.now(), label: spec.label.clone() };
        tx.put::<Assets>(key, &row)?;
        Ok(outcome(spec.asset, row, false))
    }
}

fn check(spec: &DeclareAssetSpec) -> Result<(), DeclareAssetRefusal> {
    if let Some(exponent) = currencies::exponent(spec.asset.as_str()) {
        return Err(DeclareAssetRefusal::StandardAsset { asset: spec.asset, exponent });
    }
    if spec.exponent > EXPONENT_MAX {
        let exponent = spec.exponent;
        return Err(DeclareAssetRefusal::ExponentTooLarge { exponent, max: EXPONENT_MAX });
    }
    match spec.label.as_ref().map(String::len) {
        Some(bytes) if bytes > LABEL_BYTES_MAX => {
            Err(DeclareAssetRefusal::LabelTooLong { bytes, max: LABEL_BYTES_MAX })
        }
        Some(_) | None => Ok(()),
    }
}

fn outcome(asset: Asset, row: AssetRow, existed: bool) -> DeclareAssetOutcome {
    DeclareAssetOutcome {
        outcome: Declared::Declared,
        existed,
        asset,
        exponent: row.exponent,
        label: row.label,
        declared_at: row.declared_at,
    }
}
