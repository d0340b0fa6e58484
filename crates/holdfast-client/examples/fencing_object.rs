//! An object that is fenced by a lease of Holdfast's, in a store that can put on a condition.
//!
//! The object holds the token under which it was written. Who writes reads it first; a higher token
//! there means that it is too late. Else it puts what it made of what it read, with its own token, on the
//! condition that the object is still the one that it read (`If-Match`). A new holder puts the
//! object with its token before anything else: from then on nobody's condition of before holds.
//!
//! ```sh
//! cargo run -p holdfast-client --example fencing_object -- http://127.0.0.1:7411
//! ```
//!
//! The store here is thirty lines that answer `GET` with an `ETag` and `PUT` by `If-Match` and
//! `If-None-Match: *`, as S3, GCS (by its generation) and Azure do. It stands for them; it is not them.

#[path = "fencing/exchange.rs"]
#[allow(clippy::duplicate_mod, reason = "a test has both examples in it")]
mod exchange;

use std::{collections::BTreeMap, error::Error, io, net::SocketAddr, time::Duration};

use exchange::{Message, ask, serve};
use holdfast_client::{Client, ClientConfig, LeaseRequest, Server, api::leases::AcquireLeaseSpec};

/// A store of objects in this process.
///
/// # Errors
/// When it cannot listen.
pub async fn store() -> io::Result<SocketAddr> {
    let mut objects: BTreeMap<String, (u64, String)> = BTreeMap::new();
    let mut puts = 0;
    serve(move |request| {
        let mut words = request.first_line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let there = objects.get(path);
        let etag = there.map(|(etag, _)| format!("\"{etag}\""));
        if method == "GET" {
            return match there {
                Some((etag, body)) => {
                    Message::new("HTTP/1.1 200 OK").with("ETag", &format!("\"{etag}\"")).body(body)
                }
                None => Message::new("HTTP/1.1 404 Not Found"),
            };
        }
        let matches = match (request.field("if-match"), request.field("if-none-match")) {
            (Some(wanted), _) => etag.as_deref() == Some(wanted),
            (None, Some("*")) => etag.is_none(),
            (None, _) => true,
        };
        if !matches {
            return Message::new("HTTP/1.1 412 Precondition Failed");
        }
        puts += 1;
        objects.insert(path.to_owned(), (puts, request.body.clone()));
        Message::new("HTTP/1.1 200 OK").with("ETag", &format!("\"{puts}\""))
    })
    .await
}

/// An object as somebody read it.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it was then: the condition of a put.
    etag: Option<String>,
    /// The token under which it was written; 0 if it is not there.
    token: u64,
    /// What it says.
    pub lines: String,
}

/// What became of a put.
#[derive(Debug, PartialEq, Eq)]
pub enum Put {
    /// It is in the place of what was read.
    Done,
    /// A higher token was there, or the object was another by then.
    Refused,
}

/// Reads the object.
///
/// # Errors
/// When the store does not answer.
pub async fn read(store: SocketAddr) -> io::Result<Read> {
    let answer = ask(store, Message::new("GET /ledger HTTP/1.1")).await?;
    if answer.status() == 404 {
        return Ok(Read { etag: None, token: 0, lines: String::new() });
    }
    let (token, lines) = answer.body.split_once('\n').unwrap_or_default();
    let token = token.strip_prefix("token ").and_then(|token| token.parse().ok());
    Ok(Read {
        etag: answer.field("etag").map(str::to_owned),
        token: token.ok_or_else(|| io::Error::other("an object without a token"))?,
        lines: lines.to_owned(),
    })
}

/// Puts these lines in the place of what was read, under a token.
///
/// # Errors
/// When the store does not answer.
pub async fn put(store: SocketAddr, read: &Read, token: u64, lines: &str) -> io::Result<Put> {
    if read.token > token {
        return Ok(Put::Refused);
    }
    let request = Message::new("PUT /ledger HTTP/1.1").body(&format!("token {token}\n{lines}"));
    let request = match &read.etag {
        Some(etag) => request.with("If-Match", etag),
        None => request.with("If-None-Match", &"*"),
    };
    match ask(store, request).await?.status() {
        412 => Ok(Put::Refused),
        _ => Ok(Put::Done),
    }
}

/// Takes the object over: from now on nobody with a lower token can put it.
///
/// # Errors
/// When the store does not answer.
pub async fn take_over(store: SocketAddr, token: u64) -> io::Result<Option<Read>> {
    loop {
        let before = read(store).await?;
        if before.token > token {
            return Ok(None);
        }
        // Who was before may have put once more in between: then it is read again.
        if put(store, &before, token, &before.lines).await? == Put::Done {
            return Ok(Some(read(store).await?));
        }
    }
}

/// Two holders, one after the other; the first comes back. What became of its put, and the object.
///
/// # Errors
/// When somebody does not answer.
pub async fn run(holdfast: &str, fenced: bool) -> Result<(Put, String), Box<dyn Error>> {
    let client = Client::new(ClientConfig::new(Server::list(holdfast)?))?;
    let store = store().await?;

    // The first holder is granted the lease for a moment, does not renew it, and hangs between
    // reading and putting.
    let ttl = Some(Duration::from_millis(200).into());
    let first = AcquireLeaseSpec { ttl, ..AcquireLeaseSpec::new("ledger", "first") };
    let first = client.call(&first).await?.outcome.token.ok_or("nobody else wants it yet")?;
    let hanging = take_over(store, first).await?.ok_or("nobody was before")?;

    let request = LeaseRequest {
        wait_for: Some(Duration::from_secs(60)),
        ..LeaseRequest::new("ledger", Duration::from_secs(60))
    };
    let second = client.hold(&request).await?;
    let mine = take_over(store, second.token()).await?.ok_or("nobody came after")?;
    let lines = format!("{}invoice 17 charged\n", mine.lines);
    put(store, &mine, second.token(), &lines).await?;
    println!("the second holder put its line under token {}", second.token());

    let lines = format!("{}invoice 17 charged\n", hanging.lines);
    let late = if fenced {
        put(store, &hanging, first, &lines).await?
    } else {
        // The control: on no condition.
        let request = Message::new("PUT /ledger HTTP/1.1");
        ask(store, request.body(&format!("token {first}\n{lines}invoice 17 charged\n"))).await?;
        Put::Done
    };
    println!("the first holder came back with token {first}: {late:?}");
    Ok((late, read(store).await?.lines))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let holdfast = std::env::args().nth(1).ok_or("give the URL of Holdfast")?;
    let (_, lines) = run(&holdfast, true).await?;
    print!("{lines}");
    Ok(())
}
