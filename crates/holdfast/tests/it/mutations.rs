//! A hundred thousand requests that are nearly right: none is answered as our
//! fault, none stops the server, and afterwards every balance is as it should be.
//!
//! `HOLDFAST_TEST_MUTATIONS` sets another number of requests.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use crate::process::{Data, Server, run};

const REQUESTS: u64 = 100_000;
const CONNECTIONS: u64 = 8;

/// Requests to begin with: method, target, body.
const SEEDS: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/v1/ledger/accounts",
        r#"{"id":"a1","asset":"EUR","limit":"debits_not_above_credits"}"#,
    ),
    ("POST", "/v1/ledger/accounts", r#"{"id":"a2","asset":"EUR","metadata":{"k":[1,{"n":null}]}}"#),
    ("POST", "/v1/ledger/assets", r#"{"asset":"points","exponent":2,"name":"Points"}"#),
    (
        "POST",
        "/v1/ledger/transfers",
        r#"{"id":"t1","debit_account":"a2","credit_account":"a1","amount":100,"asset":"EUR"}"#,
    ),
    (
        "POST",
        "/v1/ledger/transfers",
        r#"{"id":"t2","debit_account":"a1","credit_account":"a2","amount":7,"pending":true,"expires_in":"PT15M"}"#,
    ),
    (
        "POST",
        "/v1/ledger/transfers",
        r#"{"id":"t3","debit_account":"a2","credit_account":"a1","amount":9007199254740991,"metadata":{"x":"y"}}"#,
    ),
    (
        "POST",
        "/v1/ledger/linked-transfers",
        r#"{"transfers":[{"id":"l1","debit_account":"a2","credit_account":"a1","amount":5},{"id":"l2","debit_account":"a1","credit_account":"a2","amount":3}]}"#,
    ),
    ("POST", "/v1/ledger/transfers/t2/post", r#"{"amount":3}"#),
    ("POST", "/v1/ledger/transfers/t2/void", "{}"),
    ("GET", "/v1/ledger/accounts/a1", ""),
    ("GET", "/v1/ledger/accounts/a1/history?limit=10", ""),
    ("GET", "/v1/ledger/accounts?limit=3", ""),
    ("GET", "/v1/changes?after=0&limit=5&table=ledger.transfers", ""),
    ("GET", "/openapi.json", ""),
    ("GET", "/v1/info", ""),
];

/// What is put into requests.
const TOKENS: &[&str] = &[
    "-1",
    "0",
    "9007199254740992",
    "99999999999999999999999",
    "1e400",
    "0.1",
    "null",
    "true",
    "{",
    "}",
    "[",
    "\"",
    "\\u0000",
    "\\ud800",
    "EUR",
    "a1",
    "a2",
    "t1",
    "\"amount\":",
    "\"pending\":true,",
    "%00",
    "%2e%2e",
    "?",
    "&",
    "=",
    "/",
    "\r\n",
    "Transfer-Encoding: chunked\r\n",
    "ä",
    "PT0S",
    "2026-11-22T10:15:00Z",
    "\"expires_at\":\"1970-01-01T00:00:00Z\",",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let (at, len) = (self.below(bytes.len() + 1), self.below(8));
        let end = (at + len).min(bytes.len());
        match self.below(5) {
            0 if at < bytes.len() => bytes[at] = self.next().to_le_bytes()[0],
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.truncate(at),
            _ => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(at..end, token.bytes());
            }
        }
    }

    /// A request, and whether its head may be one that waits for more.
    fn request(&mut self) -> (Vec<u8>, bool) {
        let (method, target, body) = SEEDS[self.below(SEEDS.len())];
        let (mut target, mut body) = (target.as_bytes().to_vec(), body.as_bytes().to_vec());
        for _ in 0..self.below(4) {
            self.mutate(&mut body);
        }
        if self.below(5) == 0 {
            self.mutate(&mut target);
        }
        let mut head = format!("{method} ").into_bytes();
        head.extend_from_slice(&target);
        head.extend_from_slice(b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        head.extend_from_slice(b"content-type: application/json\r\n");
        if self.below(2) == 0 {
            head.extend_from_slice(
                format!("idempotency-key: k-{}\r\n", self.below(500)).as_bytes(),
            );
        }
        let mutated = self.below(20) == 0;
        if mutated {
            self.mutate(&mut head);
        }
        head.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        head.extend_from_slice(&body);
        (head, mutated)
    }
}

/// Each request has a connection of its own, so that none can spoil the next.
/// Returns how many were done.
fn send(address: SocketAddr, seed: u64, count: u64) -> u64 {
    let mut random = Random(seed);
    let mut done = 0;
    for number in 0..count {
        let (request, may_wait) = random.request();
        let shown = || format!("seed {seed}, request {number}: {}", request.escape_ascii());
        match exchange(address, &request, may_wait) {
            Ok(status) => {
                assert!((200..500).contains(&status), "{status} to {}", shown());
                done += u64::from(status == 200);
            }
            // Closed without an answer: the bytes were no request at all.
            Err(error) => assert!(may_wait && is_closed(&error), "{error} to {}", shown()),
        }
    }
    done
}

fn is_closed(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof)
}

/// Sends a request and returns the answer's status. To one that may wait for more
/// it is said that nothing comes.
fn exchange(address: SocketAddr, request: &[u8], may_wait: bool) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request)?;
    if may_wait {
        stream.shutdown(Shutdown::Write)?;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let status = answer.get(9..12).and_then(|text| std::str::from_utf8(text).ok());
    let status = status.and_then(|text| text.parse().ok());
    status.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

#[test]
fn nearly_right_requests_are_never_our_fault() {
    let requests = std::env::var("HOLDFAST_TEST_MUTATIONS");
    let requests = requests.map_or(REQUESTS, |text| text.parse().expect("a number"));
    let data = Data::new();
    let server = Server::start(&data.path());
    let address = server.address;
    let done: u64 = thread::scope(|scope| {
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|seed| scope.spawn(move || send(address, seed, requests / CONNECTIONS)))
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    assert!(done > requests / 10, "only {done} of {requests} were right enough to be done");
    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let audited = run(&["audit", "--data", data.path().to_str().unwrap()]);
    assert_eq!(audited.code, Some(0), "{audited:?}");
}
