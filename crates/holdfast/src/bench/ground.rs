//! Where the data of a bench is: files, or a log on PostgreSQL with the rest in files.
//!
//! A server is this bench's own, made and removed with it, alone or with synchronous standbys; or one
//! that runs, in which the bench makes tables of its own and drops them. Either way it is as durable as
//! its settings say, and those are printed.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context as _, ensure};
use holdfast_log::{Durability, Log};
use holdfast_log_postgres::{
    PostgresLog, PostgresOptions,
    bare::{Bare, remove_tables},
    server::{Binaries, Cluster, Server},
};
use holdfast_node::{OpenLog, SharedStorage, Storage};
use tempfile::TempDir;

use super::measure::Latencies;

/// What the log of a bench lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogKind {
    /// Files, synced before every answer.
    Files,
    /// Tables of a PostgreSQL.
    Postgres,
}

/// What the command line says of it.
#[derive(Debug, clap::Args)]
pub(super) struct GroundArgs {
    /// What the log lies in.
    #[arg(long, value_enum, default_value_t = LogKind::Files)]
    log: LogKind,
    /// Synchronous standbys of the bench's own PostgreSQL, of which each commit waits for one.
    #[arg(long, default_value_t = 0)]
    standbys: usize,
    /// A PostgreSQL that runs, instead of one of the bench's own.
    #[arg(long, value_name = "SERVERS", conflicts_with = "standbys")]
    postgres: Option<String>,
    /// Where to put the data; a fresh directory below it is made and removed.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// A place for the data of one part of a bench; gone when it is dropped.
pub(super) struct Ground {
    postgres: Option<Postgres>,
    dir: TempDir,
    /// How many logs were made here.
    logs: Cell<u32>,
}

struct Postgres {
    servers: String,
    least: Durability,
    /// The tables of each log have names of their own.
    prefixes: String,
    own: Own,
}

/// Servers end with the bench that made them.
enum Own {
    Alone { _server: Box<Server> },
    Standbys { _cluster: Box<Cluster> },
    Nothing,
}

impl GroundArgs {
    pub(super) const fn log(&self) -> LogKind {
        self.log
    }

    /// A fresh directory.
    pub(super) fn scratch(&self) -> anyhow::Result<TempDir> {
        let dir = tempfile::Builder::new().prefix("holdfast-bench-").tempdir_in(&self.dir);
        dir.with_context(|| format!("making a directory in {}", self.dir.display()))
    }

    pub(super) fn ground(&self) -> anyhow::Result<Ground> {
        let dir = self.scratch()?;
        let postgres = match self.log {
            LogKind::Files => None,
            LogKind::Postgres => Some(self.postgres(dir.path())?),
        };
        Ok(Ground { postgres, dir, logs: Cell::new(0) })
    }

    fn postgres(&self, dir: &Path) -> anyhow::Result<Postgres> {
        let prefixes = format!("holdfast_bench_{}", std::process::id());
        let found = |servers, own| {
            let least = if self.standbys > 0 { Durability::QuorumFsync } else { Durability::Fsync };
            Postgres { servers, least, prefixes, own }
        };
        if let Some(servers) = &self.postgres {
            return Ok(found(servers.clone(), Own::Nothing));
        }
        let binaries = Binaries::find()
            .context("PostgreSQL is not installed; --postgres names one that runs")?;
        if self.standbys == 0 {
            let server = Box::new(Server::create(&binaries, dir, "n0", &[])?);
            return Ok(found(server.connection(), Own::Alone { _server: server }));
        }
        let cluster = Box::new(Cluster::create(&binaries, dir, self.standbys)?);
        Ok(found(cluster.connection(), Own::Standbys { _cluster: cluster }))
    }
}

impl Ground {
    /// A directory for what is not the log, and for the log where that is in files.
    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A new log, and an empty directory for what a node derives from it.
    pub(super) fn storage(&self) -> anyhow::Result<Storage> {
        let number = self.logs.get();
        self.logs.set(number + 1);
        let directory = self.dir.path().join(format!("data-{number}"));
        let Some(postgres) = &self.postgres else { return Ok(Storage::Directory(directory)) };
        let snapshots = self.dir.path().join(format!("snapshots-{number}"));
        std::fs::create_dir(&snapshots)?;
        let options = PostgresOptions {
            prefix: format!("{}_{number}", postgres.prefixes),
            durability: postgres.least,
            ..PostgresOptions::new(postgres.servers.clone())
        };
        let open: OpenLog =
            Arc::new(move || Ok(Arc::new(PostgresLog::open(options.clone())?) as Arc<dyn Log>));
        Ok(Storage::Shared(SharedStorage { directory, snapshots, open }))
    }

    /// What it stands on, for people.
    pub(super) fn described(&self) -> anyhow::Result<String> {
        let Some(postgres) = &self.postgres else {
            return Ok("log in files, fdatasync before every answer".to_owned());
        };
        let bare = postgres.bare("asked")?;
        let names = ["server_version", "fsync", "synchronous_commit", "synchronous_standby_names"];
        let said: Result<Vec<_>, _> = names
            .iter()
            .map(|name| bare.setting(name).map(|value| format!("{name} {value:?}")))
            .collect();
        let said = said?.join(", ");
        bare.remove()?;
        Ok(format!("log on PostgreSQL, {said}"))
    }

    /// What the bare thing under the log takes for so many bytes, one after the other until
    /// `latencies` has run for so long; nothing where the log is in files.
    pub(super) fn bare_insert(
        &self,
        bytes: usize,
        enough: impl Fn(&Latencies) -> bool,
    ) -> anyhow::Result<Latencies> {
        let postgres = self.postgres.as_ref().context("a bare INSERT wants a PostgreSQL")?;
        let bare = postgres.bare("bare")?;
        let payload = vec![0x5A; bytes];
        let mut latencies = Latencies::start();
        while !enough(&latencies) {
            let begun = Instant::now();
            bare.insert(&payload)?;
            latencies.record(begun.elapsed());
        }
        latencies.stop();
        bare.remove()?;
        Ok(latencies)
    }

    /// What `serve` is told of the log.
    pub(super) fn serve_args(&self) -> anyhow::Result<Vec<String>> {
        let Some(postgres) = &self.postgres else { return Ok(Vec::new()) };
        let snapshots = self.dir.path().join("snapshots");
        std::fs::create_dir_all(&snapshots)?;
        let snapshots = snapshots.to_str().context("a path that is not UTF-8")?.to_owned();
        // It has the tables' usual names, which nothing else of a bench's own server has.
        ensure!(
            !matches!(postgres.own, Own::Nothing),
            "a server process wants a PostgreSQL of the bench's own"
        );
        Ok(vec![
            "--postgres".to_owned(),
            postgres.servers.clone(),
            "--snapshots".to_owned(),
            snapshots,
        ])
    }
}

impl Postgres {
    fn bare(&self, table: &str) -> anyhow::Result<Bare> {
        Ok(Bare::create(&self.servers, &format!("{}_{table}", self.prefixes))?)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let Some(postgres) = &self.postgres else { return };
        if !matches!(postgres.own, Own::Nothing) {
            return;
        }
        for number in 0..self.logs.get() {
            let prefix = format!("{}_{number}", postgres.prefixes);
            if let Err(error) = remove_tables(&postgres.servers, &prefix) {
                eprintln!("the tables {prefix}_* are left: {error}");
            }
        }
    }
}
