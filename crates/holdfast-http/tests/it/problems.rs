//! Every code that the edge itself answers is reached, with its status.

use std::{collections::BTreeSet, time::Duration};

use holdfast_engine::{Leadership, Phase, Shared};
use holdfast_http::{fingerprint::fingerprint, problem::Kind};
use holdfast_log::MemoryLog;
use holdfast_node::{Node, Storage};
use serde_json::Value;

use crate::{
    client::{Client, Response},
    forms,
    keys::keys,
    lab,
    server::{Setup, TestServer},
};

/// A code, and a request that gets it.
type Scenario = (Kind, fn() -> Response);

const SCENARIOS: &[Scenario] = &[
    (Kind::MalformedRequest, || ask("GET", "/v1/lab/notes?limit=%zz", &[], "")),
    (Kind::MalformedJson, || ask("PUT", "/v1/lab/notes/a", &[], r#"{"text": "#)),
    (Kind::InvalidHeader, || ask("GET", "/v1/lab/notes", &[("holdfast-after", "soon")], "")),
    (Kind::Unauthorized, unauthorized),
    (Kind::Forbidden, forbidden),
    (Kind::NoSuchPath, || ask("GET", "/v1/lab", &[], "")),
    (Kind::MethodNotAllowed, method_not_allowed),
    (Kind::NotAcceptable, || {
        forms::server().client().request("GET", forms::READ, &[("accept", "text/html")], "")
    }),
    (Kind::RequestTimeout, slow_body),
    (Kind::ChangesTrimmed, changes_trimmed),
    (Kind::VersionNotReached, version_not_reached),
    (Kind::BodyTooLarge, body_too_large),
    (Kind::TargetTooLong, || {
        ask("GET", &format!("/v1/lab/notes?prefix={}", "a".repeat(4096)), &[], "")
    }),
    (Kind::UnsupportedMediaType, || ask("PUT", "/v1/lab/notes/a", &[FORM], r#"{"text":""}"#)),
    (Kind::InvalidRequest, || ask("PUT", "/v1/lab/notes/a", &[], r#"{"text":5}"#)),
    (Kind::IdempotencyKeyReused, key_reused),
    (Kind::TransactionTooLarge, || ask("POST", "/v1/lab/bulky", &[], "{}")),
    (Kind::HeadersTooLarge, || ask("GET", "/v1/lab/notes", &[("cookie", &"c".repeat(9000))], "")),
    (Kind::Internal, panics),
    (Kind::Quarantined, quarantined),
    (Kind::Overloaded, overloaded),
    (Kind::Unavailable, unavailable),
    (Kind::NotLeader, not_leader),
    (Kind::OutcomeUnknown, outcome_unknown),
    (Kind::DeadlineExceeded, deadline_exceeded),
];

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn every_code_is_reached_with_its_status() {
    let listed: BTreeSet<_> = SCENARIOS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(listed, Kind::ALL.iter().copied().collect());
    for (kind, scenario) in SCENARIOS {
        let info = kind.info();
        let response = scenario();
        let details = response.problem(info.status.as_u16(), info.code);
        assert_eq!(details["retry"], serde_json::to_value(info.retry).unwrap(), "{details}");
        let after = response.header("retry-after").is_some();
        assert_eq!(after, response.status == 503, "{details}");
        assert_eq!(details["detail"].as_str().map(str::is_empty), Some(false), "{details}");
    }
}

#[test]
fn every_class_of_refusal_has_its_status() {
    let server = TestServer::start();
    let mut client = server.client();
    for (sort, status, retry) in [
        ("not_found", 404, "never"),
        ("conflict", 409, "never"),
        ("precondition", 412, "never"),
        ("invalid", 422, "never"),
        ("limited", 429, "later"),
    ] {
        let refused = client.post("/v1/lab/refuse", &format!("{{\"sort\":{sort:?}}}"));
        let details = refused.problem(status, &format!("lab_{sort}"));
        assert_eq!(details["facts"]["sort"], sort);
        assert_eq!(details["retry"], retry);
        assert_eq!(refused.header("holdfast-at"), Some("0:0"));
    }
}

#[test]
fn the_field_at_fault_is_named() {
    let server = TestServer::start();
    let mut client = server.client();
    let mut pointer = |method: &str, target: &str, body: &str| -> Value {
        client.request(method, target, &[], body).problem(422, "invalid_request")["pointer"].clone()
    };
    assert_eq!(pointer("PUT", "/v1/lab/notes/a", r#"{"text":5}"#), "/text");
    assert_eq!(pointer("PUT", "/v1/lab/notes/a", r#"{"text":"","txet":""}"#), "/txet");
    assert_eq!(pointer("PUT", "/v1/lab/notes/a%20b", r#"{"text":""}"#), "/id");
    assert_eq!(pointer("PUT", "/v1/lab/notes/a", r#"{"id":"b","text":""}"#), "/id");
    assert_eq!(pointer("GET", "/v1/lab/notes?limit=many", ""), "/limit");
    assert_eq!(pointer("GET", "/v1/lab/notes?lmit=1", ""), "/lmit");
}

#[test]
fn a_panic_harms_nobody_else() {
    let server = TestServer::start();
    let mut client = server.client();
    for (method, target) in [("POST", "/v1/lab/panic"), ("GET", "/v1/lab/panic")] {
        for _ in 0..3 {
            let body = if method == "POST" { "{}" } else { "" };
            let details = client.request(method, target, &[], body).problem(500, "internal");
            // What a panic says is not for strangers.
            assert!(!details.to_string().contains("as asked"), "{details}");
        }
        let put = client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":"alive"}"#);
        assert_eq!(put.status, 200, "{put:?}");
    }
}

/// A request to a fresh server.
fn ask(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Response {
    TestServer::start().client().request(method, target, headers, body)
}

fn unauthorized() -> Response {
    let server = Setup { keys: keys(), ..Setup::default() }.start();
    let response = server.client().get("/v1/lab/notes");
    assert_eq!(response.header("www-authenticate"), Some("Bearer"));
    response
}

fn forbidden() -> Response {
    let server = Setup { keys: keys(), ..Setup::default() }.start();
    let reader = [("authorization", "Bearer read-7")];
    server.client().request("PUT", "/v1/lab/notes/a", &reader, r#"{"text":""}"#)
}

fn method_not_allowed() -> Response {
    let response = ask("POST", "/v1/lab/notes/a", &[], "");
    assert_eq!(response.header("allow"), Some("PUT, GET, DELETE, HEAD"));
    response
}

fn slow_body() -> Response {
    let server = Setup::limits(|limits| limits.body_timeout = Duration::from_millis(50)).start();
    let mut client = server.client();
    let head = "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    client.send(format!("{head}content-length: 100\r\n\r\n{{\"text").as_bytes()).unwrap();
    let response = client.response(false).unwrap();
    assert!(client.is_closed());
    response
}

fn changes_trimmed() -> Response {
    let dir = tempfile::tempdir().unwrap();
    let setup = || {
        let mut setup = Setup::on(Storage::Directory(dir.path().join("data")));
        setup.node.engine.snapshot_bytes = 10_000;
        setup
    };
    let server = setup().start();
    let mut client = server.client();
    let body = format!("{{\"text\":{:?}}}", "x".repeat(1000));
    while server.node.partition().metrics().snapshots.get() < 3 {
        assert_eq!(client.request("PUT", "/v1/lab/notes/a", &[], &body).status, 200);
    }
    drop(client);
    server.stop();
    // What was applied lately is still in the memory of the first server.
    let server = setup().start();
    let mut client = server.client();
    let response = client.get("/v1/changes");
    let oldest = response.problem(410, "changes_trimmed")["facts"]["oldest"].as_u64().unwrap();
    assert!(oldest > 1);
    let from_there = client.get(&format!("/v1/changes?after={}", oldest - 1));
    assert_eq!(from_there.json()["transactions"][0]["version"], oldest);
    response
}

fn version_not_reached() -> Response {
    let headers = [("holdfast-after", "0:99"), ("holdfast-deadline-ms", "30")];
    let write = ask("PUT", "/v1/lab/notes/a", &headers, r#"{"text":""}"#);
    write.problem(412, "version_not_reached");
    TestServer::start().client().get("/v1/changes?after=99").problem(412, "version_not_reached");
    let response = ask("GET", "/v1/lab/notes", &headers, "");
    assert_eq!(response.json()["facts"], serde_json::json!({"asked": 99, "applied": 0}));
    response
}

fn body_too_large() -> Response {
    let server = TestServer::start();
    let mut client = server.client();
    let head = "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    client.send(format!("{head}content-length: 1048577\r\n\r\n").as_bytes()).unwrap();
    let response = client.response(false).unwrap();
    assert!(client.is_closed());
    response
}

fn key_reused() -> Response {
    let server = TestServer::start();
    let mut client = server.client();
    let key = [("idempotency-key", "k")];
    client.request("PUT", "/v1/lab/notes/a", &key, r#"{"text":"1"}"#);
    client.request("PUT", "/v1/lab/notes/a", &key, r#"{"text":"2"}"#)
}

fn panics() -> Response {
    ask("GET", "/v1/lab/panic", &[], "").problem(500, "internal");
    ask("POST", "/v1/lab/panic", &[], "{}")
}

fn quarantined() -> Response {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let start = || Setup::on(Storage::Directory(data.clone())).start();
    start().stop();
    let fingerprint = fingerprint("PUT", "/v1/lab/notes/a", "", br#"{"text":"x"}"#, &[]);
    let fingerprint = fingerprint.to_string();
    let suspects = serde_json::json!({"fingerprint": fingerprint, "deaths": 2});
    let file = serde_json::json!({"format": 1, "suspects": [suspects]});
    std::fs::write(data.join("partition-0/suspects.json"), file.to_string()).unwrap();
    let server = start();
    let mut client = server.client();
    let other = client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":"y"}"#);
    assert_eq!(other.status, 200);
    let fresh_key = [("idempotency-key", "fresh")];
    let response = client.request("PUT", "/v1/lab/notes/a", &fresh_key, r#"{"text":"x"}"#);
    assert_eq!(response.json()["facts"]["fingerprint"], fingerprint);
    let metrics = String::from_utf8(client.get("/metrics").body).unwrap();
    assert!(metrics.contains("holdfast_in_quarantine 1\n"), "{metrics}");
    assert!(metrics.contains("holdfast_quarantined_total 1\n"), "{metrics}");
    response
}

fn overloaded() -> Response {
    let full = Setup::limits(|limits| limits.requests_max = 0).start();
    full.client().get("/health").problem(503, "overloaded");
    let mut setup = Setup::default();
    setup.node.engine.waiting_max = 0;
    setup.start().client().request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#)
}

fn unavailable() -> Response {
    let server = TestServer::start();
    let mut client = server.client();
    assert_eq!(client.get("/ready").status, 200);
    drop(server.node.close());
    client.get("/ready").problem(503, "unavailable");
    client.get("/v1/lab/notes").problem(503, "unavailable");
    client.get("/v1/changes").problem(503, "unavailable");
    assert_eq!(client.get("/health").status, 200);
    client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#)
}

fn not_leader() -> Response {
    let log = MemoryLog::new();
    let mut setup = Setup::on(Storage::Memory(log.clone()));
    let shared = Shared { may_lead: false, ..Shared::default() };
    setup.node.engine.leadership = Leadership::Shared(shared);
    let server = setup.start();
    let mut client = server.client();
    let follows = |leader| Phase::Following { leader };
    wait_until(|| server.node.partition().phase() == follows(None));
    let detail = client.get("/ready").problem(503, "unavailable")["detail"].clone();
    assert_eq!(detail, "no node is known to lead");
    let nobody = client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#);
    assert_eq!(nobody.problem(503, "not_leader")["facts"]["node"], Value::Null);
    let mut other = Setup::on(Storage::Memory(log));
    other.node.engine.node = "the other".to_owned();
    let other = Node::open(other.node).unwrap();
    let following = |phase: Phase| matches!(phase, Phase::Following { leader: Some(_) });
    wait_until(|| following(server.node.partition().phase()));
    assert_eq!(client.get("/ready").json()["status"], "following");
    client.get("/v1/lab/notes").problem(503, "not_leader");
    let response = client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#);
    assert_eq!(response.json()["facts"]["node"], "the other");
    drop(other.close());
    response
}

fn outcome_unknown() -> Response {
    let log = MemoryLog::new();
    let server = Setup::on(Storage::Memory(log.clone())).start();
    // Another node claims the log; the first finds out when it next appends.
    let other = Setup::on(Storage::Memory(log));
    let other = Node::open(other.node).unwrap();
    wait_until(|| other.partition().phase() == Phase::Leading);
    let response = server.client().request("PUT", "/v1/lab/notes/a", &[], r#"{"text":"whose?"}"#);
    drop(other.close());
    response
}

fn deadline_exceeded() -> Response {
    let server = TestServer::start();
    let brief = [("holdfast-deadline-ms", "30")];
    let mut client: Client = server.client();
    let response = client.request("POST", "/v1/lab/gates/deadline", &brief, "{}");
    lab::open_gate("deadline");
    response
}

/// Waits for a condition that is on its way.
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000_000 {
        if holds() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("what was waited for did not come");
}
