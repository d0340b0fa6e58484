//! Metrics as text, in the OpenMetrics format that Prometheus reads (`docs/metrics.md`).

mod instruments;
mod page;

use std::sync::atomic::Ordering;

use holdfast_engine::{Metrics, Partition};
use holdfast_node::Node;
use holdfast_state::Namespace;

use crate::metrics::{BUCKETS_US, HttpMetrics};

pub use instruments::{NAMES_MAX, ROWS_MAX};
use page::{Page, seconds};

/// The type that OpenMetrics text goes by.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted, and what there is in these namespaces. It reads the state, so it
/// may take a while.
#[must_use]
pub fn expose(node: &Node, http: &HttpMetrics, namespaces: &[Namespace]) -> String {
    let mut page = Page(String::with_capacity(16 << 10));
    engine(&mut page, node);
    log(&mut page, node);
    edge(&mut page, http);
    instruments::show_all(&mut page, node, namespaces);
    page.0.push_str("# EOF\n");
    page.0
}

fn engine(page: &mut Page, node: &Node) {
    let partition = node.partition();
    let m = partition.metrics();
    page.counter("evaluated", "Requests evaluated.", m.evaluated.get());
    page.counter("refused", "Evaluated requests refused by state.", m.refused.get());
    page.counter("replayed", "Requests answered from an idempotency record.", m.replayed.get());
    page.counter("panicked", "Transactions that panicked.", m.panicked.get());
    page.counter("aborted", "Transactions that came to no outcome otherwise.", m.aborted.get());
    page.counter("overloaded", "Requests refused by a full queue.", m.overloaded.get());
    page.counter("too_late", "Requests dropped after their deadline.", m.too_late.get());
    page.counter("entries", "Entries sent to the log.", m.entries.get());
    page.counter("entry_bytes", "Bytes of entries sent to the log.", m.entry_bytes.get());
    page.counter("applied", "Transactions applied to the state.", m.applied.get());
    page.counter("quarantined", "Requests refused in quarantine.", m.quarantined.get());
    page.gauge("in_quarantine", "Different requests in quarantine.", m.in_quarantine.get());
    page.counter("timers_fired", "Timers fired.", m.timers_fired.get());
    page.counter("digests", "Digests of leaders compared with the state.", m.digests.get());
    let differ = m.digests_differ.get();
    page.counter("digests_differ", "Digests that the state did not agree with.", differ);
    page.counter("rows_compared", "Rows of state compared.", m.rows_compared.get());
    leadership(page, &partition, m);
    page.counter("snapshots", "Snapshots kept.", m.snapshots.get());
    page.gauge("waiting", "Requests waiting for evaluation.", m.waiting.get());
    page.gauge("version", "Version of the last transaction applied.", m.version.get());
    page.gauge("position", "Position up to which the log is applied.", m.position.get());
    page.gauge("log_time_seconds", "Log time, since 1970.", seconds(m.log_time_us.get()));
    let offset = seconds(m.clock_offset_us.get());
    page.gauge("clock_offset_seconds", "Distance of the wall clock from log time.", offset);
}

fn leadership(page: &mut Page, partition: &Partition, m: &Metrics) {
    let role = "0 reading, 1 following, 2 claiming, 3 leading, 4 stopped.";
    page.gauge("role", role, m.role.get());
    page.gauge("epoch", "Number of the latest claim.", m.epoch.get());
    page.counter("claims", "Claims of leadership sent.", m.claims.get());
    page.counter("claims_won", "Claims that counted.", m.claims_won.get());
    page.counter("claims_lost", "Claims that another's was before.", m.claims_lost.get());
    page.counter("step_downs", "Times that leadership ended.", m.step_downs.get());
    page.counter("heartbeats", "Entries that only say who leads.", m.heartbeats.get());
    page.counter("confirmed", "Reads that the log confirmed.", m.confirmed.get());
    if let Some(behind_us) = partition.standing().behind_us {
        let about = "How long ago the state was known to hold everything.";
        page.gauge("behind_seconds", about, seconds(behind_us));
    }
}

fn log(page: &mut Page, node: &Node) {
    let Some(stats) = node.log_stats() else { return };
    page.counter("log_appends", "Entries made durable.", stats.appends);
    page.counter("log_syncs", "Syncs of the log.", stats.syncs);
    page.counter("log_records", "Records written to the log.", stats.records);
    page.counter("log_bytes", "Bytes of records written to the log.", stats.bytes);
    page.counter("log_segments_begun", "Log segments begun.", stats.segments_begun);
    page.gauge("log_segments", "Log segments.", stats.segments);
    page.gauge("log_queued_bytes", "Bytes waiting for the log's writer.", stats.queued_bytes);
}

fn edge(page: &mut Page, http: &HttpMetrics) {
    let relaxed = Ordering::Relaxed;
    page.gauge("http_connections", "Open connections.", http.connections.load(relaxed));
    let opened = http.connections_opened.load(relaxed);
    page.counter("http_connections_opened", "Connections there were.", opened);
    let refused = http.connections_refused.load(relaxed);
    page.counter("http_connections_refused", "Connections turned away.", refused);
    page.gauge("http_requests_in_progress", "Requests in progress.", http.requests.load(relaxed));
    page.gauge(
        "http_followers",
        "Followers of the change feed, streams, and long polls.",
        http.followers.load(relaxed),
    );
    let forwarded = http.forwarded.load(relaxed);
    page.counter("http_forwarded", "Requests sent on to the node that leads.", forwarded);
    page.family("http_requests", "counter", "Requests by command and status.");
    for series in http.series() {
        for (status, count) in series.statuses() {
            let labels = format!("command=\"{}\",status=\"{status}\"", series.name);
            page.sample("http_requests_total", &labels, count);
        }
    }
    page.family("http_request_seconds", "histogram", "Time to an answer, by command.");
    for series in http.series() {
        histogram(page, series);
    }
}

fn histogram(page: &mut Page, series: &crate::metrics::Series) {
    let counts = series.latency.cumulative();
    let [.., all] = counts;
    if all == 0 {
        return;
    }
    let name = series.name;
    for (bound, count) in BUCKETS_US.iter().zip(counts) {
        let labels = format!("command=\"{name}\",le=\"{}\"", seconds(*bound));
        page.sample("http_request_seconds_bucket", &labels, count);
    }
    page.sample("http_request_seconds_bucket", &format!("command=\"{name}\",le=\"+Inf\""), all);
    let command = format!("command=\"{name}\"");
    page.sample("http_request_seconds_sum", &command, seconds(series.latency.sum_us()));
    page.sample("http_request_seconds_count", &command, all);
}
