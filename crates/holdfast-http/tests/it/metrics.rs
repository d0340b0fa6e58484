//! What is counted is shown, in a form that Prometheus reads.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_http::{Key, Keys, Role};
use holdfast_log::MemoryLog;
use holdfast_node::{NodeConfig, Registry, Storage};
use holdfast_state::Namespace;
use serde_json::json;
use sha2::Digest as _;

use crate::server::{Setup, TestServer};

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

fn page(server: &TestServer, headers: &[(&str, &str)]) -> String {
    let page = server.client().request("GET", "/metrics", headers, "");
    assert_eq!(page.status, 200, "{page:?}");
    String::from_utf8(page.body).unwrap()
}

fn topics(storage: Storage, keys: Keys) -> TestServer {
    let node = NodeConfig { registry: Registry::all(), ..NodeConfig::new(storage) };
    Setup { node, keys, ..Setup::default() }.start()
}

#[test]
fn a_queue_is_watched_over_in_each_namespace_by_itself() {
    let key = |namespace: u32| Key {
        name: format!("admin-{namespace}"),
        namespace: Namespace::new(namespace),
        role: Role::Admin,
        sha256: sha2::Sha256::digest(format!("secret-{namespace}")).into(),
    };
    let keys = Keys::new(vec![key(8), key(7), key(8)]);
    let server = topics(Storage::Memory(MemoryLog::new()), keys);
    let ask = |method: &str, namespace: u32, path: &str, body: &str| {
        let secret = format!("Bearer secret-{namespace}");
        let headers = [("authorization", secret.as_str())];
        let answer = server.client().request(method, path, &headers, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    };
    let post = |namespace: u32, path: &str, body: &str| ask("POST", namespace, path, body);
    for namespace in [7, 8] {
        post(namespace, "/v1/topics", r#"{"id": "jobs"}"#);
        post(namespace, "/v1/topics/jobs/queues", r#"{"id": "work"}"#);
        for _ in 0..namespace {
            post(namespace, "/v1/topics/jobs/messages", r#"{"type": "t"}"#);
        }
    }
    let given = post(7, "/v1/topics/jobs/queues/work/receive", r#"{"limit": 3}"#);
    let receipts = |which: std::ops::Range<usize>| {
        let receipts: Vec<_> = which.map(|at| &given["messages"][at]["receipt"]).collect();
        json!({ "receipts": receipts }).to_string()
    };
    post(7, "/v1/topics/jobs/queues/work/ack", &receipts(0..1));
    post(7, "/v1/topics/jobs/queues/work/reject", &receipts(1..2));
    post(8, "/v1/leases/l/acquire", r#"{"owner": "a", "ttl": "PT1M"}"#);
    let rule =
        r#"{"name": "r", "quota": {"algorithm": "sliding_log", "max": 2, "window": "PT1H"}}"#;
    ask("PUT", 8, "/v1/limits/api", &format!(r#"{{"rules": [{rule}]}}"#));
    (0..3).for_each(|_| drop(post(8, "/v1/limits/api/check", "{}")));
    let samples = samples(&page(&server, &[("authorization", "Bearer secret-7")]));
    let of =
        |namespace: u32| format!("{{namespace=\"{namespace}\",topic=\"jobs\",queue=\"work\"}}");
    for (series, value) in [
        (format!("holdfast_queue_ready{}", of(7)), 4.0),
        (format!("holdfast_queue_in_flight{}", of(7)), 1.0),
        (format!("holdfast_queue_dead_letters{}", of(7)), 1.0),
        (format!("holdfast_queue_done_total{}", of(7)), 1.0),
        (format!("holdfast_queue_ready{}", of(8)), 8.0),
        (format!("holdfast_queue_in_flight{}", of(8)), 0.0),
        ("holdfast_topic_appended_total{namespace=\"8\",topic=\"jobs\"}".to_owned(), 8.0),
        ("holdfast_leases_held{namespace=\"7\"}".to_owned(), 0.0),
        ("holdfast_leases_held{namespace=\"8\"}".to_owned(), 1.0),
        ("holdfast_limit_allowed_total{namespace=\"8\",limit=\"api\"}".to_owned(), 2.0),
        ("holdfast_limit_denied_total{namespace=\"8\",limit=\"api\"}".to_owned(), 1.0),
        (
            "holdfast_limit_rule_denied_total{namespace=\"8\",limit=\"api\",rule=\"r\"}".to_owned(),
            1.0,
        ),
        ("holdfast_instrument_cut{instrument=\"queue_ready\"}".to_owned(), 0.0),
    ] {
        assert_eq!(samples.get(&series), Some(&value), "{series}");
    }
}

/// Everything that a server says of itself has a line in the documents, and the reverse.
#[test]
fn every_family_is_documented() {
    let dir = tempfile::tempdir().unwrap();
    let server = topics(Storage::Directory(dir.path().join("data")), Keys::default());
    let page = page(&server, &[]);
    let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut shown: BTreeSet<_> =
        families.map(|family| family.split(' ').next().unwrap().to_owned()).collect();
    // On a log that nodes share alone.
    shown.insert("holdfast_behind_seconds".to_owned());
    let documents = include_str!("../../../../docs/metrics.md");
    let rows = documents.lines().filter(|line| line.starts_with("| `"));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let documented: BTreeSet<_> = names.map(str::to_owned).collect();
    assert_eq!(shown, documented);
}
