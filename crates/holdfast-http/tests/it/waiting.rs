//! Requests that wait for something to answer with, and streams, with the topics of this
//! build.

use std::thread::{self, JoinHandle};

use holdfast_node::Registry;
use serde_json::{Value, json};

use crate::{
    client::{Client, Response},
    problems::wait_until,
    server::{Setup, TestServer},
};

fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.node.registry = Registry::all();
    setup
}

fn server(setup: Setup) -> TestServer {
    let server = setup.start();
    post(&server, "/v1/topics", r#"{"id": "jobs"}"#);
    server
}

fn post(server: &TestServer, path: &str, body: &str) -> Value {
    let response = server.client().post(path, body);
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}

fn append(server: &TestServer, text: &str) -> Value {
    let body = json!({ "type": "t", "data": text }).to_string();
    post(server, "/v1/topics/jobs/messages", &body)
}

fn wait_for_waiting(server: &TestServer, count: usize) {
    let line = format!("holdfast_http_followers {count}\n");
    let line = line.as_bytes();
    wait_until(|| server.client().get("/metrics").body.windows(line.len()).any(|w| w == line));
}

/// Asks from a thread of its own, and comes back once the request waits.
fn waiting(
    server: &TestServer,
    ask: impl FnOnce(&mut Client) -> Response + Send + 'static,
) -> JoinHandle<Response> {
    let address = server.address;
    let asking = thread::spawn(move || ask(&mut Client::connect(address)));
    wait_for_waiting(server, 1);
    asking
}

#[test]
fn a_read_waits_for_the_first_message() {
    let server = server(setup());
    let read = "/v1/topics/jobs/messages";
    let asking = waiting(&server, move |client| client.get(&format!("{read}?wait=60")));
    append(&server, "news");
    let page = asking.join().unwrap().json();
    assert_eq!(page["messages"][0]["data"], "news");
    // What is there is not waited for, nor is a refusal.
    let page = server.client().get(&format!("{read}?wait=60")).json();
    assert_eq!(page["next"], 1);
    server.client().get("/v1/topics/none/messages?wait=60").problem(404, "topic_not_found");
    let none = server.client().get(&format!("{read}?after=1&wait=1"));
    assert_eq!((none.status, &none.json()["messages"]), (200, &json!([])));
    server.client().get(&format!("{read}?wait=61")).problem(422, "invalid_request");
    wait_for_waiting(&server, 0);
}

#[test]
fn what_the_caller_has_seen_is_to_be_seen_before_anything_is_waited_for() {
    let server = server(setup());
    let asked = |accept: &'static str| {
        let headers =
            [("holdfast-after", "0:9999"), ("holdfast-deadline-ms", "20"), ("accept", accept)];
        server.client().request("GET", "/v1/topics/jobs/messages?wait=60", &headers, "")
    };
    for accept in ["application/json", "text/event-stream"] {
        asked(accept).problem(412, "version_not_reached");
    }
    wait_for_waiting(&server, 0);
}

