//! `reservations.waitlist`: those who wait for a resource, in order, page by page.

use holdfast_state::{
    Id, Read, Stop, StoreError,
    command::{Command, Method, Query, Refusal, RefusalInfo},
    page::{PageSize, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    get_waitlist_entry::WaitlistEntry,
    refusals::RESOURCE_NOT_FOUND,
    row::{Entries, Queue, Resources},
};

/// The command.
#[derive(Debug)]
pub struct ShowWaitlist;

/// Which page of whose waitlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowWaitlistSpec {
    /// The resource's id.
    pub resource: Id,
    /// `next` of the page before: a ticket; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// How many entries at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of a waitlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitlistPage {
    /// The resource's id.
    pub resource: Id,
    /// Those who wait, the first in line first.
    pub entries: Vec<WaitlistEntry>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ShowWaitlistRefusal {
    /// The resource was never created.
    ResourceNotFound {
        /// Its id.
        resource: Id,
    },
}

impl Refusal for ShowWaitlistRefusal {
    const ALL: &'static [RefusalInfo] = &[RESOURCE_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::ResourceNotFound { .. } => RESOURCE_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/resource")
    }
}

impl Command for ShowWaitlist {
    const NAME: &'static str = "reservations.waitlist";
    const SUMMARY: &'static str = "Lists those who wait for a resource, in order.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/reservations/resources/{resource}/waitlist";
    type Spec = ShowWaitlistSpec;
    type Outcome = WaitlistPage;
    type Refusal = ShowWaitlistRefusal;
}

impl Query for ShowWaitlist {
    fn run(
        state: &impl Read,
        spec: &ShowWaitlistSpec,
    ) -> Result<WaitlistPage, Stop<ShowWaitlistRefusal>> {
        let resource = spec.resource.as_str();
        if state.get::<Resources>(resource)?.is_none() {
            let resource = spec.resource.clone();
            return Err(Stop::Refused(ShowWaitlistRefusal::ResourceNotFound { resource }));
        }
        let cursor = spec.cursor.map(|ticket| (resource, ticket));
        let page = page::<Queue>(state, &(resource,), cursor, spec.limit)?;
        let mut entries = Vec::with_capacity(page.rows.len());
        for place in page.rows {
            let id = place.row.entry;
            let row = state.get::<Entries>(id.as_str())?;
            let row = row.ok_or_else(|| StoreError::Doubt {
                what: format!("the waitlist entry {id} is not there"),
            });
            entries.push(WaitlistEntry::of(state, id, row.map_err(holdfast_state::Abort::from)?)?);
        }
        let next = entries.last().filter(|_| page.more).map(|entry| entry.ticket);
        Ok(WaitlistPage { resource: spec.resource.clone(), entries, next })
    }
}
