//! One caller's connection to one node, and what a caller may conclude from what comes back.
//!
//! Three things can come of a try: an answer with its version, the knowledge that this try did
//! nothing (the node says so, or was never reached), or nothing at all. What is none of these
//! is an error: a node under faults has no other excuse.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use holdfast_node::At;
use holdfast_state::Version;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::SendRequest,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// For how long an answer is of use to a caller.
const DEADLINE: Duration = Duration::from_millis(500);

/// A caller that heard nothing for so long goes elsewhere.
const PATIENCE: Duration = Duration::from_millis(800);

/// How long making a connection may take.
const CONNECTED_WITHIN: Duration = Duration::from_millis(500);

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    /// Makes a write repeatable.
    pub(super) key: Option<String>,
    /// The answer must have seen this.
    pub(super) after: Option<Version>,
    /// Of a read: `Holdfast-Consistency`.
    pub(super) consistency: Option<&'static str>,
    pub(super) body: Option<Value>,
}

impl Ask {
    /// A write, repeatable under this key.
    pub(super) fn post(path: &str, key: String, body: Value) -> Self {
        let (path, key, body) = (path.to_owned(), Some(key), Some(body));
        Self { method: Method::POST, path, key, after: None, consistency: None, body }
    }

    /// A read.
    pub(super) fn get(path: String, consistency: &'static str) -> Self {
        let consistency = Some(consistency);
        Self { method: Method::GET, path, key: None, after: None, consistency, body: None }
    }
}

/// What came of a try.
#[derive(Clone, Debug)]
pub(super) enum Came {
    /// An answer, refusals included.
    Answer(Answer),
    /// This try did nothing.
    Nothing,
    /// Nothing came: whether it happened is not known.
    Unknown,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) version: Version,
    pub(super) replayed: bool,
    /// The code of a refusal.
    pub(super) refused: Option<String>,
    pub(super) body: Value,
}

/// A connection to a node, made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Wire(Option<SendRequest<Full<Bytes>>>);

impl Wire {
    /// Tries once.
    ///
    /// # Errors
    /// When the node answers what it never should.
    pub(super) async fn ask(&mut self, node: SocketAddr, ask: &Ask) -> anyhow::Result<Came> {
        let sender = match self.0.take() {
            Some(sender) => sender,
            None => match tokio::time::timeout(CONNECTED_WITHIN, connect(node)).await {
                Ok(Ok(sender)) => sender,
                Ok(Err(_)) | Err(_) => return Ok(Came::Nothing),
            },
        };
        let asking = self.ask_on(sender, request(ask)?);
        match tokio::time::timeout(PATIENCE, asking).await {
            Ok(came) => came.with_context(|| format!("{} {}", ask.method, ask.path)),
            Err(_) => Ok(Came::Unknown),
        }
    }

    async fn ask_on(
        &mut self,
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Came> {
        // A connection that was closed before took nothing.
        if sender.ready().await.is_err() {
            return Ok(Came::Nothing);
        }
        let Ok(response) = sender.send_request(request).await else { return Ok(Came::Unknown) };
        let came = read(response).await?;
        if matches!(came, Came::Answer(_)) {
            self.0 = Some(sender);
        }
        Ok(came)
    }
}

async fn connect(node: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(node).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Its end shows in the sender, and the sender's end ends it.
    tokio::spawn(connection);
    Ok(sender)
}

fn request(ask: &Ask) -> anyhow::Result<Request<Full<Bytes>>> {
    let deadline_ms = DEADLINE.as_millis().to_string();
    let mut request = Request::builder().method(&ask.method).uri(&ask.path);
    request = request.header(HOST, "localhost").header("holdfast-deadline-ms", deadline_ms);
    if ask.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    if let Some(key) = &ask.key {
        request = request.header("idempotency-key", key);
    }
    if let Some(after) = ask.after {
        request = request.header("holdfast-after", At::here(after).to_string());
    }
    if let Some(consistency) = ask.consistency {
        request = request.header("holdfast-consistency", consistency);
    }
    let body = ask.body.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(request.body(Full::new(body.into()))?)
}

async fn read(response: Response<Incoming>) -> anyhow::Result<Came> {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let at = header("holdfast-at").map(str::parse::<At>).transpose()?;
    let replayed = header("idempotency-replayed").is_some();
    let Ok(body) = response.into_body().collect().await else { return Ok(Came::Unknown) };
    let body: Value = serde_json::from_slice(&body.to_bytes()).context("answers are JSON")?;
    let code = body["code"].as_str();
    match (status, at) {
        (StatusCode::SERVICE_UNAVAILABLE, _) if code == Some("outcome_unknown") => {
            Ok(Came::Unknown)
        }
        (StatusCode::GATEWAY_TIMEOUT, _) => Ok(Came::Unknown),
        (StatusCode::SERVICE_UNAVAILABLE, _) => Ok(Came::Nothing),
        // Whoever waits for a version that this node does not come to may ask another.
        (StatusCode::PRECONDITION_FAILED, _) if code == Some("version_not_reached") => {
            Ok(Came::Nothing)
        }
        (StatusCode::OK, Some(at)) => {
            Ok(Came::Answer(Answer { version: at.version, replayed, refused: None, body }))
        }
        (StatusCode::CONFLICT | StatusCode::NOT_FOUND, Some(at)) => {
            let refused = Some(code.context("a refusal has a code")?.to_owned());
            Ok(Came::Answer(Answer { version: at.version, replayed, refused, body }))
        }
        _ => bail!("answered {status}: {body}"),
    }
}

/// What a node says of itself, if it says anything now.
pub(super) async fn info(node: SocketAddr) -> Option<Value> {
    let asking = async {
        let mut sender = connect(node).await.ok()?;
        let request = Request::get("/v1/info").header(HOST, "localhost");
        let response = sender.send_request(request.body(Full::default()).ok()?).await.ok()?;
        let body = response.into_body().collect().await.ok()?.to_bytes();
        serde_json::from_slice(&body).ok()
    };
    tokio::time::timeout(CONNECTED_WITHIN, asking).await.ok().flatten()
}
