//! A node: the partitions that run in this process.
//!
//! [`Node::open`] finds a data directory, opens its log, chooses the state to
//! begin with ([`recovery`]) and starts the partition; [`Node::execute`] is the
//! one path from a parsed call to its answer, for HTTP and for callers in this
//! process alike. Read in this order: [`at`], [`registry`] (what can be called),
//! [`transactions`] (calls composed of others), [`config`], [`data_dir`], [`recovery`],
//! [`crash_file`], [`node`], [`execute`], [`transact`] and [`reason`] (a program's own
//! transactions), and [`offline`] for looking at a data directory that no server has open.
//!
//! Invariants: nothing here knows HTTP; a data directory is open in one process
//! at a time; state that is in doubt is thrown away and rebuilt, never served.

pub mod at;
pub mod config;
pub mod consistency;
pub mod crash_file;
pub mod data_dir;
pub mod error;
pub mod execute;
pub mod node;
pub mod offline;
pub mod reason;
pub mod recovery;
pub mod registry;
pub mod transact;
pub mod transactions;

pub use at::{At, BadAt};
pub use config::{NodeConfig, OpenLog, SharedStorage, Storage};
pub use consistency::Consistency;
pub use crash_file::QuarantineFile;
pub use error::{LogPlace, OpenError};
pub use execute::{Ask, Failure, Render, Reply};
pub use node::Node;
pub use offline::{Offline, Reach};
pub use reason::Reason;
pub use registry::{KeyPart, Primitive, Registry, TableInfo};
pub use transact::{Intent, Settled, TransactError};
