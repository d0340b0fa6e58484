//! `ledger.history`: the changes of an account, page by page.
//!
//! Each change has the balances after it. Changes are numbered from 1 without
//! gaps, so a page read later never misses one: newest first, a cursor goes on
//! towards older ones; oldest first, the last page's cursor finds what came since.

use std::fmt;

use holdfast_state::{
    Amount, Id, LogTime, Read, Scan, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::{Order, PageSize},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    Balances,
    account::ACCOUNT_NOT_FOUND,
    balances::{Event, Side},
    row::{Accounts, History, HistoryRow},
};

/// The command.
#[derive(Debug)]
pub struct ShowHistory;

/// Which page of which account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowHistorySpec {
    /// The account's id.
    pub account: Id,
    /// Which end comes first.
    #[serde(default)]
    pub order: Order,
    /// `next` of the page before, read in the same order; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
    /// How many changes at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A place in an account's history: the number of the last change seen. Opaque
/// to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h{:x}", self.0)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        let number = text.strip_prefix('h').and_then(|hex| u64::from_str_radix(hex, 16).ok());
        number.map(Self).ok_or_else(|| de::Error::custom("not a cursor of a history"))
    }
}

impl JsonSchema for Cursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HistoryCursor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Opaque; taken from the page before." })
    }
}

/// A page of an account's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HistoryPage {
    /// The account's id.
    pub account: Id,
    /// The changes, in the order asked.
    pub changes: Vec<Change>,
    /// Cursor of the next page. Newest first it is absent on the last page; oldest
    /// first it is absent only when nothing was read yet, since more may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// 1 for the account's first.
    pub number: u64,
    /// The transfer.
    pub transfer: Id,
    /// What happened to it.
    pub event: Event,
    /// Which side of the account it touches.
    pub side: Side,
    /// How much was posted, set aside, or given back.
    pub amount: Amount,
    /// The transaction.
    pub version: u64,
    /// When.
    pub time: LogTime,
    /// The account's sums after it.
    #[serde(flatten)]
    pub balances: Balances,
    /// `credits_posted - debits_posted` after it.
    pub balance: Amount,
}

impl Change {
    fn of(number: u64, row: HistoryRow) -> Self {
        Self {
            number,
            transfer: row.transfer,
            event: row.event,
            side: row.side,
            amount: row.amount,
            version: row.version.get(),
            time: row.time,
            balances: row.balances,
            balance: row.balances.balance(),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ShowHistoryRefusal {
    /// It was never opened.
    AccountNotFound {
        /// Its id.
        account: Id,
    },
}

impl Refusal for ShowHistoryRefusal {
    const ALL: &'static [RefusalInfo] = &[ACCOUNT_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::AccountNotFound { .. } => ACCOUNT_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/account")
    }
}

impl Command for ShowHistory {
    const NAME: &'static str = "ledger.history";
    const SUMMARY: &'static str =
        "Lists the changes of an account, each with the balances after it.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/ledger/accounts/{account}/history";
    type Spec = ShowHistorySpec;
    type Outcome = HistoryPage;
    type Refusal = ShowHistoryRefusal;
}

impl Query for ShowHistory {
    fn run(
        state: &impl Read,
        spec: &ShowHistorySpec,
    ) -> Result<HistoryPage, Stop<ShowHistoryRefusal>> {
        let account = spec.account.as_str();
        let row = state.get::<Accounts>(account)?;
        let refusal = || ShowHistoryRefusal::AccountNotFound { account: spec.account.clone() };
        let end = row.ok_or_else(|| Stop::Refused(refusal()))?.changes.saturating_add(1);
        let seen = spec.cursor.map(|cursor| cursor.0);
        let (from, to, scan) = match spec.order {
            Order::Newest => {
                (1, seen.map_or(end, |number| number.min(end)), Scan::down(spec.limit.rows()))
            }
            Order::Oldest => {
                (seen.unwrap_or(0).saturating_add(1), end, Scan::up(spec.limit.rows()))
            }
        };
        let rows = state.range::<History>(&(account, from), &(account, to), scan)?;
        // Numbers have no gaps, so the first one tells the others.
        let number = |index: u64| match spec.order {
            Order::Newest => to - 1 - index,
            Order::Oldest => from + index,
        };
        let changes: Vec<Change> =
            (0u64..).zip(rows).map(|(index, found)| Change::of(number(index), found.row)).collect();
        let last = changes.last().map(|change| change.number);
        let next = match spec.order {
            Order::Newest => last.filter(|number| *number > 1),
            Order::Oldest => last.or(seen),
        };
        Ok(HistoryPage { account: spec.account.clone(), changes, next: next.map(Cursor) })
    }
}
