//! Settings of a log on PostgreSQL, which several nodes share.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use holdfast_engine::{Leadership, Reads, Shared};
use holdfast_log::{Durability, Log};
use holdfast_log_postgres::{PostgresLog, PostgresOptions, Tls};
use holdfast_node::{OpenLog, SharedStorage, Storage};
use serde::{Deserialize, Serialize};

/// The file beside a node's data in which it records what the servers were like (P6).
const MEMO: &str = "postgres-lineage";

/// A log on PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PostgresConfig {
    /// Where the servers are and who we are: a URL or `key=value` words.
    pub(crate) servers: String,
    /// A directory that every node can read and write.
    pub(crate) snapshots: PathBuf,
    /// Authorities for TLS, which is off without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_authorities: Option<PathBuf>,
    /// What the tables' names begin with.
    prefix: String,
    /// The least that the servers must give.
    durability: LeastDurability,
    /// How long others leave a leader alone, in milliseconds.
    lease_ms: u64,
    /// Whether this node may lead.
    may_lead: bool,
    /// What linearizable reads rest on.
    reads: ReadsConfig,
}

/// [`Durability`], as far as PostgreSQL gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LeastDurability {
    Fsync,
    QuorumFsync,
}

/// [`Reads`]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReadsConfig {
    Confirmed,
    Lease,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        let options = PostgresOptions::new("");
        let Shared { lease_ms, may_lead, .. } = Shared::default();
        Self {
            servers: String::new(),
            snapshots: PathBuf::new(),
            tls_authorities: None,
            prefix: options.prefix,
            durability: LeastDurability::Fsync,
            lease_ms,
            may_lead,
            reads: ReadsConfig::Confirmed,
        }
    }
}

impl PostgresConfig {
    /// What no type can say.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.servers.is_empty() {
            return Err("no servers for the log: give --postgres SERVERS, HOLDFAST_POSTGRES or \
                        `postgres.servers`"
                .to_owned());
        }
        if self.snapshots.as_os_str().is_empty() {
            let why = "every node that may lead must be able to read snapshots";
            return Err(format!(
                "no directory for snapshots: give --snapshots DIR, HOLDFAST_SNAPSHOTS or \
                 `postgres.snapshots`; {why}"
            ));
        }
        if !(100..=600_000).contains(&self.lease_ms) {
            return Err("postgres.lease_ms is not between 100 and 600000".to_owned());
        }
        Ok(())
    }

    /// The log, for a node whose own data is in `directory`.
    pub(crate) fn storage(&self, directory: &Path) -> Storage {
        let mut options = PostgresOptions::new(self.servers.clone());
        options.prefix.clone_from(&self.prefix);
        options.memo = Some(directory.join(MEMO));
        options.durability = match self.durability {
            LeastDurability::Fsync => Durability::Fsync,
            LeastDurability::QuorumFsync => Durability::QuorumFsync,
        };
        if let Some(authorities) = &self.tls_authorities {
            options.tls = Tls::Verified { authorities: authorities.clone() };
        }
        let open: OpenLog =
            Arc::new(move || Ok(Arc::new(PostgresLog::open(options.clone())?) as Arc<dyn Log>));
        let (directory, snapshots) = (directory.to_owned(), self.snapshots.clone());
        Storage::Shared(SharedStorage { directory, snapshots, open })
    }

    /// How this node takes turns with the others.
    pub(super) fn leadership(&self) -> Leadership {
        let (lease_ms, may_lead) = (self.lease_ms, self.may_lead);
        Leadership::Shared(Shared { lease_ms, may_lead, ..Shared::default() })
    }

    pub(super) const fn reads(&self) -> Reads {
        match self.reads {
            ReadsConfig::Confirmed => Reads::Confirmed,
            ReadsConfig::Lease => Reads::Lease,
        }
    }
}
