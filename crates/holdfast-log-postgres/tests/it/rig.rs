//! A server in a directory of its own, and logs on it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holdfast_log::{Append, Log, LogError, Position, Read, blocking};
use holdfast_log_postgres::server::{Binaries, Server};
use holdfast_log_postgres::{PostgresLog, PostgresOptions};
use tempfile::TempDir;

/// PostgreSQL's programs; says so if there are none, and the test does nothing.
pub(crate) fn installed() -> Option<Binaries> {
    let found = Binaries::find();
    if found.is_none() {
        println!("NOT RUN: PostgreSQL is not installed");
    }
    found
}

/// One server, and the directory that goes away with it.
pub(crate) struct Rig {
    pub(crate) server: Server,
    pub(crate) dir: TempDir,
}

impl Rig {
    /// A server with these settings, if PostgreSQL is installed.
    pub(crate) fn new(settings: &[(&str, &str)]) -> Option<Self> {
        let binaries = installed()?;
        let dir = tempfile::tempdir().unwrap();
        let server = Server::create(&binaries, dir.path(), "n0", settings).unwrap();
        Some(Self { server, dir })
    }

    /// Options for a log on it, with little patience.
    pub(crate) fn options(&self) -> PostgresOptions {
        options(self.server.connection())
    }

    pub(crate) fn open(&self) -> PostgresLog {
        PostgresLog::open(self.options()).unwrap()
    }
}

pub(crate) fn options(servers: String) -> PostgresOptions {
    PostgresOptions { patience: Duration::from_secs(5), ..PostgresOptions::new(servers) }
}

/// Why it cannot be opened.
pub(crate) fn refusal(options: PostgresOptions) -> LogError {
    PostgresLog::open(PostgresOptions { patience: Duration::from_millis(500), ..options })
        .expect_err("it is to be refused")
}

pub(crate) fn at(position: u64) -> Position {
    Position::new(position).unwrap()
}

pub(crate) fn entry(position: u64) -> Bytes {
    Bytes::from(format!("entry {position}"))
}

pub(crate) fn append(log: &dyn Log, position: u64) -> Result<Append, LogError> {
    blocking::append(log, at(position), entry(position))
}

pub(crate) fn fill(log: &dyn Log, from: u64, to: u64) {
    for position in from..=to {
        assert_eq!(append(log, position).unwrap(), Append::Ok);
    }
}

/// An append that answers later.
pub(crate) fn begin(log: &Arc<PostgresLog>, position: u64) -> Answer<Append> {
    let (answer, answered) = std::sync::mpsc::channel();
    let done = move |result| answer.send(result).unwrap();
    log.append(at(position), entry(position), Box::new(done));
    Answer(answered)
}

/// An answer that may not be there yet.
pub(crate) struct Answer<T>(std::sync::mpsc::Receiver<Result<T, LogError>>);

impl<T> Answer<T> {
    /// Waits for it, at most a minute.
    pub(crate) fn wait(&self) -> Result<T, LogError> {
        self.0.recv_timeout(Duration::from_secs(60)).expect("it is answered within a minute")
    }

    pub(crate) fn is_there(&self) -> bool {
        self.0.try_recv().is_ok()
    }
}

/// What the log holds from `from` on, up to the first hole.
pub(crate) fn held(log: &dyn Log, from: u64) -> Vec<Bytes> {
    let found = blocking::read(log, at(from), usize::MAX).unwrap();
    let entries = found.iter().filter_map(|read| match read {
        Read::Entry(bytes) => Some(bytes.clone()),
        Read::Empty | Read::Trimmed => None,
    });
    entries.collect()
}

/// Asks a server until it answers so, at most for a minute.
pub(crate) fn wait_for(server: &Server, statement: &str, answer: &str) {
    let until = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let found = server.sql(statement).unwrap();
        if found == answer {
            return;
        }
        assert!(std::time::Instant::now() < until, "{statement}: {found}, not {answer}");
    }
}
