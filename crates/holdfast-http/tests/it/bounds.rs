//! What clients can do to us is bounded: slow, large, many, malformed.

use std::{io::Read as _, time::Duration};

use serde_json::json;

use crate::{
    client::Client,
    problems::wait_until,
    server::{Setup, TestServer},
};

#[test]
fn a_head_that_trickles_is_told_and_an_idle_connection_is_closed() {
    let server = Setup::limits(|limits| limits.head_timeout = Duration::from_millis(50)).start();
    let mut silent = server.client();
    let mut trickling = server.client();
    trickling.send(b"GET /health HT").unwrap();
    trickling.response(false).unwrap().problem(408, "request_timeout");
    assert!(trickling.is_closed());
    assert!(silent.is_closed());
    let mut idle = server.client();
    assert_eq!(idle.get("/health").status, 200);
    let mut rest = Vec::new();
    // Nothing was asked, so nothing is said.
    assert_eq!(idle.stream.read_to_end(&mut rest).unwrap(), 0);
}

#[test]
fn many_slow_senders_keep_nobody_waiting() {
    let server = TestServer::start();
    let slow: Vec<_> = (0..400)
        .map(|number| {
            let mut client = server.client();
            let head = "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n";
            let some = number % head.len();
            client.send(&head.as_bytes()[..some]).unwrap();
            client
        })
        .collect();
    let mut client = server.client();
    for _ in 0..20 {
        assert_eq!(client.request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#).status, 200);
    }
    drop(slow);
}

#[test]
fn one_connection_too_many_is_told_and_closed() {
    let server = Setup::limits(|limits| limits.connections_max = 1).start();
    let mut first = server.client();
    assert_eq!(first.get("/health").status, 200);
    let mut second = server.client();
    second.response(false).unwrap().problem(503, "overloaded");
    assert!(second.is_closed());
    drop(first);
    wait_until(|| {
        let mut third = server.client();
        third.send(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").is_ok()
            && third.response(false).is_ok_and(|response| response.status == 200)
    });
}

#[test]
fn a_chunked_body_is_bounded_as_it_comes() {
    let server = TestServer::start();
    let mut client = server.client();
    let head = "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    client.send(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = [b"8000\r\n", "x".repeat(0x8000).as_bytes(), b"\r\n"].concat();
    for _ in 0..40 {
        // The server may close as soon as it has seen too much.
        if client.send(&chunk).is_err() {
            break;
        }
    }
    client.response(false).unwrap().problem(413, "body_too_large");
}

#[test]
fn a_body_in_pieces_is_put_together() {
    let server = TestServer::start();
    let mut client = server.client();
    let text = "y".repeat(100_000);
    let body = format!("{{\"text\":{text:?}}}");
    let head = "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    client.send(format!("{head}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    for piece in body.as_bytes().chunks(7_001) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        client.send(&chunk).unwrap();
    }
    client.send(b"0\r\n\r\n").unwrap();
    assert_eq!(client.response(false).unwrap().status, 200);
    assert_eq!(client.get("/v1/lab/notes/a").json(), json!(text));
}

#[test]
fn large_bodies_share_a_budget() {
    let server = Setup::limits(|limits| limits.bodies_bytes_max = 50_000).start();
    let text = "z".repeat(100_000);
    let body = format!("{{\"text\":{text:?}}}");
    let mut client = server.client();
    client.request("PUT", "/v1/lab/notes/a", &[], &body).problem(503, "overloaded");
    let small = server.client().request("PUT", "/v1/lab/notes/a", &[], r#"{"text":""}"#);
    assert_eq!(small.status, 200);
}

#[test]
fn a_client_that_expects_to_be_told_is_told_before_it_sends() {
    let server = TestServer::start();
    let mut client = server.client();
    let head = "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
        expect: 100-continue\r\n";
    client.send(format!("{head}content-length: 9999999\r\n\r\n").as_bytes()).unwrap();
    client.response(false).unwrap().problem(413, "body_too_large");
    let mut client = server.client();
    client.send(format!("{head}content-length: 11\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(client.head().unwrap().status, 100);
    client.send(br#"{"text":""}"#).unwrap();
    assert_eq!(client.response(false).unwrap().status, 200);
}

#[test]
fn what_is_not_http_gets_400_and_no_more() {
    let server = TestServer::start();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"PUT /v1/lab/notes/a HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"PUT /v1/lab/notes/a HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
    ] {
        let mut client = server.client();
        client.send(garbage).unwrap();
        let response = client.response(false).unwrap();
        assert_eq!(response.status, 400, "{garbage:?}");
        assert!(client.is_closed(), "{garbage:?}");
    }
    // Beyond hyper's own buffer there is no telling why.
    let mut client = server.client();
    let flood = format!("GET /health HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    client.send(flood.as_bytes()).unwrap();
    assert_eq!(client.response(false).unwrap().status, 431);
}

#[test]
fn bodies_belong_to_post_and_put_and_queries_to_the_others() {
    let server = TestServer::start();
    let get = server.client().request("GET", "/v1/lab/notes/a", &[], "{}");
    get.problem(400, "malformed_request");
    let delete = server.client().request("DELETE", "/v1/lab/notes/a", &[], "{}");
    delete.problem(400, "malformed_request");
    let put = server.client().request("PUT", "/v1/lab/notes/a?text=x", &[], r#"{"text":""}"#);
    put.problem(400, "malformed_request");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start();
    let mut client: Client = server.client();
    let mut requests = String::new();
    for id in 0..20 {
        let body = format!("{{\"text\":\"{id}\"}}");
        requests += &format!(
            "PUT /v1/lab/notes/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    client.send(requests.as_bytes()).unwrap();
    for id in 0..20 {
        let response = client.response(false).unwrap();
        assert_eq!(response.json()["text"], id.to_string());
        assert_eq!(response.json()["version"], id + 1);
    }
}
