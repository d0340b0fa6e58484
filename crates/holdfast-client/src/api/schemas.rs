//! Commands of `schemas`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod configure;
mod delete;
mod get;
mod list;
mod register;

use serde::{Deserialize, Serialize};

use crate::json::Json;

pub use configure::{ConfigureSchemasOutcome, ConfigureSchemasSpec, Configured};
pub use delete::{DeleteSchemaOutcome, DeleteSchemaSpec, Deleted};
pub use get::GetSchemaSpec;
pub use list::{ListSchemasSpec, TopicSchemas};
pub use register::{RegisterSchemaOutcome, RegisterSchemaSpec, Registered};

/// Who can read what, from one version to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compatibility {
    /// Nothing is compared.
    None,
    /// Who reads with the new version can read what was written under the latest.
    Backward,
    /// As `backward`, of all versions that are there.
    BackwardTransitive,
    /// Who reads with the latest version can read what is written under the new one.
    Forward,
    /// As `forward`, of all versions that are there.
    ForwardTransitive,
    /// Both ways.
    Full,
    /// Both ways, of all versions that are there.
    FullTransitive,
}

/// A schema of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RegisteredSchema {
    /// Its number.
    pub number: u64,
    /// When it was registered.
    pub registered_at: String,
    /// What it says.
    pub schema: Json,
}
