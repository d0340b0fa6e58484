//! Holdfast in your own process: its log, its primitives and tables of yours, in
//! transactions that are closures of yours.
//!
//! ```
//! use holdfast::{Intent, Namespace, Node, NodeConfig, Read as _, Stop, Storage};
//! use holdfast::{Table, TableId, command::Never};
//!
//! /// How often each guest came.
//! struct Visits;
//!
//! impl Table for Visits {
//!     const ID: TableId = TableId::OWN_FIRST;
//!     const NAME: &'static str = "hotel.visits";
//!     type Key<'k> = &'k str;
//!     type Row = u64;
//! }
//!
//! # let temporary = tempfile::tempdir()?;
//! # let directory = temporary.path().join("data");
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let node = Node::open(NodeConfig::new(Storage::Directory(directory)))?;
//! for _ in 0..2 {
//!     let intent = Intent::new("hotel.came", &"guest-42").keyed("arrival-7");
//!     let settled = node
//!         .transact(intent, |tx| -> Result<u64, Stop<Never>> {
//!             let visits = tx.get::<Visits>("guest-42")?.unwrap_or(0) + 1;
//!             tx.put::<Visits>("guest-42", &visits)?;
//!             Ok(visits)
//!         })
//!         .await?;
//!     assert_eq!(settled.result, Ok(1));
//! }
//! let view = node.view(Namespace::DEFAULT).await?;
//! assert_eq!(view.get::<Visits>("guest-42")?, Some(1));
//! assert_eq!(node.close(), holdfast::Stopped::Cleanly);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing is made here: these are names out of the crates that ARCHITECTURE.md tells of,
//! so that a program needs one of them. A node is opened ([`Node`]) on a directory or in
//! memory ([`Storage`]); [`Node::transact`] runs work that is named by an [`Intent`] and
//! answers with what it [`Settled`] on; [`Node::view`] reads. In the work, the functions
//! of [`ledger`], [`reservations`], [`topics`], [`documents`] and [`leases`] and the rows
//! of own [`Table`]s compose over [`Tx`]. [`Registry::with`] brings own commands, which [`http`] then serves.
//! docs/embedding.md says the rest; `examples/embedding.rs` is a program.
//!
//! A row derives `minicbor::{Encode, Decode}`, an outcome `serde::{Serialize, Deserialize}`,
//! a command's spec `schemars::JsonSchema` as well: of these crates a program needs its own
//! copies, of the versions that Holdfast uses. The binary's own dependencies are those of
//! the feature `cli`, which is on unless left out.

pub use holdfast_coordination::{documents, leases};
pub use holdfast_engine::{Config as EngineConfig, Decision, Failure as PartitionFailure, Stopped};
pub use holdfast_flow::topics;
pub use holdfast_http as http;
pub use holdfast_ledger as ledger;
pub use holdfast_log::{Durability, FileLogOptions, MemoryLog};
pub use holdfast_node::{
    At, Failure, Intent, KeyPart, Node, NodeConfig, OpenError, Primitive, Reason, Registry,
    Settled, Storage, TableInfo, TransactError,
};
pub use holdfast_reservations as reservations;
pub use holdfast_state::{
    Abort, Amount, Asset, Budget, Date, Id, IfMatch, IfNoneMatch, Lifetime, LogTime, Metadata,
    Namespace, Read, Scan, Stop, StoreError, Table, TableId, TimerHandler, TimerId, Tx, Version,
    View, command, key, row,
};

/// The program in the page is compiled and run as any example is.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
struct Page;
