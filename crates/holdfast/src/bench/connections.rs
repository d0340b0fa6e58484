//! A crowd of connections against a server process: silent ones, ones that send
//! half a request and no more, and all of them asking at once. Beside them one
//! client works as if it were alone.

use std::{net::SocketAddr, time::Instant};

use anyhow::{Context as _, ensure};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use super::{
    BenchArgs,
    http_load::{self, Stop, read_answer},
    measure::{Figure, Latencies, print},
    over_http::{ACCOUNTS, Server, open_account, ready, transfer},
    trial::Trial,
};

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    crate::serve::raise_descriptor_limit();
    let trial = Trial::begin(args)?;
    trial.make(ACCOUNTS, open_account)?;
    trial.runtime.block_on(crowd(args, &trial.server))
}

async fn crowd(args: &BenchArgs, server: &Server) -> anyhow::Result<()> {
    let address = server.address;
    report(args, server, "connections: none but one").await?;
    let mut streams = connect(args, address).await?;
    report(args, server, &format!("connections: {} silent", streams.len())).await?;
    // The longest half of a request that is not refused: an unfinished head.
    let half = format!("GET /ready HTTP/1.1\r\nhost: localhost\r\nx-slow: {}", "a".repeat(2_000));
    for stream in &mut streams {
        stream.write_all(half.as_bytes()).await?;
    }
    report(args, server, &format!("connections: {} with half a head", streams.len())).await?;
    finish(streams).await?;
    let latencies = all_at_once(args, address).await?;
    print(&figure(server, "connections: a transfer from each at once", &latencies), args.json);
    Ok(())
}

/// How one client fares, and what the server holds in memory.
async fn report(args: &BenchArgs, server: &Server, name: &str) -> anyhow::Result<()> {
    let until = Stop::At(Instant::now() + args.run_for() / 4);
    let load = http_load::run(server.address, 1, until, ready).await?;
    ensure!(load.others == 0, "{} requests beside the crowd were not answered 200", load.others);
    print(&figure(server, name, &load.latencies), args.json);
    Ok(())
}

fn figure(server: &Server, name: &str, latencies: &Latencies) -> Figure {
    let (resident, highest) = server.resident_bytes();
    let note = format!("server resident {} MiB (highest {})", resident >> 20, highest >> 20);
    Figure::new(name, latencies, note)
}

async fn connect(args: &BenchArgs, address: SocketAddr) -> anyhow::Result<Vec<TcpStream>> {
    let mut streams = Vec::new();
    for number in 0..args.crowd {
        let connected = TcpStream::connect(address).await;
        streams.push(connected.with_context(|| format!("opening connection {number}"))?);
    }
    Ok(streams)
}

/// Sends the other halves: every one of them is answered.
async fn finish(mut streams: Vec<TcpStream>) -> anyhow::Result<()> {
    for stream in &mut streams {
        stream.write_all(b"\r\n\r\n").await?;
    }
    let mut buffer = Vec::new();
    for stream in &mut streams {
        let status = read_answer(stream, &mut buffer).await?;
        ensure!(status == 200, "a request sent in two halves was answered {status}");
    }
    Ok(())
}

/// A transfer over a connection of its own, from everyone at once.
async fn all_at_once(args: &BenchArgs, address: SocketAddr) -> anyhow::Result<Latencies> {
    let mut asking = JoinSet::new();
    for (n, mut stream) in (0..).zip(connect(args, address).await?) {
        asking.spawn(async move {
            let mut out = Vec::new();
            transfer(n, &mut out);
            let begun = Instant::now();
            stream.write_all(&out).await?;
            let mut answer = Vec::new();
            let status = read_answer(&mut stream, &mut answer).await?;
            std::io::Result::Ok((status, begun.elapsed()))
        });
    }
    let (mut latencies, mut overloaded) = (Latencies::start(), 0);
    while let Some(asked) = asking.join_next().await {
        match asked?? {
            (200, took) => latencies.record(took),
            (503, _) => overloaded += 1,
            (status, _) => anyhow::bail!("a transfer was answered {status}"),
        }
    }
    latencies.stop();
    if !args.json {
        println!("    {overloaded} told that the server is overloaded");
    }
    Ok(latencies)
}
