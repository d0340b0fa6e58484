//! The write-once log: the one thing in Holdfast that remembers.
//!
//! A log is an address space of positions 1, 2, 3 …, each of which takes at most one entry, for
//! ever. [`Log`] is the whole seam: a conditional put, a read, a tail and a trim. Whoever wants to
//! lead puts a claim at the first hole; whoever reads runs the same [`Reader`] over what the
//! positions hold and so agrees with everyone else about which entries count.
//!
//! In reading order:
//! * [`position`], [`epoch`], [`identity`] – the coordinates;
//! * [`log`], [`error`], [`blocking`] – the seam, what it refuses, and how to wait for it;
//! * [`entry`] – the bytes of one position; [`reader`] – which of them count;
//! * [`memory`] – a log for tests and simulation; [`mod@file`] – the durable log of one process;
//! * [`disk`] – the few operations the file log asks of a disk, real or failing on purpose;
//! * [`conformance`] – the suite that every log passes.
//!
//! This crate has no tokio, no clock and no HTTP; it knows neither transactions nor state.

pub mod blocking;
pub mod conformance;
pub mod disk;
pub mod entry;
pub mod epoch;
pub mod error;
pub mod file;
pub mod identity;
pub mod log;
pub mod memory;
pub mod position;
pub mod provenance;
pub mod reader;

pub use disk::{Disk, FaultDisk, RealDisk};
pub use entry::{Body, Claim, Entry, EntryBuilder, EntryError, EntryHeader};
pub use epoch::{Epoch, Nonce};
pub use error::LogError;
pub use file::{FileLog, FileLogOptions, FileLogStats, Spare};
pub use identity::{Hash, LogId};
pub use log::{Append, Done, Durability, Log, LogServer, Properties, Read, Waited};
pub use memory::MemoryLog;
pub use position::Position;
pub use provenance::Provenance;
pub use reader::{ChainBroken, DeadReason, Reader, ReaderState, Step};
