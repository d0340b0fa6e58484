//! What programs agree upon: shared state with versions, and who may act.
//!
//! [`documents`] is JSON under a collection and an id, changed under conditions on its
//! version. [`leases`] says who may act, for how long, and gives proof of it. [`limits`]
//! says how much of something whom is allowed in how much time. [`sessions`] keep leases
//! and documents alive together, and end them together.
//!
//! Each folder has its own commands, tables and refusals. Documents, leases and limits
//! import none of the others; [`ties`] is what documents and leases know of sessions, and
//! sessions know both.

pub mod documents;
pub mod leases;
pub mod limits;
pub mod sessions;
pub mod ties;
