//! Commands of `transactions`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod run;

pub use run::{Mode, TransactionOutcome, TransactionSpec};
