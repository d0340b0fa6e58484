//! Requests and answers in other forms than JSON, with the topics of this build.

use holdfast_node::Registry;
use serde_json::{Value, json};

use crate::{
    client::Response,
    server::{Setup, TestServer},
};

pub(crate) const READ: &str = "/v1/topics/t/messages";
const BATCHES: &str = "/v1/topics/t/batches";
const EVENT: (&str, &str) = ("content-type", "application/cloudevents+json; charset=utf-8");
const EVENTS: (&str, &str) = ("content-type", "Application/CloudEvents-Batch+JSON");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A server with a topic.
pub(crate) fn server() -> TestServer {
    let mut setup = Setup::default();
    setup.node.registry = Registry::all();
    let server = setup.start();
    assert_eq!(server.client().post("/v1/topics", r#"{"id": "t"}"#).status, 200);
    server
}

fn post(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    server.client().request("POST", path, headers, body)
}

fn event(id: &str, data: &Value) -> String {
    json!({ "specversion": "1.0", "id": id, "source": "/s", "type": "t", "data": data }).to_string()
}

fn read(server: &TestServer, accept: &str) -> Response {
    server.client().request("GET", READ, &[("accept", accept)], "")
}

#[test]
fn events_come_in_three_modes_and_are_read_in_one() {
    let server = server();
    let done = post(&server, READ, &[EVENT], &event("1", &json!(1)));
    assert_eq!((done.status, &done.json()["offset"]), (200, &json!(1)), "{done:?}");
    let list = format!("[{},{}]", event("2", &json!(2)), event("3", &json!(3)));
    let done = post(&server, BATCHES, &[EVENTS], &list);
    assert_eq!(done.json()["ranges"][0]["last_offset"], 3, "{done:?}");
    let fields = [
        ("Ce-SpecVersion", "1.0"),
        ("ce-id", "4"),
        ("ce-source", "/s"),
        ("ce-type", "t%20u"),
        ("content-type", "text/plain"),
    ];
    let done = post(&server, READ, &fields, "four");
    assert_eq!(done.json()["offset"], 4, "{done:?}");
    let page = read(&server, "application/cloudevents-batch+json");
    assert_eq!(page.header("content-type"), Some("application/cloudevents-batch+json"));
    assert_eq!(page.header("holdfast-next"), Some("4"));
    assert_eq!(page.header("holdfast-first-offset"), Some("1"));
    assert_eq!(page.header("holdfast-last-offset"), Some("4"));
    assert!(page.header("holdfast-at").is_some());
    let ids: Vec<_> = page.json().as_array().unwrap().iter().map(|e| e["id"].clone()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    let last = &page.json()[3];
    assert_eq!((&last["type"], &last["data"]), (&json!("t u"), &json!("four")));
    // Messages they are all the same, for whoever reads messages.
    assert_eq!(read(&server, "*/*").json()["messages"][3]["event"]["source"], "/s");
}

#[test]
fn json_with_fields_of_events_is_an_events_data() {
    let server = server();
    let fields = [JSON, ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s")];
    let refused = post(&server, READ, &fields, r#"{"type": "t"}"#).problem(422, "invalid_request");
    assert_eq!(refused["pointer"], "/type", "the body is data, not a message");
    // What is in the body of a structured event says it all, whatever the header has.
    let fields = [EVENT, ("ce-specversion", "0.3")];
    assert_eq!(post(&server, READ, &fields, &event("1", &json!(1))).status, 200);
}

#[test]
fn a_key_stands_for_attributes_in_header_fields_too() {
    let server = server();
    let ask = |id: &str, media_type: &str, order: bool| {
        let mut fields = vec![
            ("idempotency-key", "k"),
            ("content-type", media_type),
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-source", "/s"),
            ("ce-type", "t"),
        ];
        if order {
            fields.reverse();
        }
        post(&server, READ, &fields, "{}")
    };
    assert_eq!(ask("1", "application/json", false).status, 200);
    let again = ask("1", "application/json", true);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    ask("2", "application/json", false).problem(422, "idempotency_key_reused");
    ask("1", "text/plain", false).problem(422, "idempotency_key_reused");
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let server = server();
    let pointer = |path: &str, media_type: (&str, &str), body: &str| {
        post(&server, path, &[media_type], body).problem(422, "invalid_request")["pointer"].clone()
    };
    let bad = event("", &json!(1));
    assert_eq!(pointer(READ, EVENT, &bad), "/id");
    assert_eq!(pointer(BATCHES, EVENTS, &format!("[{},{bad}]", event("1", &json!(1)))), "/1/id");
    post(&server, READ, &[EVENT], "{").problem(400, "malformed_json");
    post(&server, READ, &[EVENT], "").problem(400, "malformed_json");
    post(&server, READ, &[("ce-id", "1")], "").problem(422, "invalid_request");
}

#[test]
fn a_form_that_is_not_taken_is_told_which_are() {
    let server = server();
    let accepted = |path: &str, media_type: &str| {
        let response = post(&server, path, &[("content-type", media_type)], "x");
        response.problem(415, "unsupported_media_type")["facts"]["accepted"].clone()
    };
    let both = json!(["application/json", "application/cloudevents+json"]);
    assert_eq!(accepted(READ, "text/plain"), both);
    assert_eq!(accepted(READ, "application/cloudevents+avro"), both);
    let batch = json!(["application/json", "application/cloudevents-batch+json"]);
    assert_eq!(accepted(BATCHES, "application/cloudevents+json"), batch);
    assert_eq!(accepted("/v1/topics", "application/cloudevents+json"), json!(["application/json"]));
}

#[test]
fn accept_decides_where_there_is_a_choice_and_only_there() {
    let server = server();
    let is = |accept: &str| {
        let response = read(&server, accept);
        assert_eq!(response.status, 200, "{accept}");
        response.header("content-type").unwrap().to_owned()
    };
    let (json, events) = ("application/json", "application/cloudevents-batch+json");
    assert_eq!(is("*/*"), json);
    assert_eq!(is(""), json);
    assert_eq!(is("application/*"), json);
    assert_eq!(is(events), events);
    assert_eq!(is(&format!("{json};q=0.5, {events}")), events);
    assert_eq!(is(&format!("{events};q=0.5, {json}")), json);
    let details = read(&server, "text/html").problem(406, "not_acceptable");
    assert_eq!(details["facts"]["offered"], json!([json, events, "text/event-stream"]));
    read(&server, "application/json;q=0").problem(406, "not_acceptable");
    // A refusal is problem details, whatever is accepted.
    let none = [("accept", events)];
    let refused = server.client().request("GET", "/v1/topics/none/messages", &none, "");
    refused.problem(404, "topic_not_found");
    let html = [("accept", "text/html")];
    assert_eq!(server.client().request("GET", "/v1/topics/t", &html, "").status, 200);
}
