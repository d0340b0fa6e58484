//! Documents, leases and limits over HTTP, each request with an idempotency key and synced before it
//! is answered; and limits that the client decides in this process, from slices of that server.
//!
//! The same connections asking for nothing that is durable (`GET /ready`) are the floor of what HTTP
//! itself takes on these cores, load generator included.

use std::{
    io::Write as _,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use holdfast_client::{Client, ClientConfig, Decision, Limiter, LimiterRequest, Server as Place};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{
    BenchArgs,
    http_load::read_answer,
    in_process::mix,
    measure::{Figure, Latencies, print},
    over_http::{post, ready},
    trial::Trial,
};

/// Documents, and users whose requests are counted.
const NAMES: u64 = 1_000;

/// What a user may do in a second, exactly: more than one machine asks.
const PER_USER: &str = r#"{"rules":[{"name":"user","by":["user"],"quota":{"algorithm":"sliding_log","max":1000000,"window":"PT1S"}}]}"#;

/// What all may do in a second that are decided in this process: more than they ask.
const PER_EDGE: &str = r#"{"rules":[{"name":"all","quota":{"algorithm":"sliding_log","max":1000000000,"window":"PT1S"}}]}"#;

/// Permits of a slice.
const SLICE: u64 = 1_000_000;

/// Permits that are taken between two looks at the clock.
const DECISIONS_A_LOOK: u64 = 256;

/// Threads that take permits of one limiter.
const THREADS: [usize; 2] = [1, 2];

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let trial = Trial::begin(args)?;
    trial.make(2, put_limit)?;
    trial.measure("floor: GET /ready over HTTP", ready)?;
    trial.measure("document put over HTTP", put_document)?;
    trial.measure("sliding log check over HTTP", check_limit)?;
    let (address, until) = (trial.server.address, Instant::now() + args.run_for());
    let pairs = trial.runtime.block_on(hold_and_release(address, args.connections, until))?;
    let note = format!("{} connections, two requests each", args.connections);
    print(&Figure::new("lease acquire and release over HTTP", &pairs, note), args.json);
    THREADS.into_iter().try_for_each(|threads| decided_here(args, address, threads))
}

/// The key of the n-th request of a load: 36 characters, as a UUID has.
fn key(load: u16, n: u64) -> String {
    format!("{:08x}-{load:04x}-4000-8000-{n:012x}", mix(n) >> 32)
}

fn put_limit(n: u64, out: &mut Vec<u8>) {
    let (id, rules) = if n == 0 { ("api", PER_USER) } else { ("edge", PER_EDGE) };
    put(out, &format!("/v1/limits/{id}"), id, rules);
}

fn put_document(n: u64, out: &mut Vec<u8>) {
    let path = format!("/v1/collections/carts/documents/guest-{:04}", mix(n) % NAMES);
    let body = json!({ "value": {
        "items": [{ "sku": "room-17", "nights": 2, "price": 25_800 }], "currency": "EUR", "seen": n,
        "note": "two nights in a double room with a view of the river, breakfast included",
    } });
    put(out, &path, &key(1, n), &body.to_string());
}

fn check_limit(n: u64, out: &mut Vec<u8>) {
    let body = format!(r#"{{"descriptors":{{"user":"user-{:04}"}}}}"#, mix(n) % NAMES);
    post(out, "/v1/limits/api/check", &key(2, n), &body);
}

fn put(out: &mut Vec<u8>, path: &str, key: &str, body: &str) {
    write!(
        out,
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("writing to memory cannot fail");
}

/// On each connection, a lease of its own is granted and released, again and again.
async fn hold_and_release(
    address: SocketAddr,
    connections: u64,
    until: Instant,
) -> anyhow::Result<Latencies> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..connections {
        tasks.spawn(hold_and_release_one(address, number, until));
    }
    let mut all = Latencies::start();
    while let Some(one) = tasks.join_next().await {
        all.merge(&one??);
    }
    all.stop();
    Ok(all)
}

async fn hold_and_release_one(
    address: SocketAddr,
    number: u64,
    until: Instant,
) -> anyhow::Result<Latencies> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Latencies::start();
    let (mut answer, mut turn) = (Vec::new(), 0_u64);
    while Instant::now() < until {
        let begun = Instant::now();
        let body = r#"{"owner":"node-1","ttl":"PT10S"}"#;
        let n = (number << 40) + 2 * turn;
        lease(&mut stream, &mut answer, (number, "acquire", n), body).await?;
        let token = token_of(&answer).context("a grant has a token")?;
        let body = format!(r#"{{"token":{token}}}"#);
        lease(&mut stream, &mut answer, (number, "release", n + 1), &body).await?;
        latencies.record(begun.elapsed());
        turn += 1;
    }
    latencies.stop();
    Ok(latencies)
}

async fn lease(
    stream: &mut TcpStream,
    answer: &mut Vec<u8>,
    (number, verb, n): (u64, &str, u64),
    body: &str,
) -> anyhow::Result<()> {
    let mut out = Vec::with_capacity(256);
    post(&mut out, &format!("/v1/leases/job-{number:04}/{verb}"), &key(3, n), body);
    stream.write_all(&out).await?;
    match read_answer(stream, answer).await? {
        200 => Ok(()),
        status => bail!("{verb}: {status} {}", String::from_utf8_lossy(answer)),
    }
}

/// The number behind `"token":` in an answer. It is not parsed: this shares its cores with what it
/// measures.
fn token_of(answer: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(answer).ok()?;
    let digits = text.split_once("\"token\":")?.1;
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    digits[..end].parse().ok()
}

/// Threads of this process take permits of one limiter, which takes slices from the server.
fn decided_here(args: &BenchArgs, address: SocketAddr, threads: usize) -> anyhow::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build()?;
    let client = Client::new(ClientConfig::new(Place::list(&format!("http://{address}"))?))?;
    let limiter = runtime.block_on(client.limiter(&LimiterRequest::new("edge", SLICE)))?;
    let until = Instant::now() + args.run_for();
    let mut all = Latencies::start();
    let (mut allowed, mut others) = (0_u64, 0_u64);
    std::thread::scope(|scope| {
        let deciding: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| decide(&limiter, until))).collect();
        for one in deciding {
            let (latencies, one_allowed, one_others) = one.join().expect("it does not panic");
            all.merge(&latencies);
            allowed += one_allowed;
            others += one_others;
        }
    });
    all.stop();
    let rate = allowed as f64 / all.elapsed().as_secs_f64();
    let note = format!(
        "{DECISIONS_A_LOOK} each: {rate:.0} permits/s of slices of {SLICE}, {others} without"
    );
    let name = format!("permits from a slice, threads: {threads}");
    print(&Figure::new(name, &all, note), args.json);
    runtime.block_on(limiter.close())?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// Times of some decisions each, how many allowed, and how many said something else.
fn decide(limiter: &Limiter, until: Instant) -> (Latencies, u64, u64) {
    let (mut latencies, mut allowed, mut others) = (Latencies::start(), 0, 0);
    while Instant::now() < until {
        let begun = Instant::now();
        for _ in 0..DECISIONS_A_LOOK {
            match limiter.decide(1) {
                Decision::Allowed => allowed += 1,
                _ => others += 1,
            }
        }
        latencies.record(begun.elapsed());
    }
    latencies.stop();
    (latencies, allowed, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_an_answer() {
        assert_eq!(token_of(br#"{"id":"a","token":48211,"expires_at":"x"}"#), Some(48_211));
        assert_eq!(token_of(br#"{"id":"a"}"#), None);
    }
}
