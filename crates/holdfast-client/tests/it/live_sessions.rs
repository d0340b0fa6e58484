//! Sessions that servers know: kept open, lost in time, closed; and what hangs on them.

use std::{sync::atomic::Ordering, time::Duration};

use holdfast_client::{
    Client, Error, Json, LeaseRequest, Lifetime, Loss,
    api::{
        documents::{GetDocumentSpec, PutDocumentSpec},
        leases::{AcquireLeaseSpec, GetLeaseSpec, GuardLeaseSpec},
        sessions::{CloseSessionSpec, GetSessionSpec, OpenSessionSpec},
    },
};

use crate::{
    node::{Running, config},
    peer::{Fate, Peer},
};

/// Longer than any test takes.
const LONG: Lifetime = Lifetime(Duration::from_secs(600));

/// Renewed within a second, and not lost on a busy machine.
const SHORT: Lifetime = Lifetime(Duration::from_secs(2));

fn named(id: &str, ttl: Lifetime) -> OpenSessionSpec {
    OpenSessionSpec { id: Some(id.to_owned()), ..OpenSessionSpec::new(ttl) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_on_it_ends_with_it() {
    let server = Running::start().await;
    let client = server.client();
    let session = client.open_session(&OpenSessionSpec::new(LONG)).await.unwrap();
    assert!(session.is_open());
    let (id, version) = (Some(session.id().to_owned()), session.version());
    let acquire = AcquireLeaseSpec { session: id.clone(), ..AcquireLeaseSpec::new("l", "a") };
    let token = client.call(&acquire).await.unwrap().outcome.token.unwrap();
    let put =
        PutDocumentSpec { session: id, ..PutDocumentSpec::new("nodes", "a", Json::default()) };
    client.call(&put).await.unwrap();
    client.call(&GuardLeaseSpec::new("l", token)).await.unwrap();
    let found = client.call(&GetSessionSpec::new(session.id())).await.unwrap().outcome;
    assert_eq!((found.version, found.tied.len()), (version, 2));

    session.close().await.unwrap();
    let guarded = client.call(&GuardLeaseSpec::new("l", token)).await;
    assert_eq!(guarded.unwrap_err().code(), Some("lease_stale"));
    let document = client.call(&GetDocumentSpec::new("nodes", "a")).await;
    assert_eq!(document.unwrap_err().code(), Some("document_not_found"));
    assert_eq!(client.call(&GetLeaseSpec::new("l")).await.unwrap().outcome.grant, None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_kept_open_while_servers_answer_and_lost_when_they_do_not() {
    let server = Running::start().await;
    let (peer, silent) = Peer::before(server.address);
    let client = Client::new(config(&[peer.address])).unwrap();
    let session = client.open_session(&named("s", SHORT)).await.unwrap();
    let look = async || server.client().call(&GetSessionSpec::new("s")).await;
    let opened = look().await.unwrap().outcome;
    while look().await.unwrap().outcome.expires_at == opened.expires_at {
        tokio::task::yield_now().await;
    }
    assert!(session.is_open());
    assert!(peer.seen().iter().any(|seen| seen.line == "POST /v1/sessions/s/renew"));
    silent.store(true, Ordering::SeqCst);
    let loss = session.lost().await;
    assert!(matches!(loss, Loss::TimeOver { .. }), "{loss}");
    assert!(!session.is_open());
    while look().await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_lost_as_soon_as_a_server_says_so() {
    let server = Running::start().await;
    let client = server.client();
    let session = client.open_session(&named("s", SHORT)).await.unwrap();
    client.call(&CloseSessionSpec::new("s")).await.unwrap();
    // Whoever has the id by now is not renewed.
    let next = client.open_session(&named("s", LONG)).await.unwrap();
    assert!(next.version() > session.version());
    let loss = session.lost().await;
    assert!(
        matches!(&loss, Loss::Refused(problem) if problem.code == "session_not_found"),
        "{loss}"
    );
    assert_eq!(session.close().await.unwrap_err().code(), Some("session_not_found"));
    assert!(next.is_open());
    next.close().await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_open_already_has_its_whole_time_again() {
    let server = Running::start().await;
    let client = server.client();
    // An earlier run of the same program, which has just died.
    client.call(&named("s", SHORT)).await.unwrap();
    let session = client.open_session(&named("s", LONG)).await.unwrap();
    let found = client.call(&GetSessionSpec::new("s")).await.unwrap().outcome;
    assert_eq!((found.version, found.ttl), (session.version(), LONG));
    drop(session);
    while client.call(&GetSessionSpec::new("s")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_are_held_under_it_without_a_heartbeat_of_their_own() {
    let server = Running::start().await;
    let peer = Peer::deciding({
        let to = server.address;
        move |_| Fate::Pass(to)
    });
    let client = Client::new(config(&[peer.address])).unwrap();
    let session = client.open_session(&named("s", SHORT)).await.unwrap();
    let lasting = |id: &str| LeaseRequest {
        wait_for: Some(LONG.0),
        owner: Some("a".to_owned()),
        ..LeaseRequest::lasting(id)
    };
    let unheld = client.hold(&lasting("l")).await.unwrap_err();
    assert!(matches!(unheld, Error::Unsendable(_)), "{unheld}");
    let lease = session.hold(&lasting("l")).await.unwrap();
    let both = LeaseRequest { ttl: Some(LONG.0), ..lasting("m") };
    let other = session.hold(&both).await.unwrap();
    let dropped = session.hold(&lasting("n")).await.unwrap();
    let held = async |id: &str| {
        let found = client.call(&GetLeaseSpec::new(id)).await.unwrap().outcome;
        found.grant.map(|grant| (grant.token, grant.session))
    };
    assert_eq!(held("l").await, Some((lease.token(), Some("s".to_owned()))));
    client.call(&lease.guard()).await.unwrap();
    drop(dropped);
    while held("n").await.is_some() {
        tokio::task::yield_now().await;
    }
    // It is there already: the same grant.
    let again = session.hold(&lasting("l")).await.unwrap();
    assert_eq!(again.token(), lease.token());
    again.release().await.unwrap();
    assert_eq!(held("l").await, None);
    let lease = session.hold(&lasting("l")).await.unwrap();
    assert!(lease.is_held() && other.is_held());
    assert!(peer.seen().iter().all(|seen| seen.line != "POST /v1/leases/l/renew"));
    session.close().await.unwrap();
    assert!(!lease.is_held() && !other.is_held());
    assert_eq!(lease.lost().await, Loss::GivenBack);
    assert_eq!(other.lost().await, Loss::GivenBack);
    assert_eq!(held("l").await, None);
    assert_eq!(lease.release().await.unwrap_err().code(), Some("lease_stale"));
    server.stop().await;
}
