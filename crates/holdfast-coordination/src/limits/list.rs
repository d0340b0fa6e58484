//! `limits.list`: limits by id, page by page.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{get::ShownLimit, row::Limits};

/// The command.
#[derive(Debug)]
pub struct ListLimits;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListLimitsSpec {
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many limits at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LimitsPage {
    /// The limits, by id.
    pub limits: Vec<ShownLimit>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

impl Command for ListLimits {
    const NAME: &'static str = "limits.list";
    const SUMMARY: &'static str = "Lists limits in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/limits";
    type Spec = ListLimitsSpec;
    type Outcome = LimitsPage;
    type Refusal = Never;
}

impl Query for ListLimits {
    fn run(state: &impl Read, spec: &ListLimitsSpec) -> Result<LimitsPage, Stop<Never>> {
        let cursor = spec.cursor.as_ref().map(Id::as_str);
        let page = page::<Limits>(state, &(), cursor, spec.limit)?;
        let mut limits = Vec::with_capacity(page.rows.len());
        for found in page.rows {
            let id = found.key().id().map_err(|_| bad_key::<Limits>())?;
            limits.push(ShownLimit::of(id, found.row));
        }
        let last = limits.last().map(|limit| limit.id.clone());
        Ok(LimitsPage { next: last.filter(|_| page.more), limits })
    }
}
