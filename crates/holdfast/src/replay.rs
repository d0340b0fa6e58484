//! `holdfast replay`: a published data set as a workload.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use flate2::read::MultiGzDecoder;
use holdfast_lab::{bookings::hotel, orders::online_retail};

use crate::{
    exit::{Exit, Failure},
    scenario::{self, ScenarioArguments},
};

/// What is replayed.
#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// Bookings of two hotels: hold, pay, check out, cancel, wait
    /// (doi 10.1016/j.dib.2018.11.126, as CSV).
    HotelBookings(ReplayArguments),
    /// Invoices of a shop: goods and money, returns, fees, back-orders
    /// (doi 10.24432/C5BW33, as CSV).
    OnlineRetail(ReplayArguments),
}

/// Arguments of a replay.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The data set; a name that ends in .gz is decompressed.
    file: PathBuf,
    #[command(flatten)]
    scenario: ScenarioArguments,
}

/// Replays a data set.
pub(crate) fn run(source: &Source) -> Result<Exit, Failure> {
    match source {
        Source::HotelBookings(arguments) => {
            let bookings = hotel::read(open(&arguments.file)?)
                .map_err(|error| unreadable(&arguments.file, &error))?;
            scenario::run(&bookings, &arguments.scenario)
        }
        Source::OnlineRetail(arguments) => {
            let orders = online_retail::read(open(&arguments.file)?)
                .map_err(|error| unreadable(&arguments.file, &error))?;
            scenario::run(&orders, &arguments.scenario)
        }
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error.into()))?;
    let file = BufReader::new(file);
    Ok(if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

fn unreadable(path: &Path, error: &anyhow::Error) -> Failure {
    Failure::usage(format!("{}: {error:#}", path.display()))
}
