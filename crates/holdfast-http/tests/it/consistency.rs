//! What a read sees, on a node that leads and on one that follows, and what a follower sends on:
//! two servers on one log.

use std::net::{SocketAddr, TcpListener};

use holdfast_engine::{Leadership, Phase, Shared};
use holdfast_log::MemoryLog;
use holdfast_node::Storage;
use serde_json::json;

use crate::{
    problems::wait_until,
    server::{Setup, TestServer},
};

fn start(log: &MemoryLog, name: &str, may_lead: bool) -> TestServer {
    let mut setup = Setup::on(Storage::Memory(log.clone()));
    let shared = Shared { lease_ms: 400, look_every_us: 2_000, may_lead };
    setup.node.engine.leadership = Leadership::Shared(shared);
    setup.node.engine.node = name.to_owned();
    setup.listen = free_address();
    setup.node.engine.address = setup.listen.to_string();
    setup.start()
}

/// An address that nobody listens on.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn address(server: &TestServer) -> String {
    server.address.to_string()
}

fn leads(server: &TestServer) -> bool {
    server.node.partition().phase() == Phase::Leading
}

fn follows(server: &TestServer, name: &str) -> bool {
    let phase = server.node.partition().phase();
    matches!(phase, Phase::Following { leader: Some(leader) } if leader.node == name)
}

#[test]
fn each_level_is_served_where_it_can_be() {
    let log = MemoryLog::new();
    let leader = start(&log, "a", true);
    wait_until(|| leads(&leader));
    let follower = start(&log, "b", false);
    wait_until(|| follows(&follower, "a"));
    let written = leader.client().request("PUT", "/v1/lab/notes/n", &[], r#"{"text":"x"}"#);
    let at = written.header("holdfast-at").unwrap().to_owned();
    assert_eq!(leader.client().get("/v1/lab/notes/n").json(), json!("x"), "confirmed by the log");

    let mut client = follower.client();
    let after = ("holdfast-after", at.as_str());
    let level = |level| ("holdfast-consistency", level);
    let session = [after, level("session")];
    let seen = client.request("GET", "/v1/lab/notes/n", &session, "");
    assert_eq!((seen.status, seen.json()), (200, json!("x")));
    assert_eq!(seen.header("holdfast-at"), Some(&*at));
    for weak in ["stale", "stale=60"] {
        assert_eq!(client.request("GET", "/v1/lab/notes/n", &[level(weak)], "").json(), json!("x"));
    }
    let sent_on = client.request("GET", "/v1/lab/notes/n", &[level("linearizable")], "");
    assert_eq!((sent_on.status, sent_on.json()), (200, json!("x")), "by the leader");
    let refused = client.request("GET", "/v1/lab/notes/n", &[level("stale=0")], "");
    let problem = refused.problem(503, "not_leader");
    assert_eq!(problem["facts"], json!({"node": "a", "address": address(&leader), "epoch": 1}));
    let partition = &client.get("/v1/info").json()["partitions"][0];
    assert_eq!((&partition["phase"], &partition["epoch"]), (&json!("following"), &json!(1)));
    assert_eq!(partition["leader"]["address"], address(&leader));
    assert_eq!(
        (partition["heard_ms"].is_u64(), &partition["lease_remaining_ms"]),
        (true, &json!(null))
    );
    let leads = leader.client().get("/v1/info").json()["partitions"][0].clone();
    assert!(leads["lease_remaining_ms"].as_u64().is_some_and(|ms| ms <= 400), "{leads}");
    let metrics = String::from_utf8(client.get("/metrics").body).unwrap();
    assert!(metrics.contains("holdfast_role 1\n"), "{metrics}");
    assert!(metrics.contains("holdfast_behind_seconds "), "{metrics}");
    assert!(metrics.contains("holdfast_http_forwarded_total 1\n"), "{metrics}");
}

#[test]
fn a_server_that_stops_leaves_leadership_to_another_which_has_everything() {
    let log = MemoryLog::new();
    let first = start(&log, "a", true);
    wait_until(|| leads(&first));
    let second = start(&log, "b", true);
    wait_until(|| follows(&second, "a"));
    let written = first.client().request("PUT", "/v1/lab/notes/n", &[], r#"{"text":"x"}"#);
    assert_eq!(written.status, 200);
    first.node.partition().hand_over();
    wait_until(|| leads(&second) && follows(&first, "b"));
    assert_eq!(second.client().get("/v1/lab/notes/n").json(), json!("x"));
    let elsewhere = first.client().request("PUT", "/v1/lab/notes/n", &[], r#"{"text":"y"}"#);
    assert_eq!(elsewhere.status, 200);
    first.stop();
    assert_eq!(second.client().get("/v1/lab/notes/n").json(), json!("y"));
}

#[test]
fn what_a_follower_is_asked_the_leader_does_once() {
    let log = MemoryLog::new();
    let leader = start(&log, "a", true);
    wait_until(|| leads(&leader));
    let follower = start(&log, "b", false);
    wait_until(|| follows(&follower, "a"));
    let (path, body, key) = ("/v1/lab/notes/n", r#"{"text":"x"}"#, [("idempotency-key", "k")]);
    let first = follower.client().request("PUT", path, &key, body);
    let again = leader.client().request("PUT", path, &key, body);
    let third = follower.client().request("PUT", path, &key, body);
    for replayed in [&again, &third] {
        assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
        assert_eq!((replayed.status, &replayed.body), (200, &first.body));
        assert_eq!(replayed.header("holdfast-at"), first.header("holdfast-at"));
    }
    follower.client().request("PUT", path, &[], "{}").problem(422, "invalid_request");
    follower.client().request("PUT", path, &[], "{").problem(400, "malformed_json");
    let sent_on = [("holdfast-forwarded", "c")];
    let refused = follower.client().request("PUT", path, &sent_on, body);
    assert_eq!(refused.problem(503, "not_leader")["facts"]["node"], "a", "not sent on twice");
}

#[test]
fn a_leader_that_cannot_be_reached_was_not_asked() {
    let log = MemoryLog::new();
    let mut leader = start(&log, "a", true);
    wait_until(|| leads(&leader));
    let follower = start(&log, "b", false);
    wait_until(|| follows(&follower, "a"));
    // Nobody listens any more, though it leads.
    leader.begin_stop();
    leader.drained();
    let refused = follower.client().request("PUT", "/v1/lab/notes/n", &[], r#"{"text":"x"}"#);
    let facts = refused.problem(503, "not_leader")["facts"].clone();
    assert_eq!(facts["address"], address(&leader));
}
