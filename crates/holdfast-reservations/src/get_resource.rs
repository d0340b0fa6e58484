//! `reservations.get_resource`: a resource; and [`Resource`], which every command
//! about resources answers with.

use holdfast_state::{
    Abort, Id, LogTime, Metadata, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Stock,
    refusals::RESOURCE_NOT_FOUND,
    row::{Kind, ResourceMetadata, ResourceRow, Resources},
};

/// The command.
#[derive(Debug)]
pub struct GetResource;

/// Which resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetResourceSpec {
    /// Its id.
    pub id: Id,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resource {
    /// Its id.
    pub id: Id,
    /// What it has stock of.
    pub kind: Kind,
    /// Its stock; of one with nights, that of each night without a stock of its own.
    pub stock: Stock,
    /// How many waitlist entries wait for it.
    pub waiting: u64,
    /// The transaction that changed it or its waitlist last.
    pub version: u64,
    /// When it was created.
    pub created_at: LogTime,
    /// The caller's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

impl Resource {
    /// The resource `id`, with its metadata looked up.
    pub(crate) fn of(state: &impl Read, id: &Id, row: &ResourceRow) -> Result<Self, Abort> {
        Ok(Self::with_metadata(id, row, state.get::<ResourceMetadata>(id.as_str())?))
    }

    pub(crate) fn with_metadata(id: &Id, row: &ResourceRow, metadata: Option<Metadata>) -> Self {
        Self {
            id: id.clone(),
            kind: row.kind,
            stock: row.stock,
            waiting: row.waiting,
            version: row.version.get(),
            created_at: row.created_at,
            metadata,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum GetResourceRefusal {
    /// It was never created.
    ResourceNotFound {
        /// Its id.
        resource: Id,
    },
}

impl Refusal for GetResourceRefusal {
    const ALL: &'static [RefusalInfo] = &[RESOURCE_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::ResourceNotFound { .. } => RESOURCE_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for GetResource {
    const NAME: &'static str = "reservations.get_resource";
    const SUMMARY: &'static str = "Shows a resource.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/reservations/resources/{id}";
    type Spec = GetResourceSpec;
    type Outcome = Resource;
    type Refusal = GetResourceRefusal;
}

impl Query for GetResource {
    fn run(
        state: &impl Read,
        spec: &GetResourceSpec,
    ) -> Result<Resource, Stop<GetResourceRefusal>> {
        let row = state.get::<Resources>(spec.id.as_str())?;
        let refusal = || GetResourceRefusal::ResourceNotFound { resource: spec.id.clone() };
        let row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        Ok(Resource::of(state, &spec.id, &row)?)
    }
}
