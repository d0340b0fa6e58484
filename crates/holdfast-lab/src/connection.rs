//! One caller's way to whoever is asked: a kept-alive HTTP connection, or calls in
//! this process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use holdfast_engine::{Asked, Decision};
use holdfast_http::fingerprint::fingerprint;
use holdfast_node::{Ask, At, Consistency, Node};
use holdfast_state::{
    Namespace,
    command::{Input, Refused},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Response, StatusCode,
    body::Incoming,
    client::conn::http1::SendRequest,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::{request::Answer, target::Target};

const PATH: &str = "/v1/transactions";
const COMMAND: &str = "transactions.run";

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same, where there are other nodes to ask.
const PATIENCE_WITH_ONE: Duration = Duration::from_secs(2);

/// One caller's way.
pub(crate) enum Connection {
    Http(SendRequest<Full<Bytes>>),
    /// To one node of several.
    OneOf(SendRequest<Full<Bytes>>),
    InProcess(Arc<Node>),
}

/// What became of sending.
pub(crate) enum Sent {
    /// An answer that counts.
    Answered(Answer),
    /// None: whether it happened is not known, or it did not and may be tried again.
    NotNow,
}

impl Connection {
    /// A way to the target, as it is now.
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        match target {
            Target::InProcess(node) => Ok(Self::InProcess(Arc::clone(node))),
            Target::Server(server) => Ok(Self::Http(connect(server.address()).await?)),
            // Whoever comes back without an answer is sent to the next.
            Target::Cluster(several) => Ok(Self::OneOf(connect(several.next_address()).await?)),
        }
    }

    /// Sends once.
    pub(crate) async fn send(&mut self, key: Option<&str>, body: &Bytes) -> anyhow::Result<Sent> {
        let patience = match self {
            Self::Http(_) | Self::InProcess(_) => PATIENCE,
            Self::OneOf(_) => PATIENCE_WITH_ONE,
        };
        let sending = async {
            match self {
                Self::Http(sender) | Self::OneOf(sender) => over_http(sender, key, body).await,
                Self::InProcess(node) => in_process(node, key, body).await,
            }
        };
        tokio::time::timeout(patience, sending).await.unwrap_or(Ok(Sent::NotNow))
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Its end shows in the sender.
    tokio::spawn(connection);
    Ok(sender)
}

async fn over_http(
    sender: &mut SendRequest<Full<Bytes>>,
    key: Option<&str>,
    body: &Bytes,
) -> anyhow::Result<Sent> {
    let mut request = hyper::Request::post(PATH)
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    // A connection that ends meanwhile says nothing of what became of the request.
    if sender.ready().await.is_err() {
        return Ok(Sent::NotNow);
    }
    let Ok(response) = sender.send_request(request.body(Full::new(body.clone()))?).await else {
        return Ok(Sent::NotNow);
    };
    read(response).await
}

async fn read(response: Response<Incoming>) -> anyhow::Result<Sent> {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let at = header("holdfast-at").map(str::to_owned);
    let replayed = header("idempotency-replayed").is_some();
    let Ok(body) = response.into_body().collect().await else { return Ok(Sent::NotNow) };
    let body = body.to_bytes();
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT) {
        return Ok(Sent::NotNow);
    }
    let shown = || String::from_utf8_lossy(&body).into_owned();
    let at: At = at.with_context(|| format!("{status}: {}", shown()))?.parse()?;
    let refused = match status {
        StatusCode::OK => None,
        _ => Some(code_of(&body).with_context(|| format!("{status}: {}", shown()))?),
    };
    Ok(Sent::Answered(Answer { version: at.version.get(), replayed, refused, body }))
}

fn code_of(problem: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(problem).ok()?;
    problem["code"].as_str().map(str::to_owned)
}

async fn in_process(node: &Node, key: Option<&str>, body: &Bytes) -> anyhow::Result<Sent> {
    let registry = node.registry();
    let entry = registry.command(COMMAND).context("the node composes transactions")?;
    let input = Input { body, fields: &[], commands: registry.commands() };
    let call = entry.parse(input)?;
    let asked =
        Asked { fingerprint: fingerprint("POST", PATH, "", body, &[]), key: key.map(Into::into) };
    let ask = Ask {
        namespace: Namespace::DEFAULT,
        asked: Some(asked),
        timeout: PATIENCE,
        after: None,
        consistency: Consistency::Linearizable,
    };
    let Ok(reply) = node.execute(ask, entry.kind, call, problem).await else {
        return Ok(Sent::NotNow);
    };
    let refused = match reply.decision {
        Decision::Done => None,
        Decision::Refused => Some(code_of(&reply.body).context("a refusal has a code")?),
    };
    let (version, replayed) = (reply.at.version.get(), reply.replayed);
    Ok(Sent::Answered(Answer { version, replayed, refused, body: reply.body }))
}

fn problem(refused: &Refused) -> Vec<u8> {
    let (code, operation, pointer) = (refused.info.code, &refused.operation, &refused.pointer);
    let facts = &refused.facts;
    json!({ "code": code, "operation": operation, "pointer": pointer, "facts": facts })
        .to_string()
        .into_bytes()
}
