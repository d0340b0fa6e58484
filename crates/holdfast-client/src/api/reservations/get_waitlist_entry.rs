//! `reservations.get_waitlist_entry`: Shows a waitlist entry and what became of it.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use serde::Serialize;

use crate::{
    api::reservations::WaitlistEntry,
    command::{Command, Kind, Method, encode},
};

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GetWaitlistEntrySpec {
    /// Its id.
    pub id: String,
}

impl GetWaitlistEntrySpec {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl Command for GetWaitlistEntrySpec {
    type Outcome = WaitlistEntry;
    const NAME: &'static str = "reservations.get_waitlist_entry";
    const KIND: Kind = Kind::Query;
    const METHOD: Method = Method::Get;

    fn target(&self) -> String {
        format!("/v1/reservations/waitlist/{}", encode(&self.id))
    }
}
