//! `limits.get`: Shows a limit and its rules.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::limits::ShownLimit,
    command::{Command, Kind, Method, encode},
};

/// Which limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetLimitSpec {
    /// Its id.
    pub id: String,
}

impl GetLimitSpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl Command for GetLimitSpec {
    type Outcome = ShownLimit;
    const NAME: &'static str = "limits.get";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/limits/{}", encode(&self.id))
    }
}
