//! What a log on PostgreSQL is told when it is opened.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use holdfast_log::{Durability, LogError};

use crate::tls::Tls;

/// The longest prefix of the tables' names, in bytes: PostgreSQL cuts names off at 63.
const PREFIX_BYTES_MAX: usize = 40;

/// How to reach the log, and what it must be. Begin with [`PostgresOptions::new`].
#[derive(Clone)]
pub struct PostgresOptions {
    /// Where the servers are and who we are, as a URL or as `key=value` words, in the manner of
    /// libpq. Several hosts may be named: the primary and its standbys, in any order.
    pub servers: String,
    /// Whether connections are encrypted. `sslmode` in `servers` is not looked at.
    pub tls: Tls,
    /// What the names of the tables begin with: logs of different prefixes share a database and
    /// nothing else. Lower-case letters, digits and `_`.
    pub prefix: String,
    /// Which of the logs in these tables this is.
    pub partition: u32,
    /// The least durability that a server must give: [`Durability::Fsync`] or
    /// [`Durability::QuorumFsync`]. What it gives when the log is opened is what the log declares
    /// and holds every later connection to.
    pub durability: Durability,
    /// The largest entry taken, in bytes.
    pub max_entry_bytes: usize,
    /// How many connections append. One more reads, one listens.
    pub connections: usize,
    /// How many bytes of appends may wait for a connection before more are refused.
    pub max_queued_bytes: usize,
    /// A file beside the node's other data in which the servers' lineage is recorded, so that the
    /// next life of this process refuses an old primary too. It belongs to this log alone.
    pub memo: Option<PathBuf>,
    /// How long a call goes on trying to find a server before it is answered
    /// [`LogError::Unavailable`]. A statement that a server has accepted is waited for however
    /// long it takes.
    pub patience: Duration,
}

impl PostgresOptions {
    /// A log at these servers, with everything else as most want it.
    #[must_use]
    pub fn new(servers: impl Into<String>) -> Self {
        Self {
            servers: servers.into(),
            tls: Tls::Off,
            prefix: "holdfast".to_owned(),
            partition: 0,
            durability: Durability::Fsync,
            max_entry_bytes: 4 << 20,
            connections: 4,
            max_queued_bytes: 64 << 20,
            memo: None,
            patience: Duration::from_secs(10),
        }
    }

    pub(crate) fn check(&self) -> Result<(), LogError> {
        let bad = |what: &str| Err(LogError::BadOptions { what: what.to_owned() });
        let begins = self.prefix.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !begins || !self.prefix.chars().all(plain) || self.prefix.len() > PREFIX_BYTES_MAX {
            return bad("prefix: up to 40 of a-z, 0-9 and _, not beginning with a digit");
        }
        if !matches!(self.durability, Durability::Fsync | Durability::QuorumFsync) {
            return bad("durability: PostgreSQL gives fsync or quorum-fsync");
        }
        if self.connections == 0 || self.connections > 64 {
            return bad("connections: 1 to 64");
        }
        if self.max_entry_bytes > 256 << 20 {
            return bad("max_entry_bytes: at most 256 MiB, since rows are at most 1 GiB as text");
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresOptions {
    /// Without `servers`, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("prefix", &self.prefix)
            .field("partition", &self.partition)
            .field("durability", &self.durability)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_work_are_refused() {
        let good = PostgresOptions::new("host=a password=hush");
        assert!(good.check().is_ok());
        assert!(!format!("{good:?}").contains("hush"));
        for prefix in ["", "1a", "A", "a-b", "a\"b", &"a".repeat(41)] {
            let bad = PostgresOptions { prefix: prefix.to_owned(), ..good.clone() };
            assert!(matches!(bad.check(), Err(LogError::BadOptions { .. })), "{prefix:?}");
        }
        let memory = PostgresOptions { durability: Durability::Memory, ..good.clone() };
        assert!(matches!(memory.check(), Err(LogError::BadOptions { .. })));
        let none = PostgresOptions { connections: 0, ..good };
        assert!(matches!(none.check(), Err(LogError::BadOptions { .. })));
    }
}
