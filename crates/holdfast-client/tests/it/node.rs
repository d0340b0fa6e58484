//! A real server in this process, on a log in memory.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use holdfast_client::{Backoff, Client, ClientConfig, Server as Place};
use holdfast_http::{HttpConfig, Keys, Limits, Server};
use holdfast_log::MemoryLog;
use holdfast_node::{Node, NodeConfig, Storage};
use tokio::{sync::oneshot, task::JoinHandle};

/// A server.
pub(crate) struct Running {
    node: Arc<Node>,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<usize>>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        let config = NodeConfig::new(Storage::Memory(MemoryLog::new()));
        let node = Arc::new(Node::open(config).unwrap());
        node.partition().started().await.unwrap();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = HttpConfig { listen, keys: Keys::default(), limits: Limits::default() };
        let server = Server::bind(Arc::clone(&node), http).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async {
            stopped.await.ok();
        }));
        Self { node, address, stop: Some(stop), running: Some(running) }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(config(&[self.address])).unwrap()
    }

    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.running.take().unwrap().await.unwrap();
        let node = Arc::clone(&self.node);
        tokio::task::spawn_blocking(move || node.close()).await.unwrap();
    }
}

/// Settings under which nobody waits long for what fails.
pub(crate) fn config(addresses: &[SocketAddr]) -> ClientConfig {
    let places = addresses.iter().map(|address| format!("http://{address}").parse::<Place>());
    let backoff = Backoff { first: Duration::from_millis(1), most: Duration::from_millis(4) };
    ClientConfig { backoff, ..ClientConfig::new(places.map(Result::unwrap).collect()) }
}
