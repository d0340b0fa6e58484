//! `holdfast bench`: what it can do on this machine, beside what the machine
//! itself can do.
//!
//! A *transfer* here is an idempotency record, the transfer with its two legs,
//! one event row and one timer, fsynced before it is answered: what a payment
//! takes, not what looks best.

mod booking;
mod connections;
mod coordination;
mod evaluation;
mod floor;
mod ground;
mod http_load;
mod in_process;
mod measure;
mod over_http;
mod overload;
mod restart;
mod topics;
mod trial;

use std::time::Duration;

use anyhow::ensure;
use clap::ValueEnum as _;

use self::{
    ground::{GroundArgs, LogKind},
    measure::{Figure, Latencies, print},
};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Bare append and fdatasync, or bare INSERT; loopback ping-pong.
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
    /// Documents, leases and limits over HTTP, and limits decided in this process.
    Coordination,
    /// Messages over HTTP: appended, read, given out and acknowledged.
    Topics,
    /// A topic that grows: throughput and the server's memory.
    FillTopic,
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
    /// What to measure; when none is named: floors, in-process, alone and http, and on PostgreSQL
    /// floors, alone and booking.
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
    /// Messages of `fill-topic`.
    #[arg(long, default_value_t = 10_000_000)]
    messages: u64,
    #[command(flatten)]
    ground: GroundArgs,
    /// One JSON object per line instead of a table.
    #[arg(long)]
    json: bool,
}

impl BenchArgs {
    fn run_for(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

impl Part {
    /// Whether it is measured on a log in files and no other.
    const fn wants_files(self) -> bool {
        match self {
            Self::Floors | Self::Evaluation | Self::InProcess | Self::Alone => false,
            Self::Http | Self::Fill | Self::Booking | Self::FillBookings => false,
            Self::Coordination | Self::Topics | Self::FillTopic => false,
            Self::Connections | Self::Overload | Self::Restart => true,
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Measures what was asked for and prints it.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let all = match args.ground.log() {
        LogKind::Files => &[Part::Floors, Part::InProcess, Part::Alone, Part::Http][..],
        LogKind::Postgres => &[Part::Floors, Part::Alone, Part::Booking],
    };
    let parts = if args.parts.is_empty() { all } else { &args.parts };
    for part in parts {
        let files = args.ground.log() == LogKind::Files;
        ensure!(files || !part.wants_files(), "{} is measured on a log in files only", part.name());
    }
    if !args.json {
        let cores = std::thread::available_parallelism()?;
        let ground = args.ground.ground()?.described()?;
        println!("{cores} cores; {ground}; {} s each", args.seconds);
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
            Part::Coordination => coordination::run(args)?,
            Part::Topics => topics::run(args)?,
            Part::FillTopic => topics::fill(args)?,
            Part::Connections => connections::run(args)?,
            Part::Overload => overload::run(args)?,
            Part::Restart => restart::run(args)?,
        }
    }
    Ok(())
}

fn floors(args: &BenchArgs) -> anyhow::Result<()> {
    let ground = args.ground.ground()?;
    let share = args.run_for() / 4;
    for bytes in [700, 64 << 10] {
        let (latencies, what) = match args.ground.log() {
            LogKind::Files => {
                (floor::append_and_sync(ground.dir(), bytes, share)?, "append B + fdatasync")
            }
            LogKind::Postgres => {
                let enough = |so_far: &Latencies| so_far.elapsed() >= share;
                (ground.bare_insert(bytes, enough)?, "bare INSERT of B")
            }
        };
        let name = format!("floor: {}", what.replace('B', &format!("{bytes} B")));
        print(&Figure::new(name, &latencies, String::new()), args.json);
    }
    let latencies = floor::ping_pong(share)?;
    print(
        &Figure::new("floor: loopback ping-pong, 1 connection", &latencies, String::new()),
        args.json,
    );
    Ok(())
}
