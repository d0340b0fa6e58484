//! `leases.list`: the leases that somebody holds, by id, page by page.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{get::Grant, row::Leases, standing::Held};
use crate::ties::Known;

/// The command.
#[derive(Debug)]
pub struct ListLeases;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLeasesSpec {
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many leases at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of leases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeasesPage {
    /// The leases, by id.
    pub leases: Vec<HeldLease>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

/// A lease that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldLease {
    /// Its id.
    pub id: Id,
    /// How many wait for it.
    pub waiting: u32,
    /// Its grant.
    #[serde(flatten)]
    pub grant: Grant,
}

impl Command for ListLeases {
    const NAME: &'static str = "leases.list";
    const SUMMARY: &'static str = "Lists the leases that are held, in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/leases";
    type Spec = ListLeasesSpec;
    type Outcome = LeasesPage;
    type Refusal = Never;
}

impl Query for ListLeases {
    fn run(state: &impl Read, spec: &ListLeasesSpec) -> Result<LeasesPage, Stop<Never>> {
        let cursor = spec.cursor.as_ref().map(Id::as_str);
        let page = page::<Leases>(state, &(), cursor, spec.limit)?;
        let (mut leases, mut last) = (Vec::with_capacity(page.rows.len()), None);
        let mut known = Known::default();
        for found in page.rows {
            let id = found.key().id().map_err(|_| bad_key::<Leases>())?;
            last = Some(id.clone());
            if let Ok(held) = Held::of(state, &mut known, found.row)? {
                let (waiting, grant) = (held.row.waiting, Grant::of(&held));
                leases.push(HeldLease { id, waiting, grant });
            }
        }
        Ok(LeasesPage { leases, next: last.filter(|_| page.more) })
    }
}
