//! What a client is told that a limit denies: status, header fields, and the same again.

use holdfast_node::{NodeConfig, Registry};

use crate::{
    client::{Client, Response},
    server::Setup,
};

const LIMIT: &str =
    r#"{"rules":[{"name":"all","quota":{"algorithm":"sliding_log","max":1,"window":"PT1H"}}]}"#;

/// `"all";r=0;t=` and a number of seconds, of an hour at most.
fn has_nothing_left(standing: Option<&str>) -> bool {
    let seconds = standing.and_then(|standing| standing.strip_prefix("\"all\";r=0;t="));
    seconds.and_then(|seconds| seconds.parse().ok()).is_some_and(|t: u64| (1..=3600).contains(&t))
}

fn check_denied(denied: &Response) {
    let details = denied.problem(429, "limit_exceeded");
    assert_eq!(details["retry"], "later");
    assert_eq!(denied.header("ratelimit-policy"), Some("\"all\";q=1;w=3600"));
    assert!(has_nothing_left(denied.header("ratelimit")), "{:?}", denied.headers);
    let after: u64 = denied.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&after), "{after}");
}

fn take(client: &mut Client, key: &str) -> Response {
    client.request("POST", "/v1/limits/api/take", &[("idempotency-key", key)], "{}")
}

#[test]
fn a_denial_says_in_its_header_when_to_come_back() {
    let mut setup = Setup::default();
    setup.node = NodeConfig { registry: Registry::all(), ..setup.node };
    let server = setup.start();
    let mut client = server.client();
    assert_eq!(client.request("PUT", "/v1/limits/api", &[], LIMIT).status, 200);
    assert_eq!(take(&mut client, "a").status, 200);
    let denied = take(&mut client, "b");
    check_denied(&denied);
    // Repeated, it is counted once: allowed again, and denied in the same words.
    let again = take(&mut client, "a");
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    let again = take(&mut client, "b");
    check_denied(&again);
    assert_eq!(
        (again.header("retry-after"), &again.body),
        (denied.header("retry-after"), &denied.body)
    );
    // As one operation of several it refuses all of them, and says the same.
    let body = r#"{"operations":[{"op":"limits.take","args":{"id":"api"}}]}"#;
    check_denied(&client.post("/v1/transactions", body));
    // Who only asks is not limited, and is told what to tell others.
    let asked = client.post("/v1/limits/api/check", "{}");
    assert_eq!(
        (asked.status, asked.header("ratelimit"), asked.header("retry-after")),
        (200, None, None)
    );
    let asked = asked.json();
    assert_eq!(asked["outcome"], "denied");
    assert!(has_nothing_left(asked["fields"]["RateLimit"].as_str()), "{asked}");
}
