//! Stopping: what is in progress finishes, what hangs is cut off.

use std::{net::TcpStream, thread, time::Duration};

use crate::{
    client::Client,
    lab,
    problems::wait_until,
    server::{Setup, TestServer},
};

/// A request that waits at a gate, sent and being handled.
fn at_the_gate(server: &TestServer, gate: &str) -> Client {
    let mut client = server.client();
    let head = format!("POST /v1/lab/gates/{gate} HTTP/1.1\r\nhost: x\r\n");
    let body = "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    client.send(format!("{head}{body}").as_bytes()).unwrap();
    let waiting = b"holdfast_http_requests_in_progress 2";
    wait_until(|| {
        let page = server.client().get("/metrics").body;
        page.windows(waiting.len()).any(|part| part == waiting)
    });
    client
}

#[test]
fn a_request_in_progress_is_finished() {
    let mut server = TestServer::start();
    let mut idle = server.client();
    assert_eq!(idle.get("/health").status, 200);
    let mut client = at_the_gate(&server, "finish");
    server.begin_stop();
    assert!(idle.is_closed(), "an idle connection is closed at once");
    wait_until(|| TcpStream::connect(server.address).is_err());
    lab::open_gate("finish");
    let response = client.response(false).unwrap();
    assert_eq!((response.status, response.header("holdfast-at")), (200, Some("0:1")));
    assert!(client.is_closed());
    assert_eq!(server.drained(), 0);
}

#[test]
fn what_hangs_is_cut_off() {
    let mut setup = Setup::default();
    setup.limits.drain_timeout = Duration::from_millis(30);
    let mut server = setup.start();
    let mut client = at_the_gate(&server, "hang");
    server.begin_stop();
    assert_eq!(server.drained(), 1);
    assert!(client.is_closed());
    lab::open_gate("hang");
}

#[test]
fn followers_of_the_feed_do_not_hold_up_the_end() {
    let mut server = TestServer::start();
    let address = server.address;
    let polling = thread::spawn(move || Client::connect(address).get("/v1/changes?wait=20"));
    let mut events = server.client();
    let head = b"GET /v1/changes HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n";
    events.send(head).unwrap();
    let both = b"holdfast_http_followers 2";
    wait_until(|| {
        server.client().get("/metrics").body.windows(both.len()).any(|part| part == both)
    });
    server.begin_stop();
    assert_eq!(server.drained(), 0);
    assert_eq!(polling.join().unwrap().status, 200);
}