#[test]
fn a_receive_waits_for_what_is_appended_and_for_what_comes_into_sight_again() {
    let server = server(setup());
    post(&server, "/v1/topics/jobs/queues", r#"{"id": "work", "visibility": "PT0.3S"}"#);
    let receive = "/v1/topics/jobs/queues/work/receive";
    let ask = move |client: &mut Client| client.post(receive, r#"{"wait": 60}"#);
    let asking = waiting(&server, ask);
    append(&server, "a");
    let given = asking.join().unwrap().json();
    assert_eq!(
        (&given["messages"][0]["data"], &given["messages"][0]["attempt"]),
        (&json!("a"), &json!(1))
    );
    // Nobody writes anything meanwhile: time alone brings it back.
    let again = ask(&mut server.client()).json();
    assert_eq!(again["messages"][0]["attempt"], 2);
    server
        .client()
        .post("/v1/topics/jobs/queues/none/receive", r#"{"wait": 60}"#)
        .problem(404, "queue_not_found");
}

#[test]
fn tries_that_find_nothing_take_no_version_and_the_answer_is_that_of_the_key() {
    let server = server(setup());
    post(&server, "/v1/topics/jobs/queues", r#"{"id": "work"}"#);
    let receive = "/v1/topics/jobs/queues/work/receive";
    let key = [("idempotency-key", "k")];
    let ask = move |client: &mut Client| client.request("POST", receive, &key, r#"{"wait": 60}"#);
    let asking = waiting(&server, ask);
    post(&server, "/v1/topics", r#"{"id": "other"}"#);
    let before = server.node.partition().feed().reached();
    append(&server, "a");
    let first = asking.join().unwrap();
    let at = format!("0:{}", before.get() + 2);
    assert_eq!(first.header("holdfast-at"), Some(&*at), "an append, and what was given out");
    // Nothing is there to be given out, and whoever lost the answer does not wait for it.
    let again = ask(&mut server.client());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
}

#[test]
fn who_waits_with_the_same_key_as_another_has_its_answer_as_soon_as_that_has() {
    let server = server(setup());
    post(&server, "/v1/topics/jobs/queues", r#"{"id": "work"}"#);
    let ask = move |client: &mut Client| {
        let key = [("idempotency-key", "k")];
        client.request("POST", "/v1/topics/jobs/queues/work/receive", &key, r#"{"wait": 60}"#)
    };
    let address = server.address;
    let first = waiting(&server, ask);
    let second = thread::spawn(move || ask(&mut Client::connect(address)));
    wait_for_waiting(&server, 2);
    append(&server, "a");
    let (first, second) = (first.join().unwrap(), second.join().unwrap());
    assert_eq!(first.body, second.body);
    let replayed = |it: &Response| it.header("idempotency-replayed").is_some();
    assert_ne!(replayed(&first), replayed(&second), "one of the two was made");
}

#[test]
fn as_many_wait_as_may_and_none_holds_up_the_end() {
    let mut setup = setup();
    setup.limits.followers_max = 1;
    let mut server = server(setup);
    let read = "/v1/topics/jobs/messages?wait=60";
    let asking = waiting(&server, move |client| client.get(read));
    server.client().get(read).problem(503, "overloaded");
    assert_eq!(server.client().get("/v1/topics/jobs/messages").status, 200);
    server.begin_stop();
    let answer = asking.join().unwrap();
    assert_eq!((answer.status, &answer.json()["messages"]), (200, &json!([])));
    assert_eq!(server.drained(), 0);
}

/// A stream of a partition's messages whose head and first comment were read.
fn stream(server: &TestServer, query: &str, last: Option<&str>) -> Client {
    let mut client = server.client();
    let mut head = format!(
        "GET /v1/topics/jobs/messages{query} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
    );
    if let Some(last) = last {
        head += &format!("last-event-id: {last}\r\n");
    }
    client.send(format!("{head}\r\n").as_bytes()).unwrap();
    let response = client.head().unwrap();
    let content_type = response.header("content-type");
    assert_eq!((response.status, content_type), (200, Some("text/event-stream")));
    assert_eq!(client.event_line().unwrap(), ": holdfast stream");
    client
}

fn event(stream: &mut Client) -> (String, Value) {
    let id = stream.event_line().unwrap();
    let data = stream.event_line().unwrap();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    (id.strip_prefix("id: ").unwrap().to_owned(), data["data"].clone())
}

#[test]
fn a_stream_tells_each_message_once_and_is_resumed_where_it_was() {
    let server = server(setup());
    append(&server, "a");
    append(&server, "b");
    let mut events = stream(&server, "?limit=1", None);
    let said = |id: &str, text: &str| (id.to_owned(), json!(text));
    assert_eq!(event(&mut events), said("1", "a"));
    assert_eq!(event(&mut events), said("2", "b"));
    append(&server, "c");
    assert_eq!(event(&mut events), said("3", "c"));
    drop(events);
    append(&server, "d");
    // As a browser does: the first request's URL, and where it was.
    let mut resumed = stream(&server, "?after=0", Some("2"));
    assert_eq!(event(&mut resumed), said("3", "c"));
    assert_eq!(event(&mut resumed), said("4", "d"));
    let mut tail = stream(&server, "?after=4", None);
    append(&server, "e");
    assert_eq!(event(&mut tail), said("5", "e"));
    let accept = [("accept", "text/event-stream")];
    let none = server.client().request("GET", "/v1/topics/none/messages", &accept, "");
    none.problem(404, "topic_not_found");
}

#[test]
fn streams_end_with_the_server() {
    let mut server = server(setup());
    let events = stream(&server, "", None);
    wait_for_waiting(&server, 1);
    server.begin_stop();
    assert_eq!(server.drained(), 0);
    drop(events);
}
