//! What an append costs on a PostgreSQL of its own, beside the bare INSERT of the same bytes on
//! the same server in the same run.
//!
//! ```sh
//! cargo run --release -p holdfast-log-postgres --example bench
//! ```
//!
//! `--bytes N` is the size of an entry (1024), `--seconds N` the length of each part (3).

use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use holdfast_log::{Append, Log, LogError, Position};
use holdfast_log_postgres::bare::Bare;
use holdfast_log_postgres::server::{Binaries, Server};
use holdfast_log_postgres::{PostgresLog, PostgresOptions};

type Failure = Box<dyn std::error::Error>;

/// Rounds of bare and own, one after the other, so that both see the same disk.
const ROUNDS: u32 = 3;

fn main() -> Result<(), Failure> {
    let bytes = Bytes::from(vec![7; argument("--bytes", 1024)?]);
    let part = Duration::from_secs(argument("--seconds", 3)?);
    let binaries = Binaries::find().ok_or("PostgreSQL is not installed")?;
    let dir = tempfile::tempdir()?;
    let server = Server::create(&binaries, dir.path(), "n0", &[])?;
    let version = server.sql("SHOW server_version")?;
    println!("PostgreSQL {version}, fsync on, one server on this machine; {} bytes", bytes.len());
    let log = PostgresLog::open(PostgresOptions::new(server.connection()))?;
    let mut next = 1;
    let table = Bare::create(&server.connection(), "bare")?;
    let [mut bare, mut own] = [Histogram::<u64>::new(3)?, Histogram::new(3)?];
    for _ in 0..ROUNDS {
        bare.add(bare_inserts(&table, &bytes, part / ROUNDS)?)?;
        own.add(appends(&log, &mut next, &bytes, 1, part / ROUNDS)?)?;
    }
    print("bare INSERT, alone", &bare, part);
    print("append, alone", &own, part);
    let ratio = own.value_at_quantile(0.5) as f64 / bare.value_at_quantile(0.5) as f64;
    println!("append alone / bare INSERT at p50: {ratio:.2}");
    for in_flight in [8, 64, 256] {
        let latencies = appends(&log, &mut next, &bytes, in_flight, part)?;
        print(&format!("append, {in_flight} in flight"), &latencies, part);
    }
    Ok(())
}

fn argument<T: std::str::FromStr>(name: &str, default: T) -> Result<T, Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    let Some(value) = arguments.next() else { return Ok(default) };
    value.parse().map_err(|_| format!("{name}: {value} is no number").into())
}

fn print(what: &str, latencies: &Histogram<u64>, part: Duration) {
    let per_second = latencies.len() as f64 / part.as_secs_f64();
    let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    println!("{what:24} {per_second:8.0}/s  p50 {:7.3} ms  p99 {:7.3} ms", ms(0.5), ms(0.99));
}

/// One INSERT after the other, prepared, on one connection of the same client library.
fn bare_inserts(bare: &Bare, bytes: &[u8], part: Duration) -> Result<Histogram<u64>, Failure> {
    let mut latencies = Histogram::new(3)?;
    let began = Instant::now();
    while began.elapsed() < part {
        let sent = Instant::now();
        bare.insert(bytes)?;
        latencies.record(micros(sent.elapsed()))?;
    }
    Ok(latencies)
}

/// Appends to position after position, so many under way at a time.
fn appends(
    log: &PostgresLog,
    next: &mut u64,
    bytes: &Bytes,
    in_flight: usize,
    part: Duration,
) -> Result<Histogram<u64>, Failure> {
    let (answers, answered) = mpsc::channel();
    let mut send = || -> Result<(), Failure> {
        let position = Position::new(*next).ok_or("positions begin at 1")?;
        *next += 1;
        let (answers, sent) = (answers.clone(), Instant::now());
        let done = move |result: Result<Append, LogError>| {
            drop(answers.send((result, sent.elapsed())));
        };
        log.append(position, bytes.clone(), Box::new(done));
        Ok(())
    };
    let mut latencies = Histogram::new(3)?;
    let began = Instant::now();
    let mut under_way = 0;
    loop {
        while under_way < in_flight && began.elapsed() < part {
            send()?;
            under_way += 1;
        }
        if under_way == 0 {
            return Ok(latencies);
        }
        let (result, latency) = answered.recv()?;
        if result? != Append::Ok {
            return Err("a position of the bench was taken".into());
        }
        latencies.record(micros(latency))?;
        under_way -= 1;
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
