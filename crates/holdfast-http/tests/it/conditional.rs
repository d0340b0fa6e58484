//! Entity tags, and requests that depend on them.

use serde_json::json;

use crate::server::TestServer;

const SHEET: &str = "/v1/lab/sheets/a";

#[test]
fn a_write_that_knows_another_version_is_refused() {
    let server = TestServer::start();
    let mut client = server.client();
    let mut write = |fields: &[(&str, &str)]| client.request("PATCH", SHEET, fields, "{}");
    write(&[("if-match", "*")]).problem(412, "lab_differs");
    let first = write(&[("if-none-match", "*")]);
    assert_eq!((first.status, first.header("etag")), (200, Some("\"1\"")));
    write(&[("if-none-match", "*")]).problem(412, "lab_differs");
    let second = write(&[("if-match", "\"1\"")]);
    assert_eq!((second.status, second.header("etag")), (200, Some("\"2\"")));
    write(&[("if-match", "\"1\"")]).problem(412, "lab_differs");
    assert_eq!(write(&[("if-match", "*")]).status, 200);
    assert_eq!(write(&[]).header("etag"), Some("\"4\""));
}

#[test]
fn a_condition_may_stand_in_the_body_and_must_not_differ_there() {
    let server = TestServer::start();
    let mut client = server.client();
    let mut write =
        |fields: &[(&str, &str)], body: &str| client.request("PATCH", SHEET, fields, body);
    assert_eq!(write(&[], r#"{"if_none_match": "*"}"#).status, 200);
    write(&[], r#"{"if_match": 7}"#).problem(412, "lab_differs");
    assert_eq!(write(&[], r#"{"if_match": 1}"#).status, 200);
    let both = write(&[("if-match", "\"2\"")], r#"{"if_match": 1}"#);
    assert_eq!(both.problem(422, "invalid_request")["pointer"], "/if_match");
}

#[test]
fn a_reader_that_has_it_gets_no_body() {
    let server = TestServer::start();
    let mut client = server.client();
    client.request("PATCH", SHEET, &[], "{}");
    let first = client.get(SHEET);
    assert_eq!(
        (first.header("etag"), first.json()),
        (Some("\"1\""), json!({"id": "a", "version": 1}))
    );
    let mut read = |tag| client.request("GET", SHEET, &[("if-none-match", tag)], "");
    for known in ["\"1\"", "\"0\", W/\"1\"", "*"] {
        let same = read(known);
        assert_eq!((same.status, same.body.len()), (304, 0), "{known}");
        assert_eq!((same.header("etag"), same.header("holdfast-at")), (Some("\"1\""), Some("0:1")));
    }
    assert_eq!(read("\"0\"").status, 200);
    let missing = client.request("GET", "/v1/lab/sheets/b", &[("if-none-match", "*")], "");
    missing.problem(412, "lab_differs");
}

#[test]
fn what_would_be_ignored_is_refused() {
    let server = TestServer::start();
    let mut client = server.client();
    let note = r#"{"text":"x"}"#;
    for (method, target, name, value, body) in [
        ("PATCH", SHEET, "if-match", "1", "{}"),
        ("PATCH", SHEET, "if-match", "\"1\", \"2\"", "{}"),
        ("PATCH", SHEET, "if-none-match", "\"1\"", "{}"),
        ("PUT", "/v1/lab/notes/a", "if-match", "*", note),
        ("PUT", "/v1/lab/notes/a", "if-none-match", "*", note),
        ("GET", SHEET, "if-match", "\"1\"", ""),
    ] {
        let refused = client.request(method, target, &[(name, value)], body);
        assert_eq!(refused.problem(400, "invalid_header")["facts"]["header"], name, "{target}");
    }
    // A reader of what has no version gets all of it.
    client.request("PUT", "/v1/lab/notes/a", &[], note);
    let whole = client.request("GET", "/v1/lab/notes/a", &[("if-none-match", "*")], "");
    assert_eq!((whole.status, whole.header("etag")), (200, None));
}

#[test]
fn a_condition_is_part_of_what_a_key_stands_for() {
    let server = TestServer::start();
    let mut client = server.client();
    let mut write = |condition: (&'static str, &'static str)| {
        client.request("PATCH", SHEET, &[("idempotency-key", "k"), condition], "{}")
    };
    let first = write(("if-none-match", "*"));
    let again = write(("if-none-match", "*"));
    assert_eq!((first.status, first.header("etag")), (200, Some("\"1\"")));
    assert_eq!((&again.body, again.header("etag")), (&first.body, Some("\"1\"")));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    write(("if-match", "\"1\"")).problem(422, "idempotency_key_reused");
}
