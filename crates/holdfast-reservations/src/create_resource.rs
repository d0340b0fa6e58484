//! `reservations.create_resource`: something to reserve comes to be.
//!
//! Its kind and metadata never change; its stock does, by
//! [`resize_resource`](crate::resize_resource). Creating it again in the same words
//! answers with the resource as it is now; in other words it is refused.

use holdfast_state::{
    Id, Metadata, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Stock,
    get_resource::Resource,
    refusals::RESOURCE_EXISTS,
    row::{Kind, ResourceMetadata, ResourceRow, Resources},
};

/// The command.
#[derive(Debug)]
pub struct CreateResource;

/// Which resource, and of what there is how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateResourceSpec {
    /// Its id.
    pub id: Id,
    /// What it has stock of.
    pub kind: Kind,
    /// How many there are; of a resource with nights, on each night.
    pub stock: Stock,
    /// The caller's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
}

/// The resource is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CreateResourceOutcome {
    /// Always the same.
    pub outcome: Created,
    /// It had been created before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// The resource as it is now.
    #[serde(flatten)]
    pub resource: Resource,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// The resource was created.
    Created,
}

/// Why a resource is not created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CreateResourceRefusal {
    /// It was created in other words.
    ResourceExists {
        /// Its id.
        resource: Id,
        /// What differs.
        field: &'static str,
    },
}

impl Refusal for CreateResourceRefusal {
    const ALL: &'static [RefusalInfo] = &[RESOURCE_EXISTS];

    fn code(&self) -> &'static str {
        match self {
            Self::ResourceExists { .. } => RESOURCE_EXISTS.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for CreateResource {
    const NAME: &'static str = "reservations.create_resource";
    const SUMMARY: &'static str = "Creates a resource: units, or nights.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/reservations/resources";
    type Spec = CreateResourceSpec;
    type Outcome = CreateResourceOutcome;
    type Refusal = CreateResourceRefusal;
}

impl Write for CreateResource {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CreateResourceSpec,
    ) -> Result<CreateResourceOutcome, Stop<CreateResourceRefusal>> {
        let key = spec.id.as_str();
        if let Some(row) = tx.get::<Resources>(key)? {
            return existing(tx, spec, &row);
        }
        let row = ResourceRow {
            kind: spec.kind,
            stock: spec.stock,
            stock_created: spec.stock,
            version: tx.version(),
            created_at: tx.now(),
            waiting: 0,
            tickets: 0,
            sweep: None,
            unknown: Unknown::default(),
        };
        tx.put::<Resources>(key, &row)?;
        if let Some(metadata) = &spec.metadata {
            tx.put::<ResourceMetadata>(key, metadata)?;
        }
        let resource = Resource::with_metadata(&spec.id, &row, spec.metadata.clone());
        Ok(CreateResourceOutcome { outcome: Created::Created, existed: false, resource })
    }
}

/// The resource that has the id already: the same one? Its stock may have changed
/// since.
fn existing(
    tx: &Tx<'_>,
    spec: &CreateResourceSpec,
    row: &ResourceRow,
) -> Result<CreateResourceOutcome, Stop<CreateResourceRefusal>> {
    let resource = Resource::of(tx, &spec.id, row)?;
    let field = match () {
        () if resource.kind != spec.kind => "kind",
        () if row.stock_created != spec.stock => "stock",
        () if resource.metadata != spec.metadata => "metadata",
        () => {
            return Ok(CreateResourceOutcome {
                outcome: Created::Created,
                existed: true,
                resource,
            });
        }
    };
    Err(Stop::Refused(CreateResourceRefusal::ResourceExists { resource: spec.id.clone(), field }))
}
