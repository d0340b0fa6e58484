//! `holdfast audit`: every balance derived again from the log of a stopped server.

use std::path::PathBuf;

use clap::Args;
use holdfast_ledger::audit::{Audit, Report};
use holdfast_node::{Offline, OpenError};
use holdfast_state::{Abort, LogTime, Namespace, View};

use crate::exit::{self, Exit, Failure};

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Directory with the data.
    #[arg(long, env = "HOLDFAST_DATA", value_name = "DIR")]
    data: PathBuf,
}

/// Audits the ledger of every namespace.
pub(crate) fn run(arguments: &AuditArguments) -> Result<Exit, Failure> {
    let mut data = Offline::open(&arguments.data).map_err(cannot)?;
    let (reports, from) = audit(&mut data)?;
    data.close().map_err(cannot)?;
    exit::print(&format!("derived from {from}"))?;
    exit::print("namespace     accounts    transfers transactions  differences")?;
    for (namespace, report) in &reports {
        let differences = report.differences.len() as u64 + report.more;
        exit::print(&format!(
            "{namespace:>9} {:>12} {:>12} {:>12} {differences:>12}",
            report.accounts, report.transfers, report.transactions
        ))?;
    }
    for (namespace, report) in &reports {
        for difference in &report.differences {
            exit::print(&format!("difference in namespace {namespace}: {difference}"))?;
        }
        if report.more > 0 {
            exit::print(&format!("and {} more in namespace {namespace}", report.more))?;
        }
    }
    if reports.iter().all(|(_, report)| report.is_clean()) {
        exit::print("audit: clean")?;
        return Ok(Exit::Done);
    }
    exit::print("audit: differences found")?;
    Ok(Exit::No)
}

fn cannot(error: OpenError) -> Failure {
    Failure::new(Exit::CannotStart, error)
}

fn unreadable(abort: Abort) -> Failure {
    Failure::new(Exit::CannotStart, abort)
}

/// What each namespace's audit came to.
type Reports = Vec<(Namespace, Report)>;

/// Reads the log twice: namespaces show only when the state is up to its end.
fn audit(data: &mut Offline) -> Result<(Reports, &'static str), Failure> {
    data.replay(|_| {}).map_err(cannot)?;
    let base = data.base().map_err(cannot)?;
    let mut audits = Vec::new();
    for namespace in data.namespaces().map_err(cannot)? {
        audits.push((
            namespace,
            match &base {
                Some(store) => {
                    let view = View::new(store.snapshots().latest(), namespace, LogTime::ZERO);
                    Audit::from_state(&view).map_err(unreadable)?
                }
                None => Audit::from_nothing(namespace),
            },
        ));
    }
    let replayed = data.replay(|batch| audits.iter_mut().for_each(|(_, audit)| audit.batch(batch)));
    replayed.map_err(cannot)?;
    let mut reports = Vec::new();
    for (namespace, audit) in audits {
        let report = audit.finish(&data.view(namespace)).map_err(unreadable)?;
        reports.push((namespace, report));
    }
    let from = match base {
        Some(_) => "the oldest snapshot and the log after it",
        None => "the whole log",
    };
    Ok((reports, from))
}
