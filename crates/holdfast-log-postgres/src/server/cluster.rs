//! A primary with synchronous standbys, and a failover as an operator would do it.
//!
//! Every server names all of them in `synchronous_standby_names`, itself too, so that whichever is
//! promoted demands an acknowledgement of one of the others without being changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Binaries, Server, ServerError, connection_to};

/// How long a step of the cluster may take.
const STEP_WITHIN: Duration = Duration::from_secs(60);

/// Servers named `n0`, `n1` …, one of them the primary.
#[derive(Debug)]
pub struct Cluster {
    servers: Vec<Server>,
    primary: usize,
    dir: PathBuf,
}

impl Cluster {
    /// Starts a primary with this many standbys, of which each commit waits for any one; returns
    /// when all of them stream.
    ///
    /// # Errors
    /// When a server does not come up.
    pub fn create(binaries: &Binaries, dir: &Path, standbys: usize) -> Result<Self, ServerError> {
        let settings = [("synchronous_commit", "on"), ("wal_retrieve_retry_interval", "250ms")];
        let primary = Server::create(binaries, dir, "n0", &settings)?;
        let mut servers = vec![primary];
        for number in 1..=standbys {
            let standby = servers[0].standby(dir, &format!("n{number}"), &settings)?;
            servers.push(standby);
        }
        let names: Vec<_> = servers.iter().map(|server| server.name.clone()).collect();
        let any = format!("ANY 1 ({})", names.join(", "));
        for server in &mut servers {
            server.set("synchronous_standby_names", &any)?;
        }
        let cluster = Self { servers, primary: 0, dir: dir.to_owned() };
        cluster.wait_until_followed_by(standbys)?;
        Ok(cluster)
    }

    /// The server that takes writes.
    #[must_use]
    pub fn primary(&self) -> &Server {
        &self.servers[self.primary]
    }

    /// One of the servers, by its number.
    pub fn server(&mut self, number: usize) -> &mut Server {
        &mut self.servers[number]
    }

    /// Which of them is the primary.
    #[must_use]
    pub fn primary_number(&self) -> usize {
        self.primary
    }

    /// The ports that they have, by number.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.servers.iter().map(Server::port).collect()
    }

    /// Where all of them are, as [`crate::PostgresOptions::servers`] wants it.
    #[must_use]
    pub fn connection(&self) -> String {
        connection_to(&self.ports())
    }

    /// The directory that holds theirs.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Kills the primary as it is.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill_primary(&mut self) -> Result<(), ServerError> {
        self.servers[self.primary].kill()
    }

    /// Promotes the standby that has the most, lets the others that run follow it, and returns
    /// when they do. The primary of before is left as it is.
    ///
    /// # Errors
    /// When no standby runs, or a step fails.
    pub fn promote_the_one_with_the_most(&mut self) -> Result<(), ServerError> {
        let running =
            |number: &usize| *number != self.primary && self.servers[*number].is_running();
        let standbys: Vec<_> = (0..self.servers.len()).filter(running).collect();
        let mut best = None;
        for number in &standbys {
            best = best.max(Some((self.servers[*number].received()?, *number)));
        }
        let (_, chosen) = best.ok_or_else(|| ServerError::Failed {
            program: "failover".to_owned(),
            said: "no standby runs".to_owned(),
        })?;
        self.servers[chosen].promote()?;
        self.primary = chosen;
        for number in standbys.iter().filter(|number| **number != chosen) {
            self.follow_primary(*number)?;
        }
        self.wait_until_followed_by(standbys.len() - 1)
    }

    /// Makes a server that was killed a standby of the primary, from a new copy, on the port that it
    /// had; returns when it counts for commits. What it held is gone.
    ///
    /// # Errors
    /// When a step fails.
    pub fn rebuild(&mut self, number: usize) -> Result<(), ServerError> {
        let old = &mut self.servers[number];
        old.kill()?;
        let what = format!("removing {}", old.data.display());
        std::fs::remove_dir_all(&old.data).map_err(ServerError::io(what))?;
        let settings: Vec<_> =
            old.settings.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut standby = Server::new(&old.binaries, &self.dir, &old.name, &settings)?;
        standby.port = old.port;
        self.servers[number] = self.primary().copy(standby)?;
        let running = self.servers.iter().filter(|server| server.is_running()).count();
        self.wait_until_followed_by(running - 1)
    }

    fn follow_primary(&mut self, number: usize) -> Result<(), ServerError> {
        let (before, after) = self.servers.split_at_mut(self.primary.max(number));
        let (follower, primary) = if number < self.primary {
            (&mut before[number], &after[0])
        } else {
            (&mut after[0], &before[self.primary])
        };
        follower.follow(primary)
    }

    /// Returns when so many standbys stream from the primary and count for its commits.
    ///
    /// # Errors
    /// When they do not within a minute.
    pub fn wait_until_followed_by(&self, standbys: usize) -> Result<(), ServerError> {
        let count = "SELECT count(*) FROM pg_stat_replication
                     WHERE state = 'streaming' AND sync_state = 'quorum'";
        let until = Instant::now() + STEP_WITHIN;
        loop {
            let found = self.primary().sql(count)?;
            if found.parse().is_ok_and(|found: usize| found >= standbys) {
                return Ok(());
            }
            if Instant::now() > until {
                let said = format!("{found} of {standbys} standbys follow {}", self.primary().name);
                return Err(ServerError::Failed { program: "replication".to_owned(), said });
            }
        }
    }
}
