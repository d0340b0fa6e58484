//! Conditions on a document's version, and what is said where one does not hold.

use holdfast_state::{Id, IfMatch, IfNoneMatch, Version};
use serde::Serialize;

/// The condition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// That it is there, at this version.
    IfMatch,
    /// That it is not there.
    IfNoneMatch,
}

impl Condition {
    /// JSON Pointer to the field of the spec.
    #[must_use]
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::IfMatch => "/if_match",
            Self::IfNoneMatch => "/if_none_match",
        }
    }
}

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

/// The first condition that does not hold of the version that was found.
pub(super) fn unmet(
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
    found: Option<Version>,
) -> Option<Condition> {
    if if_match.is_some_and(|condition| !condition.holds(found)) {
        return Some(Condition::IfMatch);
    }
    let exists = if_none_match.is_some_and(|condition| !condition.holds(found));
    exists.then_some(Condition::IfNoneMatch)
}
