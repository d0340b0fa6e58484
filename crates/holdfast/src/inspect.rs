//! `holdfast log inspect`: what the log of a stopped server holds.

use std::path::PathBuf;

use clap::Args;
use holdfast_log::{Body, Step};
use holdfast_node::{Offline, OpenError, offline::Inspected};
use holdfast_state::LogTime;
use serde::Serialize;

use crate::exit::{self, Exit, Failure};

/// Arguments of `log inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// Directory with the data.
    #[arg(long, env = "HOLDFAST_DATA", value_name = "DIR")]
    data: PathBuf,
    /// The first position to list.
    #[arg(long, value_name = "POSITION", default_value_t = 1)]
    from: u64,
    /// How many to list.
    #[arg(long, value_name = "COUNT", default_value_t = u64::MAX, hide_default_value = true)]
    limit: u64,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// A line of the list.
#[derive(Serialize)]
struct Line {
    position: u64,
    kind: &'static str,
    epoch: u64,
    sequence: u64,
    first_version: u64,
    count: u32,
    bytes: usize,
    time: LogTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

const TITLES: &str = "  position kind   epoch  sequence  first_version   count     bytes  time";

impl Line {
    fn of(inspected: &Inspected) -> Self {
        let header = &inspected.entry.header;
        let (kind, note) = match (&inspected.step, &inspected.entry.body) {
            (Step::Dead(reason), _) => ("dead", Some(format!("{reason:?}"))),
            (_, Body::Claim(claim)) => ("claim", Some(format!("by {}", claim.node))),
            (_, Body::Renewal(claim)) if claim.lease_ms == 0 => {
                ("resign", Some(format!("by {}", claim.node)))
            }
            (_, Body::Renewal(claim)) => ("renew", Some(format!("by {}", claim.node))),
            (_, Body::Batch(_)) => ("batch", None),
        };
        Self {
            position: inspected.position.get(),
            kind,
            epoch: header.epoch.get(),
            sequence: header.sequence,
            first_version: header.first_version,
            count: header.count,
            bytes: inspected.bytes,
            time: LogTime::from_us(header.log_time_us),
            note,
        }
    }

    fn text(&self) -> String {
        format!(
            "{:>10} {:<6} {:>5} {:>9} {:>14} {:>7} {:>9}  {}  {}",
            self.position,
            self.kind,
            self.epoch,
            self.sequence,
            self.first_version,
            self.count,
            self.bytes,
            self.time,
            self.note.as_deref().unwrap_or_default()
        )
    }
}

/// Lists entries.
pub(crate) fn run(arguments: &InspectArguments) -> Result<Exit, Failure> {
    let cannot = |error: OpenError| Failure::new(Exit::CannotStart, error);
    let data = Offline::open(&arguments.data).map_err(cannot)?;
    if !arguments.json {
        exit::print(TITLES)?;
    }
    let (mut left, mut printed) = (arguments.limit, Ok(()));
    let walked = data.walk(|inspected| {
        if inspected.position.get() < arguments.from {
            return true;
        }
        if left == 0 {
            return false;
        }
        left -= 1;
        let line = Line::of(inspected);
        let text = if arguments.json {
            serde_json::to_string(&line).expect("it is plain data")
        } else {
            line.text().trim_end().to_owned()
        };
        printed = exit::print(&text);
        printed.is_ok()
    });
    walked.map_err(cannot)?;
    printed?;
    data.close().map_err(cannot)?;
    Ok(Exit::Done)
}
