//! Connections: accepting, bounding, draining.
//!
//! A connection costs a task and a socket until its first byte comes; only then
//! does it get buffers. One that sends its head too slowly is told 408, one that
//! is idle for as long is closed. At shutdown nobody new is accepted, idle
//! connections close, and requests in progress get a bounded time to finish.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use holdfast_node::Node;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

use crate::{
    keys::Keys,
    limits::{CONNECTION_BUFFER_BYTES, Limits},
    metrics::Level,
    problem::{Kind, Problem},
    service::{Shared, handle},
};

/// Rest after an `accept` that failed because the process has no descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(20);

/// What a server is told.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may ask; with none, only loopback will do.
    pub keys: Keys,
    /// What is allowed.
    pub limits: Limits,
}

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Anyone could do anything.
    #[error(
        "refusing to listen on {listen}, which is not loopback, without credentials: \
         add [[keys]] to the configuration, or listen on 127.0.0.1"
    )]
    NoKeys {
        /// Where.
        listen: SocketAddr,
    },
    /// The system refused.
    #[error("cannot listen on {listen}: {source}")]
    Io {
        /// Where.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

impl Server {
    /// Listens; connections wait until [`run`](Self::run).
    ///
    /// # Errors
    /// [`BindError`]
    pub async fn bind(node: Arc<Node>, config: HttpConfig) -> Result<Self, BindError> {
        let listen = config.listen;
        if config.keys.is_empty() && !listen.ip().is_loopback() {
            return Err(BindError::NoKeys { listen });
        }
        let at = |source| BindError::Io { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(at)?;
        let address = listener.local_addr().map_err(at)?;
        let (stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared::new(node, config.limits, config.keys, stopping));
        Ok(Self { listener, address, shared, stop })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready, then drains. Returns how many connections
    /// had to be cut off.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> usize {
        let (open, all_closed) = mpsc::channel::<()>(1);
        let abort = watch::channel(()).0;
        let accepting = async {
            loop {
                self.accept(&open, &abort).await;
            }
        };
        tokio::select! {
            () = accepting => {}
            () = shutdown => {}
        }
        drop(self.listener);
        self.stop.send_replace(true);
        drop(open);
        drain(&self.shared, all_closed, abort).await
    }

    async fn accept(&self, open: &mpsc::Sender<()>, abort: &watch::Sender<()>) {
        let stream = match self.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                if !is_of_one_connection(&error) {
                    tokio::time::sleep(ACCEPT_REST).await;
                }
                return;
            }
        };
        let metrics = &self.shared.metrics;
        metrics.connections_opened.fetch_add(1, Ordering::Relaxed);
        if metrics.connections.load(Ordering::Relaxed) >= self.shared.limits.connections_max {
            metrics.connections_refused.fetch_add(1, Ordering::Relaxed);
            turn_away(&stream, &Problem::new(Kind::Overloaded, "too many connections"));
            return;
        }
        let (shared, open, aborted) = (Arc::clone(&self.shared), open.clone(), abort.subscribe());
        tokio::spawn(async move {
            let connections = &shared.metrics.connections;
            let level = Level::rise(connections, usize::MAX);
            until(aborted, serve(stream, &shared)).await;
            drop((level, open));
        });
    }
}

/// Did `accept` fail because of the one connection, rather than because of us?
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Waits for all connections to close, at last by cutting them off.
async fn drain(
    shared: &Shared,
    mut all_closed: mpsc::Receiver<()>,
    abort: watch::Sender<()>,
) -> usize {
    let closed = all_closed.recv();
    if tokio::time::timeout(shared.limits.drain_timeout, closed).await.is_ok() {
        return 0;
    }
    let left = shared.metrics.connections.load(Ordering::Relaxed);
    tracing::warn!(left, "connections are cut off");
    drop(abort);
    // Tasks end at their next wait, so this is soon.
    all_closed.recv().await;
    left
}

/// Runs `work` until it ends or the sender goes away.
async fn until(mut aborted: watch::Receiver<()>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = aborted.changed() => {}
    }
}

async fn serve(stream: TcpStream, shared: &Arc<Shared>) {
    // Answers are small: waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection is gone already");
        return;
    }
    let mut stopping = shared.stopping.clone();
    // Looks at the byte itself: a socket's readiness may be told without there being any.
    let mut byte = [0; 1];
    let begun = tokio::select! {
        first = tokio::time::timeout(shared.limits.head_timeout, stream.peek(&mut byte)) => {
            matches!(first, Ok(Ok(1)))
        }
        _ = stopping.wait_for(|stopping| *stopping) => false,
    };
    if begun {
        converse(stream, shared, stopping).await;
    }
}

async fn converse(stream: TcpStream, shared: &Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    let service = service_fn(|request| handle(Arc::clone(shared), request));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.head_timeout)
        .max_buf_size(CONNECTION_BUFFER_BYTES)
        // Answers are small: one buffer to write is cheaper than a list of them.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut told = false;
    let result = loop {
        tokio::select! {
            result = &mut connection => break result,
            _ = stopping.wait_for(|stopping| *stopping), if !told => {
                told = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
        let parts = connection.into_parts();
        if error.is_timeout() && !parts.read_buf.is_empty() {
            let waited = shared.limits.head_timeout;
            let detail = format_args!("the request's head did not arrive within {waited:?}");
            turn_away(parts.io.inner(), &Problem::new(Kind::RequestTimeout, detail));
        }
    }
}

/// Answers without reading, and without waiting: whoever does not take it at once
/// does not get it.
fn turn_away(stream: &TcpStream, problem: &Problem) {
    let body = problem.to_json();
    let mut answer = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n",
        problem.status,
        body.len()
    );
    if let Some(seconds) = problem.retry_after_s() {
        answer.push_str(&format!("retry-after: {seconds}\r\n"));
    }
    answer.push_str("connection: close\r\n\r\n");
    let mut answer = answer.into_bytes();
    answer.extend_from_slice(&body);
    if let Err(error) = stream.try_write(&answer) {
        tracing::debug!(%error, "a connection could not be told why it is closed");
    }
}
