//! Documents, leases and limits as others use them: by their registry, and by their functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documents;
mod leases;
mod limits;
