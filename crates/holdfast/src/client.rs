//! One request to a server, one answer.

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Uri,
    header::{CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The largest answer that is taken, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// What to ask.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) server: String,
    pub(crate) method: &'static str,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// JSON, where the method takes any.
    pub(crate) body: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) at: Option<String>,
    pub(crate) replayed: bool,
    pub(crate) body: Bytes,
}

/// Asks.
pub(crate) async fn send(request: Request) -> anyhow::Result<Answer> {
    let server: Uri = request.server.parse().context("not a URL")?;
    anyhow::ensure!(server.scheme_str() == Some("http"), "only http:// URLs can be called");
    let host = server.host().context("the URL names no host")?;
    let authority = server.authority().context("the URL names no host")?.as_str();
    let port = server.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut built =
        hyper::Request::builder().method(request.method).uri(request.path).header(HOST, authority);
    if request.body.is_some() {
        built = built.header(CONTENT_TYPE, "application/json");
    }
    for (name, value) in request.headers {
        built = built.header(name, value);
    }
    let body = Full::new(Bytes::from(request.body.unwrap_or_default()));
    let response = sender.send_request(built.body(body)?).await?;
    let answer = read(response).await;
    drop(sender);
    connection.await??;
    answer
}

async fn read(response: hyper::Response<hyper::body::Incoming>) -> anyhow::Result<Answer> {
    let header = |name: &str| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let (at, replayed) = (header("holdfast-at"), header("idempotency-replayed").is_some());
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
    Ok(Answer { status, at, replayed, body: body.to_bytes() })
}
