//! The change feed as clients see it.

use std::thread;

use serde_json::{Value, json};

use crate::{
    client::Client,
    problems::wait_until,
    server::{Setup, TestServer},
};

fn put(client: &mut Client, id: &str, text: &str) {
    let body = json!({ "text": text }).to_string();
    let response = client.request("PUT", &format!("/v1/lab/notes/{id}"), &[], &body);
    assert_eq!(response.status, 200, "{response:?}");
}

fn versions(page: &Value) -> Vec<u64> {
    let transactions = page["transactions"].as_array().unwrap();
    transactions.iter().map(|transaction| transaction["version"].as_u64().unwrap()).collect()
}

#[test]
fn whoever_was_answered_may_follow_from_there_at_once() {
    let server = TestServer::start();
    let mut client = server.client();
    for version in 1..=500 {
        put(&mut client, "a", &version.to_string());
        let page = client.get(&format!("/v1/changes?after={version}"));
        assert_eq!((page.status, versions(&page.json())), (200, Vec::new()), "{page:?}");
    }
}

#[test]
fn every_change_is_shown_once_and_in_order() {
    let server = TestServer::start();
    let mut client = server.client();
    for number in 0..25 {
        put(&mut client, "a", &number.to_string());
    }
    assert_eq!(client.request("DELETE", "/v1/lab/notes/a", &[], "").status, 200);
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = client.get(&format!("/v1/changes?after={after}&limit=10"));
        assert_eq!(page.header("holdfast-at"), Some(&*format!("0:{}", page.json()["next"])));
        let page = page.json();
        let found = versions(&page);
        if found.is_empty() {
            assert_eq!(page["next"], 26);
            break;
        }
        assert!(found.len() <= 10);
        seen.extend(found);
        after = page["next"].as_u64().unwrap();
    }
    assert_eq!(seen, (1..=26).collect::<Vec<_>>());
    let last = client.get("/v1/changes?after=24").json();
    let changes = |index: usize| &last["transactions"][index]["changes"];
    let expected = json!([{"op": "put", "table": "lab.notes", "key": ["a"], "row": {"0": "24"}}]);
    assert_eq!(*changes(0), expected);
    assert_eq!(*changes(1), json!([{"op": "delete", "table": "lab.notes", "key": ["a"]}]));
    assert!(last["transactions"][0]["time"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn what_belongs_to_the_engine_is_not_shown_but_passed() {
    let server = TestServer::start();
    let mut client = server.client();
    let key = [("idempotency-key", "k")];
    // A refusal's only write is its record.
    client.request("DELETE", "/v1/lab/notes/a", &key, "").problem(404, "no_such_note");
    let page = client.get("/v1/changes").json();
    assert_eq!(page, json!({"transactions": [], "next": 1}));
    let key = [("idempotency-key", "l")];
    client.request("PUT", "/v1/lab/notes/a", &key, r#"{"text":""}"#);
    let page = client.get("/v1/changes?table=lab.notes").json();
    assert_eq!(versions(&page), [2]);
    assert_eq!(page["transactions"][0]["changes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_reader_may_want_the_rows_of_a_key_alone() {
    let server = TestServer::start();
    let mut client = server.client();
    for id in ["a", "b", "a"] {
        put(&mut client, id, "");
    }
    client.request("PATCH", "/v1/lab/sheets/a", &[], "{}");
    assert_eq!(versions(&client.get("/v1/changes?key=a").json()), [1, 3, 4]);
    let page = client.get("/v1/changes?key=b&table=lab.notes&after=1").json();
    assert_eq!((versions(&page), &page["next"]), (vec![2], &json!(4)));
    assert_eq!(versions(&client.get("/v1/changes?key=a&key=b").json()), [0; 0]);
}

#[test]
fn a_poll_waits_for_the_first_change() {
    let server = TestServer::start();
    let address = server.address;
    let waiting = thread::spawn(move || Client::connect(address).get("/v1/changes?wait=20"));
    wait_until(|| {
        server.client().get("/metrics").body.windows(25).any(|w| w == b"holdfast_http_followers 1")
    });
    put(&mut server.client(), "a", "news");
    assert_eq!(versions(&waiting.join().unwrap().json()), [1]);
}

#[test]
fn bad_questions_are_refused() {
    let server = TestServer::start();
    let mut client = server.client();
    for bad in ["after=-1", "after=x", "wait=61", "limit=1001", "table=lab.nots", "afte=1"] {
        client.get(&format!("/v1/changes?{bad}")).problem(400, "malformed_request");
    }
    let id = [("last-event-id", "x")];
    client.request("GET", "/v1/changes", &id, "").problem(400, "invalid_header");
}

#[test]
fn as_many_follow_as_may() {
    let server = Setup::limits(|limits| limits.followers_max = 1).start();
    let mut first = stream(&server, &[]);
    server.client().get("/v1/changes").problem(503, "overloaded");
    put(&mut server.client(), "a", "");
    assert_eq!(first.event_line().unwrap(), "id: 1");
    drop(first);
    // The server notices when it next has something to say.
    wait_until(|| {
        put(&mut server.client(), "a", "");
        server.client().get("/v1/changes").status == 200
    });
}

/// A stream of events whose head and first comment were read.
fn stream(server: &TestServer, headers: &[(&str, &str)]) -> Client {
    let mut client = server.client();
    let mut head =
        "GET /v1/changes HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n".to_owned();
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    client.send(format!("{head}\r\n").as_bytes()).unwrap();
    let response = client.head().unwrap();
    assert_eq!(
        (response.status, response.header("content-type")),
        (200, Some("text/event-stream"))
    );
    assert_eq!(client.event_line().unwrap(), ": holdfast change feed");
    client
}

/// Version and data of the next event.
fn event(stream: &mut Client) -> (u64, Value) {
    let id = stream.event_line().unwrap();
    assert_eq!(stream.event_line().unwrap(), "event: transaction");
    let data = stream.event_line().unwrap();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    (id.strip_prefix("id: ").unwrap().parse().unwrap(), data)
}

#[test]
fn a_stream_goes_on_and_is_resumed_where_it_was() {
    let server = TestServer::start();
    let mut writer = server.client();
    put(&mut writer, "a", "1");
    put(&mut writer, "a", "2");
    let mut events = stream(&server, &[]);
    assert_eq!(event(&mut events).0, 1);
    assert_eq!(event(&mut events).0, 2);
    put(&mut writer, "a", "3");
    let (id, data) = event(&mut events);
    assert_eq!((id, &data["version"]), (3, &json!(3)));
    assert_eq!(data["changes"][0]["row"], json!({"0": "3"}));
    drop(events);
    put(&mut writer, "a", "4");
    let mut resumed = stream(&server, &[("last-event-id", "2")]);
    assert_eq!(event(&mut resumed).0, 3);
    assert_eq!(event(&mut resumed).0, 4);
}
