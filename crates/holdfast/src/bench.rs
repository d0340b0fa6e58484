//! `holdfast bench`: what it can do on this machine, beside what the machine
//! itself can do.
//!
//! A *transfer* here is an idempotency record, the transfer with its two legs,
//! one event row and one timer, fsynced before it is answered: what a payment
//! takes, not what looks best.

mod booking;
mod connections;
mod evaluation;
mod floor;
mod http_load;
mod in_process;
mod measure;
mod over_http;
mod overload;
mod restart;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;

use self::measure::{Figure, print};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Bare append and fdatasync, loopback ping-pong.
    Floors,
    /// What transfers, holds and messages cost on one core, without log, disk and threads.
    Evaluation,
    /// Transfers in this process, 256 in flight: uniform, and all from one account.
    InProcess,
    /// Transfers in this process, one at a time.
    Alone,
    /// Transfers over HTTP, 64 connections, against a server process.
    Http,
    /// A long run: throughput and memory as the state grows.
    Fill,
    /// Book and pay, in this process and over HTTP; transfers in batches; a flash sale.
    Booking,
    /// A long run of bookings in this process: throughput and memory as the state grows.
    FillBookings,
    /// Many connections that say nothing, then half a request, then all of it at once.
    Connections,
    /// Ten times what a disk with syncs of 20 ms can take, in this process.
    Overload,
    /// Start from a snapshot and 100,000 transactions.
    Restart,
}

/// Measures throughput and latency.
#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// What to measure; floors, in-process, alone and http when none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Seconds per figure.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Accounts that transfers are spread over.
    #[arg(long, default_value_t = 10_000)]
    accounts: u64,
    /// Transfers in flight in this process.
    #[arg(long, default_value_t = 256)]
    in_flight: u64,
    /// Connections over HTTP.
    #[arg(long, default_value_t = 64)]
    connections: u64,
    /// Connections of `connections`.
    #[arg(long, default_value_t = 10_000)]
    crowd: u64,
    /// Transfers of `fill`, and those before the snapshot of `restart`.
    #[arg(long, default_value_t = 1_000_000)]
    transfers: u64,
    /// Bookings of `fill-bookings`.
    #[arg(long, default_value_t = 1_000_000)]
    bookings: u64,
    /// Where to put the data; a fresh directory below it is made and removed.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// One JSON object per line instead of a table.
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    fn run_for(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn scratch(&self) -> anyhow::Result<tempfile::TempDir> {
        let dir = tempfile::Builder::new().prefix("holdfast-bench-").tempdir_in(&self.dir);
        dir.with_context(|| format!("making a directory in {}", self.dir.display()))
    }
}

/// Measures what was asked for and prints it.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let all = [Part::Floors, Part::InProcess, Part::Alone, Part::Http];
    let parts = if args.parts.is_empty() { &all[..] } else { &args.parts };
    if !args.json {
        let cores = std::thread::available_parallelism()?;
        println!(
            "{cores} cores; log in files, fdatasync before every answer; {} s each",
            args.seconds
        );
    }
    for part in parts {
        match part {
            Part::Floors => floors(args)?,
            Part::Evaluation => evaluation::run(args)?,
            Part::InProcess => in_process::throughput(args)?,
            Part::Alone => in_process::alone(args)?,
            Part::Http => over_http::run(args)?,
            Part::Fill => in_process::fill(args)?,
            Part::Booking => booking::run(args)?,
            Part::FillBookings => booking::fill(args)?,
            Part::Connections => connections::run(args)?,
            Part::Overload => overload::run(args)?,
            Part::Restart => restart::run(args)?,
        }
    }
    Ok(())
}

fn floors(args: &BenchArgs) -> anyhow::Result<()> {
    let dir = args.scratch()?;
    for bytes in [700, 64 << 10] {
        let latencies = floor::append_and_sync(dir.path(), bytes, args.run_for() / 4)?;
        let name = format!("floor: append {bytes} B + fdatasync");
        print(&Figure::new(name, &latencies, String::new()), args.json);
    }
    let latencies = floor::ping_pong(args.run_for() / 4)?;
    print(
        &Figure::new("floor: loopback ping-pong, 1 connection", &latencies, String::new()),
        args.json,
    );
    Ok(())
}
