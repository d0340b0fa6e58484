//! A load generator over HTTP/1.1 keep-alive connections: each sends a request,
//! reads the answer, sends the next.
//!
//! It writes requests and reads answers by hand, because it shares two cores
//! with what it measures.

use std::{io, net::SocketAddr, time::Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::measure::Latencies;

/// What one connection found.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) latencies: Latencies,
    /// Answers with another status than 200.
    pub(super) others: u64,
}

/// When a load is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// At this time.
    At(Instant),
    /// After so many requests in all.
    After(u64),
}

impl Stop {
    fn reached(self, n: u64) -> bool {
        match self {
            Self::At(time) => Instant::now() >= time,
            Self::After(count) => n >= count,
        }
    }
}

/// Runs `connections` closed loops until `stop`; `request` writes the n-th request
/// of all into the buffer.
pub(super) async fn run(
    address: SocketAddr,
    connections: u64,
    stop: Stop,
    request: fn(u64, &mut Vec<u8>),
) -> io::Result<Load> {
    run_on(address, (0, connections), stop, request).await
}

/// As [`run`], of the requests from one number to before another.
pub(super) async fn run_from(
    address: SocketAddr,
    connections: u64,
    (from, to): (u64, u64),
    request: fn(u64, &mut Vec<u8>),
) -> io::Result<Load> {
    run_on(address, (from, connections), Stop::After(to), request).await
}

async fn run_on(
    address: SocketAddr,
    (from, connections): (u64, u64),
    stop: Stop,
    request: fn(u64, &mut Vec<u8>),
) -> io::Result<Load> {
    let mut tasks = tokio::task::JoinSet::new();
    for first in from..from + connections {
        tasks.spawn(connection(address, (first, connections), stop, request));
    }
    let mut all = Load { latencies: Latencies::start(), others: 0 };
    while let Some(load) = tasks.join_next().await {
        let load = load.map_err(io::Error::other)??;
        all.latencies.merge(&load.latencies);
        all.others += load.others;
    }
    all.latencies.stop();
    Ok(all)
}

async fn connection(
    address: SocketAddr,
    (first, step): (u64, u64),
    stop: Stop,
    request: fn(u64, &mut Vec<u8>),
) -> io::Result<Load> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut out, mut answer) = (Vec::new(), Vec::new());
    let mut load = Load { latencies: Latencies::start(), others: 0 };
    let mut n = first;
    while !stop.reached(n) {
        out.clear();
        request(n, &mut out);
        let begun = Instant::now();
        stream.write_all(&out).await?;
        let status = read_answer(&mut stream, &mut answer).await?;
        load.latencies.record(begun.elapsed());
        load.others += u64::from(status != 200);
        n += step;
    }
    load.latencies.stop();
    Ok(load)
}

/// Reads one answer and returns its status.
pub(super) async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let length = content_length(&buffer[..head]).ok_or(io::ErrorKind::InvalidData)?;
            while buffer.len() < head + 4 + length {
                if stream.read_buf(buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let status = buffer.get(9..12).and_then(|text| std::str::from_utf8(text).ok());
            return status
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.lines();
    lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}
