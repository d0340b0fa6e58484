//! A receiver over HTTP that is fenced by a lease of Holdfast's.
//!
//! Who acts under a lease says so in a header field, `Holdfast-Fencing-Token`. The receiver keeps
//! the highest token that it was shown, beside what it protects, and refuses lower ones: compared
//! and written in the one step in which it acts. A request that shows none is refused as well.
//!
//! ```sh
//! cargo run -p holdfast-client --example fencing_header -- http://127.0.0.1:7411
//! ```
//!
//! The receiver here is a lamp that knows how often it was switched, in memory. One that is to
//! protect anything beyond its own life keeps the token on the disk, with what it protects.

#[path = "fencing/exchange.rs"]
#[allow(clippy::duplicate_mod, reason = "a test has both examples in it")]
mod exchange;

use std::{error::Error, io, net::SocketAddr, time::Duration};

use exchange::{Message, ask, serve};
use holdfast_client::{Client, ClientConfig, LeaseRequest, Server, api::leases::AcquireLeaseSpec};

/// The header field.
pub const FIELD: &str = "Holdfast-Fencing-Token";

/// A lamp that is switched by whoever shows the highest token; without fencing, by anybody.
///
/// # Errors
/// When it cannot listen.
pub async fn lamp(fenced: bool) -> io::Result<SocketAddr> {
    let (mut highest, mut switched) = (0, 0);
    serve(move |request| {
        let token = request.field(FIELD).and_then(|token| token.parse::<u64>().ok());
        match token {
            None if fenced => return Message::new("HTTP/1.1 428 Precondition Required"),
            Some(token) if fenced && token < highest => {
                let highest = highest.to_string();
                return Message::new("HTTP/1.1 412 Precondition Failed").with(FIELD, &highest);
            }
            Some(token) => highest = highest.max(token),
            None => {}
        }
        if request.first_line.starts_with("POST ") {
            switched += 1;
        }
        Message::new("HTTP/1.1 200 OK").body(&switched)
    })
    .await
}

/// Switches the lamp under a token, or asks it how often it was switched.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn show(
    lamp: SocketAddr,
    method: &str,
    token: Option<u64>,
) -> io::Result<Message> {
    let request = Message::new(&format!("{method} /lamp HTTP/1.1"));
    let request = match token {
        Some(token) => request.with(FIELD, &token),
        None => request,
    };
    ask(lamp, request).await
}

/// Two holders, one after the other; the first comes back. The status that it gets, and how often
/// the lamp was switched.
///
/// # Errors
/// When somebody does not answer.
pub async fn run(holdfast: &str, fenced: bool) -> Result<(u16, String), Box<dyn Error>> {
    let client = Client::new(ClientConfig::new(Server::list(holdfast)?))?;
    let lamp = lamp(fenced).await?;

    // The first holder is granted the lease for a moment, does not renew it, and hangs before it
    // switches.
    let ttl = Some(Duration::from_millis(200).into());
    let first = AcquireLeaseSpec { ttl, ..AcquireLeaseSpec::new("lamp", "first") };
    let first = client.call(&first).await?.outcome.token.ok_or("nobody else wants it yet")?;
    show(lamp, "GET", Some(first)).await?;

    let request = LeaseRequest {
        wait_for: Some(Duration::from_secs(60)),
        ..LeaseRequest::new("lamp", Duration::from_secs(60))
    };
    let second = client.hold(&request).await?;
    // The lamp hears of the new token before its holder looks at anything.
    show(lamp, "GET", Some(second.token())).await?;
    show(lamp, "POST", Some(second.token())).await?;
    println!("the second holder switched under token {}", second.token());

    let late = show(lamp, "POST", Some(first)).await?.status();
    println!("the first holder came back with token {first}: {late}");
    let switched = show(lamp, "GET", Some(second.token())).await?.body;
    Ok((late, switched))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let holdfast = std::env::args().nth(1).ok_or("give the URL of Holdfast")?;
    let (_, switched) = run(&holdfast, true).await?;
    println!("switched {switched} times");
    Ok(())
}
