//! `holdfast audit`: what every primitive keeps derived again from the log of a
//! stopped server, and from what it archived.

use std::path::PathBuf;

use clap::Args;
use holdfast_node::{Offline, OpenError, Registry};
use holdfast_state::{
    Abort, LogTime, Namespace, View,
    audit::{AuditEntry, Findings},
};

use crate::exit::{self, Exit, Failure};

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Directory with the data.
    #[arg(long, env = "HOLDFAST_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Directory to which `serve --archive` copied what it trimmed.
    #[arg(long, env = "HOLDFAST_ARCHIVE", value_name = "DIR")]
    archive: Option<PathBuf>,
}

/// Runs every primitive's audit over every namespace.
pub(crate) fn run(arguments: &AuditArguments) -> Result<Exit, Failure> {
    let mut data = Offline::open(&arguments.data).map_err(cannot)?;
    if let Some(archive) = &arguments.archive {
        data = data.with_archive(archive).map_err(cannot)?;
    }
    let audited = audit(&mut data, Registry::all().audits())?;
    let reach = data.reach().clone();
    data.close().map_err(cannot)?;
    exit::print(&format!("derived from {reach}"))?;
    exit::print("namespace primitive    transactions  differences  rows")?;
    for Audited { namespace, primitive, findings } in &audited {
        let differences = findings.differences.listed.len() as u64 + findings.differences.more;
        let counts = findings.counts.iter().map(|(what, count)| format!("{count} {what}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let transactions = findings.transactions;
        exit::print(&format!(
            "{namespace:>9} {primitive:<12} {transactions:>12} {differences:>12}  {counts}"
        ))?;
    }
    for Audited { namespace, primitive, findings } in &audited {
        for difference in &findings.differences.listed {
            exit::print(&format!(
                "difference in namespace {namespace}, {primitive}: {difference}"
            ))?;
        }
        let more = findings.differences.more;
        if more > 0 {
            exit::print(&format!("and {more} more in namespace {namespace}, {primitive}"))?;
        }
    }
    if audited.iter().all(|each| each.findings.differences.is_none()) {
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

/// What the audit of a primitive in a namespace came to.
struct Audited {
    namespace: Namespace,
    primitive: &'static str,
    findings: Findings,
}

/// Reads the log twice: namespaces show only when the state is up to its end.
fn audit(data: &mut Offline, entries: &[AuditEntry]) -> Result<Vec<Audited>, Failure> {
    data.replay(|_| {}).map_err(cannot)?;
    let base = data.base().map_err(cannot)?;
    let mut audits = Vec::new();
    for namespace in data.namespaces().map_err(cannot)? {
        for entry in entries {
            let audit = match &base {
                Some(store) => {
                    let view = View::new(store.snapshots().latest(), namespace, LogTime::ZERO);
                    (entry.from_state)(&view).map_err(unreadable)?
                }
                None => (entry.from_nothing)(namespace),
            };
            audits.push((namespace, entry.name, audit));
        }
    }
    let replayed =
        data.replay(|batch| audits.iter_mut().for_each(|(.., audit)| audit.batch(batch)));
    replayed.map_err(cannot)?;
    let mut audited = Vec::new();
    for (namespace, primitive, audit) in audits {
        let findings = audit.finish(&data.view(namespace)).map_err(unreadable)?;
        audited.push(Audited { namespace, primitive, findings });
    }
    Ok(audited)
}
