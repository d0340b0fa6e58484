//! A server in this process.

use std::{net::SocketAddr, sync::Arc};

use holdfast_http::{HttpConfig, Keys, Limits, Server};
use holdfast_log::MemoryLog;
use holdfast_node::{Node, NodeConfig, Storage};
use tokio::{runtime::Runtime, sync::oneshot, task::JoinHandle};

use crate::{client::Client, lab};

/// How a server is to be.
pub(crate) struct Setup {
    pub(crate) node: NodeConfig,
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
    pub(crate) listen: SocketAddr,
}

impl Default for Setup {
    fn default() -> Self {
        Self::on(Storage::Memory(MemoryLog::new()))
    }
}

impl Setup {
    pub(crate) fn on(storage: Storage) -> Self {
        let node = NodeConfig { registry: lab::registry(), ..NodeConfig::new(storage) };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { node, keys: Keys::default(), limits: Limits::default(), listen }
    }

    pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut setup = Self::default();
        change(&mut setup.limits);
        setup
    }

    pub(crate) fn start(self) -> TestServer {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let node = Arc::new(Node::open(self.node).unwrap());
        let config = HttpConfig { listen: self.listen, keys: self.keys, limits: self.limits };
        let server = runtime.block_on(async {
            node.partition().started().await.unwrap();
            Server::bind(Arc::clone(&node), config).await.unwrap()
        });
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = runtime.spawn(server.run(async {
            stopped.await.ok();
        }));
        TestServer { runtime, node, address, stop: Some(stop), running: Some(running) }
    }
}

/// A running server; dropped, it is stopped.
pub(crate) struct TestServer {
    runtime: Runtime,
    pub(crate) node: Arc<Node>,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<usize>>,
}

impl TestServer {
    pub(crate) fn start() -> Self {
        Setup::default().start()
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// Begins to stop.
    pub(crate) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until all connections are closed, and tells how many had to be cut off.
    pub(crate) fn drained(&mut self) -> usize {
        let running = self.running.take().expect("it was not waited for before");
        self.runtime.block_on(running).unwrap()
    }

    /// Stops cleanly.
    pub(crate) fn stop(mut self) {
        self.begin_stop();
        self.drained();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.begin_stop();
        if self.running.is_some() {
            self.drained();
        }
        drop(self.node.close());
    }
}
