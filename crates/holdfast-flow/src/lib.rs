//! What flows: messages in order, told in the transaction that they tell of.
//!
//! [`topics`] is an ordered sequence of messages under a name: append, and read from
//! any place on.
//!
//! Each folder has its own commands, tables and refusals, and imports no other.

pub mod topics;
