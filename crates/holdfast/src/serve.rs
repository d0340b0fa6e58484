//! `holdfast serve`: a server, from its settings to its end.
//!
//! It listens before the partition leads, so that `/health` and `/ready` can tell
//! how far it is; requests wait meanwhile. On SIGTERM or SIGINT it drains, seals
//! the log and ends with 0; when the partition cannot go on it ends with 4, and
//! whoever supervises it starts it again.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};

use clap::Args;
use holdfast_engine::Stopped;
use holdfast_http::{HttpConfig, Server};
use holdfast_log::LogError;
use holdfast_node::{Node, NodeConfig, OpenError};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use crate::{
    config::Config,
    exit::{self, Exit, Failure},
    logging::{self, LogFormat},
};

/// Arguments of `serve`. Those that are not given come from the environment, then
/// from the file.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Directory for the data; made if it does not exist.
    #[arg(long, env = "HOLDFAST_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Directory to which entries go before the log is trimmed; without it they are gone.
    #[arg(long, env = "HOLDFAST_ARCHIVE", value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:7411].
    #[arg(long, env = "HOLDFAST_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where other nodes reach this one, if that is not where it listens.
    #[arg(long, env = "HOLDFAST_ADVERTISE", value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// PostgreSQL servers to keep the log on, so that several nodes can share it: a URL or
    /// `key=value` words. Wants `--snapshots`.
    #[arg(long, env = "HOLDFAST_POSTGRES", value_name = "SERVERS", hide_env_values = true)]
    postgres: Option<String>,
    /// Directory for snapshots that all nodes can read and write.
    #[arg(long, env = "HOLDFAST_SNAPSHOTS", value_name = "DIR")]
    snapshots: Option<PathBuf>,
    /// Configuration file (TOML).
    #[arg(long, env = "HOLDFAST_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What this node is called in its log and its answers.
    #[arg(long, env = "HOLDFAST_NODE", value_name = "NAME")]
    node: Option<String>,
    /// What is logged: a level (error, warn, info, debug, trace) or directives.
    #[arg(long, env = "HOLDFAST_LOG", value_name = "LEVEL")]
    log: Option<String>,
    /// How it is logged.
    #[arg(long, env = "HOLDFAST_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Start although the machine's clock is behind the log by more than it may be.
    #[arg(long, env = "HOLDFAST_ACCEPT_CLOCK")]
    accept_clock: bool,
    /// Print the settings that would be used, and end.
    #[arg(long)]
    print_config: bool,
}

impl ServeArguments {
    fn config(&self) -> Result<Config, Failure> {
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        if let Some(data) = &self.data {
            config.data = Some(data.clone());
        }
        if let Some(archive) = &self.archive {
            config.archive = Some(archive.clone());
        }
        config.listen = self.listen.unwrap_or(config.listen);
        if let Some(advertise) = &self.advertise {
            config.advertise = Some(advertise.clone());
        }
        self.share(&mut config);
        if let Some(node) = &self.node {
            config.node.clone_from(node);
        }
        if let Some(log) = &self.log {
            config.log.clone_from(log);
        }
        config.log_format = self.log_format.unwrap_or(config.log_format);
        config.accept_clock |= self.accept_clock;
        config.check().map_err(Failure::usage)?;
        Ok(config)
    }

    /// What is said of a log that nodes share.
    fn share(&self, config: &mut Config) {
        if let Some(servers) = &self.postgres {
            config.postgres.get_or_insert_default().servers.clone_from(servers);
        }
        if let Some(snapshots) = &self.snapshots {
            config.postgres.get_or_insert_default().snapshots.clone_from(snapshots);
        }
    }
}

/// Runs a server until it is told to stop.
pub(crate) fn run(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let config = arguments.config()?;
    if arguments.print_config {
        exit::print(config.to_toml().trim_end())?;
        return Ok(Exit::Done);
    }
    let Some(data) = config.data.clone() else {
        return Err(Failure::usage("no data directory: give --data DIR, HOLDFAST_DATA or `data`"));
    };
    logging::start(&config.log, config.log_format)?;
    raise_descriptor_limit();
    let runtime = runtime()?;
    let node = open(config.node(config.storage(&data)))?;
    runtime.block_on(serve(&node, config.http(), async |server: &Server| {
        exit::print(&format!("listening on http://{}", server.address()))
    }))
}

/// Threads for connections. The partition and its log have their own.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::CannotStart, error))
}

/// Opens the node.
pub(crate) fn open(config: NodeConfig) -> Result<Arc<Node>, Failure> {
    let node = Node::open(config).map_err(|error| {
        // Settings that nobody but the log could look at.
        let options = matches!(&error, OpenError::Log { source: LogError::BadOptions { .. }, .. });
        let bad = options || matches!(&error, OpenError::Config(_));
        Failure::new(if bad { Exit::Usage } else { Exit::CannotStart }, error)
    })?;
    Ok(Arc::new(node))
}

/// Serves until a signal comes or the partition ends; then drains and closes.
pub(crate) async fn serve(
    node: &Arc<Node>,
    config: HttpConfig,
    begun: impl AsyncFnOnce(&Server) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let cannot = |error| Failure::new(Exit::CannotStart, error);
    // Before anyone is told that it listens, so that no signal after that is missed.
    let told = stop_signal().map_err(|error| cannot(error.into()))?;
    let server = Server::bind(Arc::clone(node), config).await;
    let server = server.map_err(|error| cannot(anyhow::Error::from(error)))?;
    tracing::info!(address = %server.address(), "listening");
    begun(&server).await?;
    let watching = tokio::spawn(Arc::clone(node).watch_over());
    let mut ended = None;
    let stop = async {
        tokio::select! {
            name = told => {
                tracing::info!(signal = name, "stopping");
                // Another node takes over while connections are drained here.
                node.partition().hand_over();
            }
            why = watching => ended = Some(why),
        }
    };
    let cut = server.run(stop).await;
    tracing::info!(cut, "connections are closed");
    if let Some(why) = ended {
        let why = why.unwrap_or_else(|error| Stopped::Failed(error.to_string()));
        let error = anyhow::anyhow!("the partition stopped: {why}");
        return Err(Failure::new(Exit::Stopped, error));
    }
    close(node).await
}

async fn close(node: &Arc<Node>) -> Result<Exit, Failure> {
    let closing = Arc::clone(node);
    let ended = tokio::task::spawn_blocking(move || closing.close()).await;
    match ended {
        Ok(Stopped::Cleanly) => Ok(Exit::Done),
        Ok(why) => {
            Err(Failure::new(Exit::Stopped, anyhow::anyhow!("the partition stopped: {why}")))
        }
        Err(error) => Err(Failure::new(Exit::Stopped, error)),
    }
}

/// Ready when the process is asked to stop.
fn stop_signal() -> std::io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// A connection needs a descriptor, and the usual limit of 1,024 is lower than ours.
pub(crate) fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
