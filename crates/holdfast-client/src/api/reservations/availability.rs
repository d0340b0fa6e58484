//! `reservations.availability`: Shows what is left of a resource, night by night.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::{Deserialize, Serialize};

use crate::command::{Command, Kind, Method, Target, encode};

/// Of which resource, on which nights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AvailabilitySpec {
    /// The resource's id.
    pub resource: String,
    /// The first night, of a resource that has nights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The day of departure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl AvailabilitySpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(resource: impl Into<String>) -> Self {
        Self { resource: resource.into(), from: None, to: None }
    }
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Availability {
    /// The resource's id.
    pub resource: String,
    /// How many are left on every one of the nights: the least of them.
    pub available: u64,
    /// Night by night; one element without a night, of a resource that has none.
    pub levels: Vec<LevelView>,
}

/// A night, or the one level of a resource that has units. `available + held + sold =
/// stock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LevelView {
    /// How many there are.
    pub stock: u64,
    /// How many are held.
    pub held: u64,
    /// How many are sold.
    pub sold: u64,
    /// How many are left.
    pub available: u64,
    /// Which night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night: Option<String>,
}

impl Command for AvailabilitySpec {
    type Outcome = Availability;
    const NAME: &'static str = "reservations.availability";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        Target::at(format!("/v1/reservations/resources/{}/availability", encode(&self.resource)))
            .field("from", &self.from)
            .field("to", &self.to)
            .finish()
    }
}
