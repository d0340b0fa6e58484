//! The write-once log on PostgreSQL: a table with a primary key of partition and position.
//!
//! What a log promises ([`holdfast_log::log`]) is kept with plain statements; nothing rests on a
//! feature that only this vendor has.
//!
//! * **Write once** is the primary key. An append is an `INSERT … ON CONFLICT DO NOTHING`; whatever
//!   waits becomes the rows of one statement, several statements are under way at once.
//! * **Used stays used**: the same statement locks the trim mark `FOR SHARE` and puts nothing below
//!   it; a trim moves the mark first and deletes afterwards.
//! * **Durable** is what the server makes it: `fsync` alone, `quorum-fsync` where commits wait for
//!   named standbys. The settings are looked at on every connection and again every five seconds;
//!   `synchronous_commit = off` is refused.
//! * **Known durable.** A row that is *visible* need not be durable: after a crash a primary shows
//!   what its standbys never got, and a commit whose wait was given up is visible at once. So
//!   whatever is told of the table (`Taken`, `Entry`, `Trimmed`, a tail) is either known from this
//!   process's own acknowledged appends, or confirmed by a *barrier*: a synchronous write that
//!   began after it was seen, on the same connection, hence in the same life of the same server.
//! * **Ambiguity.** A lost answer is resolved by sending the same bytes again. No statement is
//!   cancelled or timed out, neither here nor by the server.
//! * **The right server.** Of all that are named, the one that takes writes with the highest
//!   timeline; one with a lower timeline than was ever seen, an old primary come back, is refused.
//!
//! The way of an append: `log` (the call) → `queue` → `append` (a worker, its statement, the
//! answers) on a session of a `link`, which `servers` finds and `session` looks at (`settings`,
//! `lineage`). `read` and `trim` are the other calls, `steward` and `wake` what followers wait on,
//! `known` what needs no barrier, `sql` and `schema` the tables. [`server`] starts real servers,
//! for tests, benches and demonstrations; [`bare`] is what a log is measured beside.

mod append;
mod backoff;
pub mod bare;
mod known;
mod lineage;
mod link;
mod log;
mod options;
mod pulse;
mod queue;
mod read;
mod reply;
mod schema;
pub mod server;
mod servers;
mod session;
mod settings;
mod sql;
mod sqlstate;
mod steward;
mod tls;
mod trim;
mod wake;

pub use lineage::{Lineage, LineageError};
pub use log::{MAX_POSITIONS_AHEAD, PostgresLog};
pub use options::PostgresOptions;
pub use tls::Tls;
