//! The client: servers, settings, connections, and the way in for calls.
//!
//! A [`Client`] is a handle and cheap to clone; clones share connections and the retry budget.
//! [`Client::call`] asks a typed command; [`Client::request`] is the same with something about it said.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderValue;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};

use crate::{
    answer::{Answer, WireAnswer},
    calling::Calling,
    command::{Command, Wire},
    error::Error,
    request::{Options, Request},
    retry::{Backoff, Bucket, RetryBudget},
    servers::{Server, Servers},
    session::Session,
};

/// Idle connections that are kept for each server.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// An idle connection is closed after this, before a server does so (30 s by default).
const IDLE_WITHIN: Duration = Duration::from_secs(20);

/// A credential. It shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How a client is to be.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Nodes of one Holdfast, in the order in which they are asked; at least one.
    pub servers: Vec<Server>,
    /// Sent with every request, where servers want one.
    pub secret: Option<Secret>,
    /// How long a call may take in all, tries and rests included, unless it says so itself.
    pub deadline: Duration,
    /// How long one try may take. At most the servers' `request_timeout_max_ms`.
    pub try_within: Duration,
    /// How long connecting may take.
    pub connect_within: Duration,
    /// Whether a call waits for servers that nobody can connect to, as long as its deadline allows:
    /// while they are started again, say. Else it ends after three rounds.
    pub wait_for_ready: bool,
    /// Rests between the tries of a call.
    pub backoff: Backoff,
    /// What all calls may repeat together.
    pub budget: RetryBudget,
}

impl ClientConfig {
    /// The usual settings: 30 s for a call, 10 s for a try, 2 s for connecting.
    #[must_use]
    pub fn new(servers: Vec<Server>) -> Self {
        Self {
            servers,
            secret: None,
            deadline: Duration::from_secs(30),
            try_within: Duration::from_secs(10),
            connect_within: Duration::from_secs(2),
            wait_for_ready: true,
            backoff: Backoff::default(),
            budget: RetryBudget::default(),
        }
    }
}

/// What clones of a client share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ClientConfig,
    pub(crate) servers: Servers,
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) http: Http<HttpConnector, Full<Bytes>>,
    bucket: Mutex<Bucket>,
}

impl Shared {
    /// The retry budget; locked for moments.
    pub(crate) fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls commands on the nodes of one Holdfast. It needs a tokio runtime.
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

impl Client {
    /// A client. Nothing is connected to yet.
    ///
    /// # Errors
    /// [`Error::Unsendable`]: no server is named, or the secret cannot stand in a header field.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        if config.servers.is_empty() {
            return Err(Error::Unsendable("no server is named".to_owned()));
        }
        let authorization = config.secret.as_ref().map(authorization).transpose()?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(config.connect_within));
        let http = Http::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_WITHIN)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        let servers = Servers::new(config.servers.clone());
        let bucket = Mutex::new(Bucket::new(config.budget, Instant::now()));
        Ok(Self(Arc::new(Shared { config, servers, authorization, http, bucket })))
    }

    /// Calls a command: until there is an answer, as long as the client's deadline allows. A
    /// command that writes has one effect, however often it had to be sent.
    ///
    /// Dropped before it is done, a write may have happened; give it a key of your own
    /// ([`Request::key`]) to be able to ask again.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn call<C: Command>(&self, command: &C) -> Result<Answer<C::Outcome>, Error> {
        self.request(command).send().await
    }

    /// A call with something about it said: its key, its deadline, what it must see.
    pub fn request<'a, C: Command>(&'a self, command: &'a C) -> Request<'a, C> {
        Request::new(self, command)
    }

    /// Calls whatever this is, as every typed call is made in the end.
    ///
    /// # Errors
    /// [`Error`], but not [`Error::Unreadable`].
    pub async fn send(&self, wire: &Wire, options: &Options) -> Result<WireAnswer, Error> {
        Calling::new(&self.0, wire, options).run().await
    }

    /// A session: its reads see what it saw and did before, on whatever node.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(self.clone())
    }

    /// Settings.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        &self.0.config
    }
}

fn authorization(secret: &Secret) -> Result<HeaderValue, Error> {
    let value = HeaderValue::try_from(format!("Bearer {}", secret.0));
    let bad = "the secret has characters that no header field can have".to_owned();
    let mut value = value.map_err(|_| Error::Unsendable(bad))?;
    value.set_sensitive(true);
    Ok(value)
}
