//! State: what a partition's log adds up to, and the only ways to read and
//! change it.
//!
//! A *transaction* is a closure over [`Tx`]. It reads through an [`Overlay`]
//! of evaluated but not yet durable writes down to a [`Store`], and what it
//! writes becomes *facts* ([`fact`]) in a batch that the engine appends to the
//! log. Only when the log has confirmed the batch is it applied to the store.
//! A [`View`] reads the store at one version, from any thread.
//!
//! Read in this order: [`version`], [`time`], [`lifetime`], [`date`], [`amount`],
//! [`asset`], [`id`], [`json`], [`metadata`], [`precondition`] (the values), [`key`], [`row`], [`unknown`],
//! [`table`], [`page`] (how rows are addressed), [`fact`] (what is logged),
//! [`store`], [`memory`], [`disk`] (where state lives), [`overlay`], [`tx`],
//! [`view`], [`timer`] (how it is used), [`command`] (how primitives offer what
//! they can do), [`mod@audit`], [`instrument`], [`tally`], [`frames`], [`snapshot`] (state as a stream), [`scenario`] (tests as text), [`fixture`] (rows of released formats).
//!
//! Invariants: no clock, no randomness, no tokio and, but for the two of the disk
//! store, no thread in here; what a transaction sees is a function of its inputs.
//! Versions are dense.

pub mod amount;
pub mod asset;
pub mod audit;
pub mod command;
pub mod date;
pub mod disk;
pub mod fact;
pub mod fixture;
pub mod frames;
pub mod id;
mod inline_key;
pub mod instrument;
pub mod json;
pub mod key;
mod key_index;
pub mod lifetime;
pub mod memory;
pub mod metadata;
pub mod overlay;
pub mod page;
pub mod precondition;
mod recent;
pub mod row;
pub mod scenario;
pub mod snapshot;
pub mod store;
pub mod table;
pub mod tally;
pub mod time;
pub mod timer;
pub mod tx;
pub mod unknown;
pub mod version;
pub mod view;

pub use amount::Amount;
pub use asset::Asset;
pub use date::Date;
pub use disk::{DiskOptions, DiskStore};
pub use fact::{Batch, BatchBuilder, Fact};
pub use id::Id;
pub use lifetime::Lifetime;
pub use memory::MemoryStore;
pub use metadata::Metadata;
pub use overlay::Overlay;
pub use precondition::{IfMatch, IfNoneMatch};
pub use store::{AllPairs, Mark, Scan, Snapshot, Snapshots, Source, Store, StoreError};
pub use table::{Namespace, Read, Table, TableId};
pub use time::LogTime;
pub use timer::{TimerHandler, TimerId};
pub use tx::{Abort, Budget, Savepoint, Stop, Tx, TxContext};
pub use version::Version;
pub use view::View;
