//! Schemas of a topic: what data of its messages must be, version by version.
//!
//! The latest version that is there judges every message that is appended. A new version is
//! compared with the one before, or with all of them ([`Compatibility`]), so that those who
//! read with the one can read what was written under the other; a comparison that cannot be
//! told is refused like one that fails, and says so. A number is given once, whatever is
//! deleted.
//!
//! Read in this order: [`text`], [`compatibility`] (values), [`row`], `known` (compiled
//! schemas, kept outside the state), `checking` (of messages); [`register`], [`configure`],
//! [`get`], [`list`], [`delete`].

mod checking;
pub mod compatibility;
pub mod configure;
pub mod delete;
pub mod get;
mod known;
pub mod list;
pub mod register;
pub mod row;
pub mod text;

pub(super) use checking::{Checking, Violation};
pub use compatibility::Compatibility;
pub use text::SchemaText;
