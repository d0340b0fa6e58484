//! What programs agree upon: shared state with versions, and who may act.
//!
//! [`documents`] is JSON under a collection and an id, changed under conditions on its
//! version. [`leases`] says who may act, for how long, and gives proof of it. [`limits`]
//! says how much of something whom is allowed in how much time.
//!
//! Each folder has its own commands, tables and refusals, and imports no other.

pub mod documents;
pub mod leases;
pub mod limits;
