//! What is said where a condition on a document's version does not hold.

use holdfast_state::{Id, precondition::Condition};
use serde::Serialize;

/// A condition does not hold of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The document's collection.
    pub collection: Id,
    /// Its id.
    pub id: Id,
    /// Which condition.
    pub condition: Condition,
    /// The version it is at; absent when it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}
