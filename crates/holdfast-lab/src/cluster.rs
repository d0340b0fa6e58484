//! Several nodes on one log, as processes: a `holdfast serve` for each, on a primary of PostgreSQL
//! with two synchronous standbys, all on this machine.
//!
//! [`Cluster`] makes them, finds out who leads, and kills, halts and starts them again. Two things
//! are built on it: the runner's [`Target::Cluster`](crate::Target), so that any scenario can be
//! asked of several nodes while their leaders die; and the [`nemesis`], which puts a [`proxy`]
//! between each node and each server, draws faults from a seed, and judges every answer that any
//! caller got.
//!
//! Read in this order: [`node`] and [`port`]; [`proxy`]; `several`; [`fault`] (what can go wrong), `wire` and
//! [`load`] (who asks, and what they saw), [`nemesis`] (one run), `judge` and [`outage`] (what to
//! make of it).
//!
//! Promises: a fault counts only if it met somebody; what callers saw is judged by the checks of
//! every other run; processes that were started end with the cluster.

pub mod fault;
mod judge;
pub mod load;
pub mod nemesis;
pub mod node;
pub mod outage;
pub mod port;
pub mod proxy;
mod several;
mod wire;

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use holdfast_log_postgres::server::{self, Binaries, connection_to};
use serde_json::{Value, json};

use load::Reads;
use node::Node;

pub use several::Several;

/// Nodes of a cluster.
pub const NODES: usize = 3;

/// Standbys of the primary.
const STANDBYS: usize = 2;

/// What to do about PostgreSQL that is not there.
const NO_POSTGRES: &str = "PostgreSQL's programs (initdb, postgres, pg_basebackup, pg_ctl, psql; version 14 or newer) \
were not found in /usr/lib/postgresql/*/bin, /usr/local/pgsql/bin, /usr/bin or /usr/local/bin: install them \
(Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server postgresql). As root a user \
`postgres` is needed as well, since PostgreSQL does not run as root";

/// Nodes and the servers that keep their log.
#[derive(Debug)]
pub struct Cluster {
    dir: PathBuf,
    servers: server::Cluster,
    nodes: Vec<Node>,
}

/// The programs that processes run.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The binary whose `serve` the nodes are.
    pub program: PathBuf,
    /// The directory of PostgreSQL's programs; `None` to look where distributions put them.
    pub postgres: Option<PathBuf>,
}

/// Who leads, by the highest epoch that any node tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leading {
    /// Its number among the nodes.
    pub node: usize,
    /// The number of its claim.
    pub epoch: u64,
}

impl Cluster {
    /// Starts servers in this directory, and gives nodes their names and addresses; they are not
    /// started yet.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, with what to install; when a server does not come up.
    pub fn create(machine: &Machine, dir: &Path) -> anyhow::Result<Self> {
        let Machine { program, postgres } = machine;
        let binaries = match postgres {
            None => Binaries::find().context(NO_POSTGRES)?,
            Some(there) => Binaries::at(there).with_context(|| {
                format!("{} does not hold them: {NO_POSTGRES}", there.display())
            })?,
        };
        // PostgreSQL's user must come through; what lies in it is closed for itself.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o711))?;
        let servers = dir.join("postgres");
        let servers = server::Cluster::create(&binaries, &servers, STANDBYS)
            .context("starting PostgreSQL")?;
        let addresses = port::addresses(NODES)?.into_iter().enumerate();
        let nodes = addresses.map(|(number, address)| {
            let name = format!("node-{}", ["a", "b", "c"][number]);
            Node::new(name, address, program, dir)
        });
        fs::create_dir_all(dir.join("snapshots"))?;
        Ok(Self { dir: dir.to_owned(), servers, nodes: nodes.collect() })
    }

    /// Starts every node, connected to the servers themselves.
    ///
    /// # Errors
    /// When one does not come to listen.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let ports = self.servers.ports();
        for number in 0..self.nodes.len() {
            self.configure(number, &ports, Reads::Confirmed)?;
            self.nodes[number].start()?;
        }
        Ok(())
    }

    /// Settings of a node for its next life: where it finds each server, and what reads rest on.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn configure(&self, node: usize, servers: &[u16], reads: Reads) -> anyhow::Result<()> {
        let node = &self.nodes[node];
        // What JSON quotes is quoted for TOML.
        let text = |value: &dyn AsRef<Path>| json!(value.as_ref().display().to_string());
        let (name, listen) = (json!(node.name()), json!(node.address().to_string()));
        let (data, snapshots) = (text(&node.data()), text(&self.dir.join("snapshots")));
        let (servers, reads) = (json!(connection_to(servers)), json!(reads.as_str()));
        node.configure(&format!(
            "node = {name}\nlisten = {listen}\ndata = {data}\n\n[postgres]\nservers = {servers}\n\
             snapshots = {snapshots}\ndurability = \"quorum-fsync\"\nreads = {reads}\n"
        ))
    }

    /// The nodes, by number.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One of the nodes.
    pub fn node(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number]
    }

    /// Where the nodes listen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(Node::address).collect()
    }

    /// The servers that keep the log.
    pub const fn servers(&mut self) -> &mut server::Cluster {
        &mut self.servers
    }
}

/// Who of the nodes at these addresses leads now; `None` when none says so.
pub async fn leading(nodes: &[SocketAddr]) -> Option<Leading> {
    let told = infos(nodes).await;
    let leads = told.iter().enumerate().filter_map(|(node, info)| {
        let partition = &info.as_ref()?["partitions"][0];
        let epoch = partition["epoch"].as_u64()?;
        (partition["phase"] == "leading").then_some(Leading { node, epoch })
    });
    leads.max_by_key(|leading| leading.epoch)
}

/// What each says of itself, where it says anything, all asked at the same time.
async fn infos(nodes: &[SocketAddr]) -> Vec<Option<Value>> {
    let asking: Vec<_> = nodes.iter().map(|node| tokio::spawn(wire::info(*node))).collect();
    let mut told = Vec::with_capacity(asking.len());
    for answer in asking {
        // A task of ours that panicked told nothing.
        told.push(answer.await.ok().flatten());
    }
    told
}
