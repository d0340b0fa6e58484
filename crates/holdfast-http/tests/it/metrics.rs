//! What is counted is shown, in a form that Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::server::TestServer;

/// Samples by series, after checking the form of every line.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let mut families = BTreeSet::new();
    let mut samples = BTreeMap::new();
    let lines: Vec<_> = page.lines().collect();
    assert_eq!(lines.last(), Some(&"# EOF"));
    for line in &lines[..lines.len() - 1] {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(families.insert(name.to_owned()), "{name} is there twice");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let family = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|suffix| {
                name.strip_suffix(suffix).filter(|name| families.contains(*name))
            });
            assert!(families.contains(family.unwrap_or(name)), "{line} has no family");
            let before = samples.insert(series.to_owned(), value.parse().unwrap());
            assert_eq!(before, None, "{series} is there twice");
        }
    }
    samples
}

#[test]
fn requests_are_counted_by_command_and_status() {
    let server = TestServer::start();
    let mut client = server.client();
    for _ in 0..3 {
        client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#);
    }
    client.get("/v1/lab/notes/b").problem(404, "no_such_note");
    client.get("/v1/nothing").problem(404, "no_such_path");
    let applied = |page: &[u8]| page.windows(24).any(|at| at == b"holdfast_applied_total 3");
    // The partition counts what was applied after its answer has gone.
    let mut page = client.get("/metrics");
    for _ in 0..1_000 {
        if applied(&page.body) {
            break;
        }
        page = client.get("/metrics");
    }
    let kind = page.header("content-type").unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let samples = samples(std::str::from_utf8(&page.body).unwrap());
    for (series, value) in [
        ("holdfast_http_requests_total{command=\"lab.put\",status=\"200\"}", 3.0),
        ("holdfast_http_requests_total{command=\"lab.get\",status=\"404\"}", 1.0),
        ("holdfast_http_requests_total{command=\"http\",status=\"404\"}", 1.0),
        ("holdfast_http_request_seconds_count{command=\"lab.put\"}", 3.0),
        ("holdfast_http_request_seconds_bucket{command=\"lab.put\",le=\"+Inf\"}", 3.0),
        ("holdfast_applied_total", 3.0),
        ("holdfast_version", 3.0),
        ("holdfast_http_connections", 1.0),
        ("holdfast_http_requests_in_progress", 1.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
}

#[test]
fn info_tells_what_the_server_is() {
    let server = TestServer::start();
    let mut client = server.client();
    client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#);
    let info = client.get("/v1/info").json();
    assert_eq!(info["durability"], "memory");
    assert_eq!((&info["log"]["engine"], &info["snapshots"]), (&"memory".into(), &json!([])));
    assert_eq!(info["partitions"][0]["phase"], "leading");
    assert_eq!(info["partitions"][0]["lease_remaining_ms"], json!(null), "its log is its own");
    assert_eq!(info["partitions"][0]["version"], 1);
    assert_eq!(info["limits"]["body_bytes_max"], 1 << 20);
}
