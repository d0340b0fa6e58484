//! Topics as others use them: by their registry, and by their functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod events;
mod fixtures;
mod groups;
mod json_schema;
mod model;
mod pages;
mod queues;
mod retention;
mod scenarios;
