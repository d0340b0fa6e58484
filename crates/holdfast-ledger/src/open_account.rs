//! `ledger.open_account`: an account comes to be.
//!
//! Its asset, limit and metadata never change. Opening it again in the same
//! words answers with the account as it is now; in other words it is refused.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Class, Command, Method, Refusal, RefusalInfo, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Asset, Balances, Limit, Metadata,
    account::AccountView,
    asset::is_known,
    row::{AccountMetadata, AccountRow, Accounts},
};

/// The command.
#[derive(Debug)]
pub struct OpenAccount;

/// Which account, and of what kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAccountSpec {
    /// Its id.
    pub id: Id,
    /// What it counts.
    pub asset: Asset,
    /// What bounds it.
    #[serde(default)]
    pub limit: Limit,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The account is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenAccountOutcome {
    /// Always the same.
    pub outcome: Opened,
    /// It had been opened before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The account as it is now.
    #[serde(flatten)]
    pub account: AccountView,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// The account was opened.
    Opened,
}

/// Why an account is not opened, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum OpenAccountRefusal {
    /// It was opened in other words.
    AccountExists {
        /// Its id.
        account: Id,
        /// What differs.
        field: &'static str,
    },
    /// Its asset is neither in ISO 4217 nor declared.
    UnknownAsset {
        /// The code.
        asset: Asset,
    },
}

impl Refusal for OpenAccountRefusal {
    const ALL: &'static [RefusalInfo] = &[
        RefusalInfo {
            code: "account_exists",
            class: Class::Conflict,
            summary: "An account with this id was opened before with other properties.",
        },
        RefusalInfo {
            code: "unknown_asset",
            class: Class::NotFound,
            summary: "The asset is neither in ISO 4217 nor declared.",
        },
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::AccountExists { .. } => "account_exists",
            Self::UnknownAsset { .. } => "unknown_asset",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::AccountExists { .. } => "/id",
            Self::UnknownAsset { .. } => "/asset",
        })
    }
}

impl Command for OpenAccount {
    const NAME: &'static str = "ledger.open_account";
    const SUMMARY: &'static str = "Opens an account.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/accounts";
    type Spec = OpenAccountSpec;
    type Outcome = OpenAccountOutcome;
    type Refusal = OpenAccountRefusal;
}

impl Write for OpenAccount {
    fn run(
        tx: &mut Tx<'_>,
        spec: &OpenAccountSpec,
    ) -> Result<OpenAccountOutcome, Stop<OpenAccountRefusal>> {
        let key = spec.id.as_str();
        if let Some(row) = tx.get::<Accounts>(key)? {
            return existing(tx, spec, &row);
        }
        if !is_known(tx, spec.asset)? {
            return Err(Stop::Refused(OpenAccountRefusal::UnknownAsset { asset: spec.asset }));
        }
        let row = AccountRow {
            asset: spec.asset,
            limit: spec.limit,
            balances: Balances::default(),
            changes: 0,
            version: tx.version(),
            opened_at: tx.now(),
            closed_at: None,
            unknown: Unknown::default(),
        };
        tx.put::<Accounts>(key, &row)?;
        if let Some(metadata) = &spec.metadata {
            tx.put::<AccountMetadata>(key, metadata)?;
        }
        let account = AccountView::with_metadata(&spec.id, &row, spec.metadata.clone());
        Ok(OpenAccountOutcome { outcome: Opened::Opened, existed: false, account })
    }
}

fn existing(
    tx: &Tx<'_>,
    spec: &OpenAccountSpec,
    row: &AccountRow,
) -> Result<OpenAccountOutcome, Stop<OpenAccountRefusal>> {
    let account = AccountView::of(tx, &spec.id, row)?;
    let field = match () {
        () if account.asset != spec.asset => "asset",
        () if account.limit != spec.limit => "limit",
        () if account.metadata != spec.metadata => "metadata",
        () => return Ok(OpenAccountOutcome { outcome: Opened::Opened, existed: true, account }),
    };
    Err(Stop::Refused(OpenAccountRefusal::AccountExists { account: spec.id.clone(), field }))
}
