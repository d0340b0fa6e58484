//! Who is asked: a server process that can be killed, several that share a log, or a node in this
//! process.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use anyhow::{Context as _, bail};
use holdfast_node::{Node, NodeConfig, Storage};

use crate::{
    cluster::{Cluster, Machine, Several},
    scenario::Counts,
};

/// Who is asked.
#[derive(Clone, Debug)]
pub enum Target {
    /// A process of its own, over HTTP.
    Server(Arc<Server>),
    /// Several nodes that share a log, over HTTP.
    Cluster(Arc<Several>),
    /// This process.
    InProcess(Arc<Node>),
}

impl Target {
    /// Starts `program serve` on this data.
    ///
    /// # Errors
    /// When it does not come to listen.
    pub fn server(program: &Path, data: &Path) -> anyhow::Result<Self> {
        Ok(Self::Server(Arc::new(Server::start(program, data)?)))
    }

    /// Starts nodes that share a log on PostgreSQL, with all they have in this directory.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or somebody does not come to listen.
    pub fn cluster(machine: &Machine, dir: &Path) -> anyhow::Result<Self> {
        let mut cluster = Cluster::create(machine, dir)?;
        cluster.start()?;
        Ok(Self::Cluster(Arc::new(Several::new(cluster))))
    }

    /// Opens a node on this data.
    ///
    /// # Errors
    /// What opening it says.
    pub fn in_process(data: &Path) -> anyhow::Result<Self> {
        let config = NodeConfig::new(Storage::Directory(data.to_owned()));
        Ok(Self::InProcess(Arc::new(Node::open(config)?)))
    }

    /// Kills the process as the machine's end would, and starts it again; of several nodes whoever
    /// leads, in turn killed and halted until another leads. Blocks, on a thread of a runtime's that
    /// may.
    ///
    /// # Errors
    /// When there is no process of its own, or it does not start again.
    pub fn kill(&self) -> anyhow::Result<()> {
        match self {
            Self::Server(server) => server.kill(),
            Self::Cluster(several) => several.strike(),
            Self::InProcess(_) => bail!("only a process of its own can be killed"),
        }
    }

    /// What was done to it so far, for people.
    #[must_use]
    pub fn suffered(&self) -> Counts {
        match self {
            Self::Server(server) => {
                vec![("kills".to_owned(), server.kills.load(Ordering::Relaxed))]
            }
            Self::Cluster(several) => several.suffered(),
            Self::InProcess(_) => vec![("kills".to_owned(), 0)],
        }
    }

    /// Stops it, so that its data can be looked at.
    ///
    /// # Errors
    /// When it does not stop cleanly.
    pub fn close(&self) -> anyhow::Result<()> {
        match self {
            Self::Server(server) => server.end(),
            Self::Cluster(several) => several.end(),
            Self::InProcess(node) => match node.close() {
                holdfast_engine::Stopped::Cleanly => Ok(()),
                why => bail!("the node stopped: {why}"),
            },
        }
    }
}

/// A server process. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    data: PathBuf,
    /// The process and where it listens; locked for moments, and while it starts.
    running: Mutex<(Child, SocketAddr)>,
    kills: AtomicI64,
}

impl Server {
    fn start(program: &Path, data: &Path) -> anyhow::Result<Self> {
        let running = Mutex::new(spawn(program, data)?);
        let (program, data) = (program.to_owned(), data.to_owned());
        Ok(Self { program, data, running, kills: AtomicI64::new(0) })
    }

    /// Where it listens now. Waits while it is being started again.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn kill(&self) -> anyhow::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.0.kill()?;
        running.0.wait()?;
        *running = spawn(&self.program, &self.data)?;
        self.kills.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Without ceremony: nothing acknowledged may need a clean stop.
    fn end(&self) -> anyhow::Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.0.kill()?;
        running.0.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner);
        // It may have ended by itself.
        drop(running.0.kill());
        drop(running.0.wait());
    }
}

fn spawn(program: &Path, data: &Path) -> anyhow::Result<(Child, SocketAddr)> {
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut line = String::new();
    let stdout = child.stdout.take().context("its output is ours")?;
    BufReader::new(stdout).read_line(&mut line)?;
    if let Some(address) = line.trim().strip_prefix("listening on http://") {
        return Ok((child, address.parse()?));
    }
    let status = child.wait()?;
    bail!("the server ended with {status}, and did not listen")
}
