//! Who is asked: a server process that can be killed, or a node in this process.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, bail};
use holdfast_node::{Node, NodeConfig, Storage};

/// Who is asked.
#[derive(Clone, Debug)]
pub enum Target {
    /// A process of its own, over HTTP.
    Server(Arc<Server>),
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

    /// Opens a node on this data.
    ///
    /// # Errors
    /// What opening it says.
    pub fn in_process(data: &Path) -> anyhow::Result<Self> {
        let config = NodeConfig::new(Storage::Directory(data.to_owned()));
        Ok(Self::InProcess(Arc::new(Node::open(config)?)))
    }

    /// Kills the process as the machine's end would, and starts it again.
    ///
    /// # Errors
    /// When there is no process of its own, or it does not start again.
    pub fn kill(&self) -> anyhow::Result<()> {
        match self {
            Self::Server(server) => server.kill(),
            Self::InProcess(_) => bail!("only a process of its own can be killed"),
        }
    }

    /// Stops it, so that its data can be looked at.
    ///
    /// # Errors
    /// When it does not stop cleanly.
    pub fn close(&self) -> anyhow::Result<()> {
        match self {
            Self::Server(server) => server.end(),
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
}

impl Server {
    fn start(program: &Path, data: &Path) -> anyhow::Result<Self> {
        let running = Mutex::new(spawn(program, data)?);
        Ok(Self { program: program.to_owned(), data: data.to_owned(), running })
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
