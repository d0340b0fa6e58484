//! `ledger.balance_at`: an account's balances at a past time or version.
//!
//! One change of its history holds the answer. Changes are in the order of their
//! versions, and so of their times; a binary search over their numbers finds the
//! last one not after the moment asked for.

use std::fmt;

use holdfast_state::{
    Abort, Amount, Id, LogTime, Read, Stop, StoreError,
    command::{Class, Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use crate::{
    Asset, Balances,
    account::ACCOUNT_NOT_FOUND,
    row::{Accounts, History, HistoryRow},
};

/// The command.
#[derive(Debug)]
pub struct BalanceAt;

/// Which account, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalanceAtSpec {
    /// The account's id.
    pub account: Id,
    /// When.
    pub at: Moment,
}

/// A time or a version; what happened at that very time or version counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Up to and including this log time.
    Time(LogTime),
    /// Up to and including the transaction with this number.
    Version(u64),
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time(time) => time.serialize(serializer),
            Self::Version(version) => version.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time or the number of a version")
    }

    fn visit_u64<E: de::Error>(self, version: u64) -> Result<Moment, E> {
        Ok(Moment::Version(version))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
        if let Ok(version) = text.parse() {
            return Ok(Moment::Version(version));
        }
        LogTime::deserialize(de::value::StrDeserializer::new(text)).map(Moment::Time)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let time = generator.subschema_for::<LogTime>();
        json_schema!({ "anyOf": [time, {
            "type": "integer", "minimum": 0, "description": "Number of a transaction."
        }] })
    }
}

/// An account's balances at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BalanceAtOutcome {
    /// The account's id.
    pub account: Id,
    /// What it counts.
    pub asset: Asset,
    /// Number of its last change by then; 0 when there was none, nor perhaps the account.
    pub change: u64,
    /// The transaction that made that change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// When it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<LogTime>,
    /// The sums then.
    #[serde(flatten)]
    pub balances: Balances,
    /// `credits_posted - debits_posted` then.
    pub balance: Amount,
}

/// Why there is no answer, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum BalanceAtRefusal {
    /// The time has not come: the balance could still change.
    TimeNotReached {
        /// Log time.
        now: LogTime,
    },
    /// It was never opened.
    AccountNotFound {
        /// Its id.
        account: Id,
    },
}

impl Refusal for BalanceAtRefusal {
    const ALL: &'static [RefusalInfo] = &[
        RefusalInfo {
            code: "time_not_reached",
            class: Class::Conflict,
            summary: "Log time has not come to the time asked for; the balance could still change.",
        },
        ACCOUNT_NOT_FOUND,
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::TimeNotReached { .. } => "time_not_reached",
            Self::AccountNotFound { .. } => ACCOUNT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::TimeNotReached { .. } => "/at",
            Self::AccountNotFound { .. } => "/account",
        })
    }
}

impl Command for BalanceAt {
    const NAME: &'static str = "ledger.balance_at";
    const SUMMARY: &'static str = "Shows the balances of an account at a past time or version.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/ledger/accounts/{account}/balance";
    type Spec = BalanceAtSpec;
    type Outcome = BalanceAtOutcome;
    type Refusal = BalanceAtRefusal;
}

impl Query for BalanceAt {
    fn run(
        state: &impl Read,
        spec: &BalanceAtSpec,
    ) -> Result<BalanceAtOutcome, Stop<BalanceAtRefusal>> {
        let now = state.now();
        if matches!(spec.at, Moment::Time(time) if time > now) {
            return Err(Stop::Refused(BalanceAtRefusal::TimeNotReached { now }));
        }
        let account = state.get::<Accounts>(spec.account.as_str())?;
        let refusal = || BalanceAtRefusal::AccountNotFound { account: spec.account.clone() };
        let account = account.ok_or_else(|| Stop::Refused(refusal()))?;
        let found = last_change(state, spec, account.changes)?;
        let balances = found.as_ref().map_or_else(Balances::default, |(_, row)| row.balances);
        Ok(BalanceAtOutcome {
            account: spec.account.clone(),
            asset: account.asset,
            change: found.as_ref().map_or(0, |(number, _)| *number),
            version: found.as_ref().map(|(_, row)| row.version.get()),
            time: found.as_ref().map(|(_, row)| row.time),
            balances,
            balance: balances.balance(),
        })
    }
}

/// The last of `changes` changes that is not after the moment.
fn last_change(
    state: &impl Read,
    spec: &BalanceAtSpec,
    changes: u64,
) -> Result<Option<(u64, HistoryRow)>, Abort> {
    // Change `below` is not after the moment (or is 0), change `above` is (or is none).
    let (mut below, mut above) = (0, changes.saturating_add(1));
    let mut found = None;
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        let row = state.get::<History>((spec.account.as_str(), middle))?;
        let row = row.ok_or_else(|| {
            let what = format!("change {middle} of account {} is not there", spec.account);
            Abort::Store(StoreError::Doubt { what })
        })?;
        let is_after = match spec.at {
            Moment::Time(time) => row.time > time,
            Moment::Version(version) => row.version.get() > version,
        };
        if is_after {
            above = middle;
        } else {
            below = middle;
            found = Some((middle, row));
        }
    }
    Ok(found)
}
