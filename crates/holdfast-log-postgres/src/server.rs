//! Real PostgreSQL servers in a directory, for tests, benches and demonstrations.
//!
//! A [`Server`] is made by `initdb` or `pg_basebackup`, runs as a child of this process on a free
//! port of loopback, and is killed when it is dropped. PostgreSQL refuses to run as root, so a
//! process of root runs it as the user `postgres`. [`Cluster`] is a primary with synchronous
//! standbys that can be made to fail over. Authentication is off: nothing of this is for real data.

mod binaries;
mod cluster;
mod process;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use binaries::{Account, Binaries};
pub use cluster::Cluster;

use self::process::Running;

/// The role and the database that every server has.
const ROLE: &str = "holdfast";
const DATABASE: &str = "postgres";

/// How many free ports are tried, should others take them first.
const PORTS_TRIED: usize = 5;

/// Why a server did not do what it should.
#[derive(Debug, Error)]
pub enum ServerError {
    /// A program of PostgreSQL failed, or did not get there in time.
    #[error("{program}: {said}")]
    Failed {
        /// Which program.
        program: String,
        /// The last it said.
        said: String,
    },
    /// The system refused.
    #[error("{what}: {source}")]
    Io {
        /// The operation.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl ServerError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io { what: what.into(), source }
    }
}

/// One server: a data directory, a port, and while it runs a process.
#[derive(Debug)]
pub struct Server {
    binaries: Binaries,
    data: PathBuf,
    name: String,
    port: u16,
    /// What its configuration says beyond what every server's does.
    settings: BTreeMap<String, String>,
    running: Option<Running>,
}

impl Server {
    /// Makes a new database cluster in `dir/name`, and starts it.
    ///
    /// `name` is what its standbys' primary and `synchronous_standby_names` know it by.
    ///
    /// # Errors
    /// When a program fails or the directory cannot be used.
    pub fn create(
        binaries: &Binaries,
        dir: &Path,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self, ServerError> {
        let mut server = Self::new(binaries, dir, name, settings)?;
        let data = server.data.display().to_string();
        let arguments = ["-D", &data, "-U", ROLE, "-A", "trust", "-E", "UTF8", "--no-locale"];
        binaries.run("initdb", &[&arguments[..], &["--no-sync", "--no-instructions"]].concat())?;
        server.start()?;
        Ok(server)
    }

    /// Copies this server, and starts the copy as its standby.
    ///
    /// # Errors
    /// When a program fails or the directory cannot be used.
    pub fn standby(
        &self,
        dir: &Path,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self, ServerError> {
        self.copy(Self::new(&self.binaries, dir, name, settings)?)
    }

    /// Copies this server into one that has no data yet, and starts it as its standby.
    fn copy(&self, mut standby: Self) -> Result<Self, ServerError> {
        let (data, port) = (standby.data.display().to_string(), self.port.to_string());
        let arguments = ["-D", &data, "-h", "127.0.0.1", "-p", &port, "-U", ROLE];
        let more = ["-X", "stream", "-c", "fast", "--no-sync"];
        self.binaries.run("pg_basebackup", &[&arguments[..], &more].concat())?;
        standby.follow(self)?;
        standby.start()?;
        Ok(standby)
    }

    fn new(
        binaries: &Binaries,
        dir: &Path,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self, ServerError> {
        let data = dir.join(name);
        binaries.make_dir(dir)?;
        binaries.make_dir(&data)?;
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Ok(Self {
            binaries: binaries.clone(),
            data,
            name: name.to_owned(),
            port: 0,
            settings: settings.collect(),
            running: None,
        })
    }

    /// Starts it, and returns when it takes connections. It keeps the port that it had.
    ///
    /// # Errors
    /// With what it said last, if it does not come up.
    pub fn start(&mut self) -> Result<(), ServerError> {
        if self.port != 0 {
            return self.start_once();
        }
        let mut tried = 1;
        loop {
            self.port = free_port()?;
            match self.start_once() {
                // Between our look and its start somebody may have taken the port.
                Err(ServerError::Failed { said, .. })
                    if tried < PORTS_TRIED && said.contains("could not bind") =>
                {
                    tried += 1;
                }
                done => return done,
            }
        }
    }

    fn start_once(&mut self) -> Result<(), ServerError> {
        self.write_settings()?;
        let data = self.data.display().to_string();
        let command = self.binaries.command("postgres", &["-D", &data]);
        self.running = Some(Running::start(command)?);
        Ok(())
    }

    /// Changes a setting; one that a reload can change counts from now on, else after a restart.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ServerError> {
        self.settings.insert(name.to_owned(), value.to_owned());
        self.write_settings()?;
        match &self.running {
            Some(running) => running.signal("HUP"),
            None => Ok(()),
        }
    }

    /// Makes it a standby of another, now if it runs as one, else when it is started.
    ///
    /// # Errors
    /// When the configuration cannot be written.
    pub fn follow(&mut self, primary: &Self) -> Result<(), ServerError> {
        let info = format!(
            "host=127.0.0.1 port={} user={ROLE} application_name={}",
            primary.port, self.name
        );
        self.binaries.write_file(&self.data.join("standby.signal"), "")?;
        self.set("primary_conninfo", &info)
    }

    /// Ends it as a loss of power would, but for the disk's cache: no process of it goes on.
    ///
    /// # Errors
    /// When its processes cannot be killed.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        self.running.take().map_or(Ok(()), |running| running.kill())
    }

    /// Halts all its processes where they are; the kernel keeps its connections.
    ///
    /// # Errors
    /// When they cannot be signalled.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.running.as_ref().map_or(Ok(()), |running| running.signal_all("STOP"))
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// When they cannot be signalled.
    pub fn resume(&self) -> Result<(), ServerError> {
        self.running.as_ref().map_or(Ok(()), |running| running.signal_all("CONT"))
    }

    /// Makes a standby a primary, on a new timeline; returns when it takes writes.
    ///
    /// # Errors
    /// When it is none, or does not get there.
    pub fn promote(&mut self) -> Result<(), ServerError> {
        let data = self.data.display().to_string();
        self.binaries.run("pg_ctl", &["promote", "-D", &data, "-w", "-t", "60"])
    }

    /// What a statement answers, as `psql` prints it without ornaments.
    ///
    /// # Errors
    /// With what was said, if it fails.
    pub fn sql(&self, statement: &str) -> Result<String, ServerError> {
        let port = self.port.to_string();
        let arguments = ["-h", "127.0.0.1", "-p", &port, "-U", ROLE, "-d", DATABASE];
        let more = ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement];
        self.binaries.output("psql", &[&arguments[..], &more].concat())
    }

