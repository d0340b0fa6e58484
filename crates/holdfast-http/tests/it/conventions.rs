//! What every command does alike.

use serde_json::json;

use crate::server::TestServer;

#[test]
fn a_write_is_answered_with_its_place_and_read_back() {
    let server = TestServer::start();
    let mut client = server.client();
    let put = client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":"hello"}"#);
    assert_eq!(put.status, 200, "{put:?}");
    assert_eq!(put.json(), json!({"id": "a", "text": "hello", "version": 1}));
    assert_eq!(put.header("holdfast-at"), Some("0:1"));
    assert_eq!(put.header("holdfast-durability"), Some("memory"));
    assert_eq!(put.header("content-type"), Some("application/json"));
    assert_eq!(put.header("idempotency-replayed"), None);
    let get = client.request("GET", "/v1/lab/notes/a", &[("holdfast-after", "0:1")], "");
    assert_eq!((get.status, get.json()), (200, json!("hello")));
    assert_eq!(get.header("holdfast-at"), Some("0:1"));
    let head = client.request("HEAD", "/v1/lab/notes/a", &[], "");
    assert_eq!((head.status, head.header("content-length")), (200, Some("7")));
}

#[test]
fn fields_come_from_path_query_and_body_alike() {
    let server = TestServer::start();
    let mut client = server.client();
    for id in ["a.1", "a:2", "b"] {
        let put = client.request("PUT", &format!("/v1/lab/notes/{id}"), &[], r#"{"text":""}"#);
        assert_eq!(put.status, 200);
    }
    let body = r#"{"id":"c","text":"the path's own field may stand in the body"}"#;
    assert_eq!(client.request("PUT", "/v1/lab/notes/c", &[], body).status, 200);
    let list = client.get("/v1/lab/notes?prefix=a%2E&limit=10");
    assert_eq!(list.json(), json!(["a.1"]));
    let list = client.get("/v1/lab/notes?limit=2");
    assert_eq!(list.json(), json!(["a.1", "a:2"]));
    assert_eq!(client.request("DELETE", "/v1/lab/notes/a%3A2", &[], "").status, 200);
    client.get("/v1/lab/notes/a:2").problem(404, "no_such_note");
}

#[test]
fn a_repeated_request_gets_the_bytes_of_the_first() {
    let server = TestServer::start();
    let mut client = server.client();
    let key = [("idempotency-key", "order-17")];
    let body = r#"{"text":"once"}"#;
    let first = client.request("PUT", "/v1/lab/notes/a", &key, body);
    // History goes on in between, so a second evaluation would have another version.
    client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":"changed"}"#);
    let second = server.client().request("PUT", "/v1/lab/notes/a", &key, body);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!((second.status, &second.body), (first.status, &first.body));
    let mut expected = first.lasting_headers();
    expected.push(("idempotency-replayed".to_owned(), "true".to_owned()));
    expected.sort();
    let mut headers = second.lasting_headers();
    headers.sort();
    assert_eq!(headers, expected);
    assert_eq!(client.get("/v1/lab/notes/a").json(), json!("changed"));
}

#[test]
fn a_refusal_is_stored_and_repeated_as_well() {
    let server = TestServer::start();
    let mut client = server.client();
    let key = [("idempotency-key", "k")];
    let first = client.request("DELETE", "/v1/lab/notes/a", &key, "");
    let details = first.problem(404, "no_such_note");
    assert_eq!(details["pointer"], "/id");
    assert_eq!(details["retry"], "never");
    client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#);
    let second = client.request("DELETE", "/v1/lab/notes/a", &key, "");
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.header("holdfast-at"), first.header("holdfast-at"));
    assert_eq!(second.body, first.body);
}

#[test]
fn a_key_stands_for_one_request() {
    let server = TestServer::start();
    let mut client = server.client();
    let key = [("idempotency-key", "k")];
    let body = r#"{"text":"x"}"#;
    assert_eq!(client.request("PUT", "/v1/lab/notes/a", &key, body).status, 200);
    let other_body = client.request("PUT", "/v1/lab/notes/a", &key, r#"{"text":"y"}"#);
    assert_eq!(other_body.problem(422, "idempotency_key_reused")["retry"], "never");
    let other_path = client.request("PUT", "/v1/lab/notes/b", &key, body);
    other_path.problem(422, "idempotency_key_reused");
    assert_eq!(client.get("/v1/lab/notes").json(), json!(["a"]));
}
