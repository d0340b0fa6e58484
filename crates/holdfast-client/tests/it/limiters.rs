//! Limits that are decided in the client's process: permits given away, refilled, given back, and
//! what becomes of requests when no server can be reached.

use std::{sync::atomic::Ordering, time::Duration};

use holdfast_client::{
    Client, Decision, Lifetime, Limiter, LimiterRequest,
    api::limits::{LimitStatusSpec, OnFailure, PutLimitSpec, Quota, Rule},
};

use crate::{
    node::{Running, config},
    peer::Peer,
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(60);

async fn put(client: &Client, max: u64, on_failure: OnFailure) {
    let quota = Quota::SlidingLog { max, window: Lifetime(Duration::from_secs(3600)) };
    let rule = Rule { on_failure: Some(on_failure), ..Rule::new("all", quota) };
    client.call(&PutLimitSpec::new("api", vec![rule])).await.unwrap();
}

fn asked(permits: u64) -> LimiterRequest {
    LimiterRequest { ttl: LONG, patience: LONG, ..LimiterRequest::new("api", permits) }
}

/// What is left of the limit, as the server has it.
async fn left(client: &Client) -> u64 {
    client.call(&LimitStatusSpec::new("api")).await.unwrap().outcome.rules[0].remaining
}

/// How many of so many requests are allowed, one after the other.
async fn allowed(limiter: &Limiter, requests: u64) -> u64 {
    let mut allowed = 0;
    for _ in 0..requests {
        allowed += u64::from(limiter.admit(1).await.is_allowed());
    }
    allowed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_allowed_than_the_limit_has_and_the_rest_is_given_back() {
    let server = Running::start().await;
    let client = server.client();
    put(&client, 1_000, OnFailure::Open).await;
    let limiter = client.limiter(&asked(100)).await.unwrap();
    assert_eq!(limiter.decide(1), Decision::Allowed);
    assert_eq!(limiter.decide(101), Decision::Denied { retry_after: None });
    assert_eq!(allowed(&limiter, 349).await, 349);
    // What is held besides is given back, and nothing but what was allowed is charged.
    limiter.close().await.unwrap();
    assert_eq!(left(&client).await, 650);

    let (one, two) = tokio::join!(async { client.limiter(&asked(100)).await }, async {
        client.limiter(&asked(70)).await
    });
    let (one, two) = (one.unwrap(), two.unwrap());
    let (first, second) = tokio::join!(allowed(&one, 700), allowed(&two, 700));
    // Too early by what the four slices may hold, and never too late.
    assert!((650 - 340..=650).contains(&(first + second)), "{first} and {second}");
    let denied = one.admit(100).await;
    assert!(matches!(denied, Decision::Denied { retry_after: Some(_) }), "{denied:?}");
    one.close().await.unwrap();
    two.close().await.unwrap();
    assert_eq!(left(&client).await, 650 - first - second);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_servers_the_rule_decides_once_what_is_held_is_gone() {
    for (on_failure, expected) in
        [(OnFailure::Open, Decision::FailedOpen), (OnFailure::Closed, Decision::FailedClosed)]
    {
        let server = Running::start().await;
        put(&server.client(), 1_000, on_failure).await;
        let (peer, silent) = Peer::before(server.address);
        let client = Client::new(config(&[peer.address])).unwrap();
        let patience = Duration::from_millis(200);
        let limiter = client.limiter(&LimiterRequest { patience, ..asked(10) }).await.unwrap();
        silent.store(true, Ordering::SeqCst);
        // The slice that is held, and another if it was on its way already.
        let mut counted = 0;
        let decision = loop {
            match limiter.admit(1).await {
                Decision::Allowed => counted += 1,
                decision => break decision,
            }
        };
        assert_eq!(decision, expected);
        assert!(counted == 10 || counted == 20, "{counted}");
        assert_eq!(limiter.decide(1), expected);
        silent.store(false, Ordering::SeqCst);
        while limiter.decide(1) != Decision::Allowed {
            tokio::task::yield_now().await;
        }
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_asks_for_is_given_back_when_its_time_is_over() {
    let server = Running::start().await;
    let client = server.client();
    put(&client, 1_000, OnFailure::Open).await;
    let request = LimiterRequest { ttl: Duration::from_millis(400), ..asked(100) };
    let limiter = client.limiter(&request).await.unwrap();
    assert_eq!(limiter.decide(1), Decision::Allowed);
    while left(&client).await != 999 {
        tokio::task::yield_now().await;
    }
    // And taken again when somebody asks.
    assert!(limiter.admit(100).await.is_allowed());
    drop(limiter);
    while left(&client).await != 899 {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_decided_here_is_told_at_once() {
    let server = Running::start().await;
    let client = server.client();
    let unknown = client.limiter(&asked(10)).await.unwrap_err();
    assert_eq!(unknown.code(), Some("limit_not_found"));
    let quota = Quota::Gcra { max: 10, window: Lifetime(LONG), burst: None };
    client.call(&PutLimitSpec::new("api", vec![Rule::new("all", quota)])).await.unwrap();
    let unsupported = client.limiter(&asked(10)).await.unwrap_err();
    assert_eq!(unsupported.code(), Some("slice_unsupported"));
    server.stop().await;
}