    /// How much WAL a standby has, in bytes, received or replayed.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn received(&self) -> Result<u64, ServerError> {
        let last = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())";
        let answer = self.sql(&format!("SELECT pg_wal_lsn_diff({last}, '0/0')"))?;
        answer.parse().map_err(|_| ServerError::Failed { program: "psql".to_owned(), said: answer })
    }

    /// Puts a file into its data directory, for settings that name one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_file(&self, name: &str, text: &str) -> Result<(), ServerError> {
        self.binaries.write_file(&self.data.join(name), text)
    }

    /// Where it is and who we are, as [`crate::PostgresOptions::servers`] wants it.
    #[must_use]
    pub fn connection(&self) -> String {
        connection_to(&[self.port])
    }

    /// The port of loopback that it has, from its first start on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name that it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it was started and neither killed nor dropped since.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn write_settings(&self) -> Result<(), ServerError> {
        let mut text = format!(
            "port = {}\ncluster_name = '{}'\nlisten_addresses = '127.0.0.1'\n\
             unix_socket_directories = ''\nlogging_collector = off\nlog_destination = 'stderr'\n\
             shared_buffers = '32MB'\nmax_connections = 60\nwal_keep_size = '256MB'\n",
            self.port, self.name
        );
        for (name, value) in &self.settings {
            text.push_str(&format!("{name} = '{}'\n", value.replace('\'', "''")));
        }
        self.binaries.write_file(&self.data.join("holdfast.conf"), &text)?;
        let path = self.data.join("postgresql.conf");
        let own = fs::read_to_string(&path)
            .map_err(ServerError::io(format!("reading {}", path.display())))?;
        let include = "include 'holdfast.conf'";
        if own.contains(include) {
            return Ok(());
        }
        self.binaries.write_file(&path, &format!("{own}\n{include}\n"))
    }
}

/// Where servers at these ports of loopback are, as [`crate::PostgresOptions::servers`] wants it: those
/// of this module, or of whoever stands in between.
#[must_use]
pub fn connection_to(ports: &[u16]) -> String {
    let hosts = vec!["127.0.0.1"; ports.len()].join(",");
    let ports = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
    format!("host={hosts} port={ports} user={ROLE} dbname={DATABASE}")
}

fn free_port() -> Result<u16, ServerError> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map(|address| address.port()).map_err(ServerError::io("looking for a free port"))
}
