//! `reservations.get_resource`: Shows a resource.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::reservations::Resource,
    command::{Command, Kind, Method, encode},
};

/// Which resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetResourceSpec {
    /// Its id.
    pub id: String,
}

impl GetResourceSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl Command for GetResourceSpec {
    type Outcome = Resource;
    const NAME: &'static str = "reservations.get_resource";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/reservations/resources/{}", encode(&self.id))
    }
}
