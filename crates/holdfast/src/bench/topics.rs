//! Topics over HTTP: messages appended one by one and in batches, read in pages, and given
//! out and acknowledged; and how much memory a server has with many of them. A message has 200
//! bytes of data and a key.
//!
//! What is read or given out was appended before, in batches of 1,000.

use std::{io, net::SocketAddr, time::Instant};

use anyhow::Context as _;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use super::{
    BenchArgs,
    http_load::{Load, read_answer},
    measure::{Figure, Latencies, print},
    over_http::post,
    trial::{Trial, WriteRequest},
};

/// Messages of a request that appends or gives out several.
const BATCH: u64 = 100;

/// Messages of a page, and of what is appended to be read.
const PAGE: u64 = 1_000;

/// Pages that are there to be read.
const PAGES: u64 = 500;

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let trial = Trial::begin(args)?;
    trial.make(2, create_topic)?;
    trial.make(1, create_queue)?;
    trial.make(PAGES, append_page)?;
    let runs: [(&str, u64, WriteRequest); 3] = [
        ("messages over HTTP, one by one", 1, append),
        ("messages over HTTP, batches of 100", BATCH, append_batch),
        ("messages read over HTTP, pages of 1,000", PAGE, read),
    ];
    for (name, messages, request) in runs {
        show(&trial, name, messages, &trial.load(request)?);
    }
    let load = trial.runtime.block_on(give_out(args, trial.server.address))?;
    show(&trial, "messages given out and acknowledged over HTTP, by 100", BATCH, &load);
    Ok(())
}

/// Messages with which the memory of more is compared.
const FEW: u64 = 100_000;

/// One topic grows; the server's memory with few messages in it, and then tenth by tenth.
pub(super) fn fill(args: &BenchArgs) -> anyhow::Result<()> {
    let trial = Trial::begin(args)?;
    trial.make(1, create_topic)?;
    let tenths = (1..=10).map(|tenth| args.messages / 10 * tenth).filter(|at| *at > FEW);
    let (mut there, mut few) = (0, None);
    for at in std::iter::once(FEW).chain(tenths) {
        // Each share has batches, and keys, of its own.
        let batches = (there / BATCH, at / BATCH);
        let load = trial.make_from(args.connections, batches, append_batch)?;
        there = at / BATCH * BATCH;
        let (resident, highest) = trial.server.resident_bytes();
        let few = *few.get_or_insert(resident);
        let note = format!(
            "{:.0} messages/s, resident {} MiB (highest {}), {:.2} times that with {FEW}",
            load.latencies.per_second() * BATCH as f64,
            resident >> 20,
            highest >> 20,
            resident as f64 / few as f64,
        );
        let name = format!("fill a topic, {there} messages");
        print(&Figure::new(name, &load.latencies, note), args.json);
    }
    Ok(())
}

fn show(trial: &Trial<'_>, name: &str, messages: u64, load: &Load) {
    let per_second = load.latencies.per_second() * messages as f64;
    trial.show(name, &format!("{per_second:.0} messages/s, "), load);
}

fn create_topic(n: u64, out: &mut Vec<u8>) {
    let id = if n == 0 { "load" } else { "pages" };
    post(out, "/v1/topics", id, &json!({ "id": id }).to_string());
}

fn create_queue(_: u64, out: &mut Vec<u8>) {
    post(out, "/v1/topics/pages/queues", "queue", &json!({ "id": "work" }).to_string());
}

fn message(number: u64) -> String {
    let text = "x".repeat(189);
    format!(
        r#"{{"type":"booking.held","key":"guest-{:06}","data":{{"text":"{text}"}}}}"#,
        number % 1_000_000
    )
}

fn messages(first: u64, count: u64) -> String {
    let messages: Vec<_> = (first..first + count).map(message).collect();
    format!(r#"{{"messages":[{}]}}"#, messages.join(","))
}

fn append(n: u64, out: &mut Vec<u8>) {
    post(out, "/v1/topics/load/messages", &format!("one-{n}"), &message(n));
}

fn append_batch(n: u64, out: &mut Vec<u8>) {
    let body = messages(n * BATCH, BATCH);
    post(out, "/v1/topics/load/batches", &format!("batch-{n}"), &body);
}

fn append_page(n: u64, out: &mut Vec<u8>) {
    post(out, "/v1/topics/pages/batches", &format!("page-{n}"), &messages(n * PAGE, PAGE));
}

fn read(n: u64, out: &mut Vec<u8>) {
    let after = n % PAGES * PAGE;
    let path = format!("/v1/topics/pages/messages?after={after}&limit={PAGE}");
    out.extend_from_slice(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
}

/// Consumers that receive and acknowledge until nothing is left or the time is over.
async fn give_out(args: &BenchArgs, address: SocketAddr) -> anyhow::Result<Load> {
    let until = Instant::now() + args.run_for();
    let mut consumers = JoinSet::new();
    for _ in 0..args.connections {
        consumers.spawn(consumer(address, until));
    }
    let mut all = Load { latencies: Latencies::start(), others: 0 };
    while let Some(load) = consumers.join_next().await {
        let load = load.context("a consumer ended")??;
        all.latencies.merge(&load.latencies);
        all.others += load.others;
    }
    all.latencies.stop();
    Ok(all)
}

async fn consumer(address: SocketAddr, until: Instant) -> io::Result<Load> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = Vec::new();
    let mut load = Load { latencies: Latencies::start(), others: 0 };
    while Instant::now() < until {
        let begun = Instant::now();
        let limit = json!({ "limit": BATCH }).to_string();
        let received = ask(&mut stream, "receive", &limit, &mut answer).await?;
        let receipts = receipts(&answer);
        if receipts.is_empty() {
            load.others += u64::from(received != 200);
            break;
        }
        let body = format!(r#"{{"receipts":[{}]}}"#, receipts.join(","));
        let acknowledged = ask(&mut stream, "ack", &body, &mut answer).await?;
        load.others += u64::from(received != 200) + u64::from(acknowledged != 200);
        load.latencies.record(begun.elapsed());
    }
    load.latencies.stop();
    Ok(load)
}

/// Asks the queue, without a key under which the answer would be kept, and returns the
/// status.
async fn ask(
    stream: &mut TcpStream,
    command: &str,
    body: &str,
    answer: &mut Vec<u8>,
) -> io::Result<u16> {
    let request = format!(
        "POST /v1/topics/pages/queues/work/{command} HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    read_answer(stream, answer).await
}

/// The receipts of an answer, quoted as they came. It is not parsed: this shares its cores
/// with what it measures.
fn receipts(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let parts = text.split(r#""receipt":"#).skip(1);
    parts.filter_map(|part| part.split(',').next().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_found_in_an_answer() {
        let answer = br#"{"messages":[{"receipt":"1-2","attempt":1},{"receipt":"1-3","a":2}]}"#;
        assert_eq!(receipts(answer), [r#""1-2""#, r#""1-3""#]);
        assert!(receipts(br#"{"messages":[]}"#).is_empty());
    }
}
