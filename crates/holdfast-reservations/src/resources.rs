//! `reservations.resources`: all resources, page by page, in the order of their ids.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::{PageSize, bad_key, page},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{get_resource::Resource, row::Resources};

/// The command.
#[derive(Debug)]
pub struct ListResources;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListResourcesSpec {
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many resources at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResourcesPage {
    /// The resources, by id.
    pub resources: Vec<Resource>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

impl Command for ListResources {
    const NAME: &'static str = "reservations.resources";
    const SUMMARY: &'static str = "Lists resources in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/reservations/resources";
    type Spec = ListResourcesSpec;
    type Outcome = ResourcesPage;
    type Refusal = Never;
}

impl Query for ListResources {
    fn run(state: &impl Read, spec: &ListResourcesSpec) -> Result<ResourcesPage, Stop<Never>> {
        let cursor = spec.cursor.as_ref().map(Id::as_str);
        let page = page::<Resources>(state, &(), cursor, spec.limit)?;
        let mut resources = Vec::with_capacity(page.rows.len());
        for resource in &page.rows {
            let id = resource.key().id().map_err(|_| bad_key::<Resources>())?;
            resources.push(Resource::of(state, &id, &resource.row)?);
        }
        let next = resources.last().filter(|_| page.more).map(|resource| resource.id.clone());
        Ok(ResourcesPage { resources, next })
    }
}
