//! `holdfast cluster demo`: made-up bookings on three nodes that share a log on PostgreSQL, all
//! started here; whoever leads is killed or halted, again and again; a naive model judges.
//!
//! Workload, model and checks are those of `demo`. Callers go to another node when one does not
//! answer, and repeat under their keys what nobody answered.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use holdfast_lab::{
    Options, Target,
    bookings::{Bookings, generated},
};

use super::{Place, PostgresPrograms};
use crate::{
    exit::{Exit, Failure},
    scenario,
};

/// More than are made in a second here, so that they do not run out.
const BOOKINGS_PER_SECOND: u64 = 3_000;

/// What the log is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DemoLog {
    /// A primary and two synchronous standbys.
    Postgres,
}

/// Arguments of `cluster demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// What the nodes share.
    #[arg(long, value_enum, default_value_t = DemoLog::Postgres)]
    log: DemoLog,
    /// For how long bookings are made.
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often whoever leads is struck: killed (kill -9) and halted (SIGSTOP), in turn.
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    kill: u64,
    /// Callers beside each other.
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    concurrency: usize,
    /// How many of a hundred writes are sent twice at once.
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=100))]
    duplicates: u64,
    /// Keep the data and logs of nodes and servers in this directory, which must be new.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Decides what is made up and what is sent twice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write each answer to this file, as a line of JSON.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    #[command(flatten)]
    postgres: PostgresPrograms,
    /// Print one JSON object instead of lines for people.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(super) fn run(arguments: &DemoArguments) -> Result<Exit, Failure> {
    let cannot =
        |error: anyhow::Error| Failure::new(Exit::CannotStart, anyhow::anyhow!("{error:#}"));
    let DemoLog::Postgres = arguments.log;
    let place = Place::of(arguments.data.as_deref())?;
    let machine = arguments.postgres.machine()?;
    let target = Target::cluster(&machine, place.path()).map_err(cannot)?;
    introduce(&target, &place);
    let bookings = usize::try_from(arguments.seconds * BOOKINGS_PER_SECOND).unwrap_or(usize::MAX);
    let mut bookings = generated::bookings(bookings, arguments.seed);
    // Rooms for the first of them, which is how far it gets: else nobody would find none.
    let first = &bookings.bookings[..bookings.bookings.len() / 10];
    bookings.stock = Bookings::stock_for(first, 90);
    "cluster demo".clone_into(&mut bookings.name);
    let options = Options {
        concurrency: arguments.concurrency.max(1),
        duplicates_percent: arguments.duplicates,
        kills: arguments.kill,
        stop_after: Some(Duration::from_secs(arguments.seconds)),
        history: arguments.history.clone(),
        seed: arguments.seed,
        progress: false,
    };
    let report = holdfast_lab::run(&bookings, &target, &options)
        .map_err(|error| Failure::new(Exit::NoAnswer, anyhow::anyhow!("{error:#}")))?;
    target.close().map_err(|error| Failure::new(Exit::Stopped, error))?;
    scenario::tell(&report, arguments.json)
}

/// What runs where, for people who want to look at it meanwhile.
fn introduce(target: &Target, place: &Place) {
    let Target::Cluster(several) = target else { return };
    let nodes: Vec<_> = several.addresses().iter().map(ToString::to_string).collect();
    eprintln!("three nodes, and PostgreSQL with two standbys, in {}", place.path().display());
    eprintln!("meanwhile, in another terminal: holdfast cluster status {}", nodes.join(" "));
}
