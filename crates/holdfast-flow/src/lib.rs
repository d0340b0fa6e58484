//! What flows: messages in order, told in the transaction that they tell of.
//!
//! [`topics`] is ordered sequences of messages under a name: append, read from any place
//! on, share the reading in groups, or have messages given out by queues.
//!
//! Each folder has its own commands, tables and refusals, and imports no other, but for
//! [`json_schema`], which has none and judges data for topics.

pub mod json_schema;
pub mod topics;
