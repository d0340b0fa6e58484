//! Leases that are held: in turn, kept alive, lost in time, given back.

use std::{sync::atomic::Ordering, time::Duration};

use holdfast_client::{
    Client, Json, LeaseRequest, Loss,
    api::leases::{GetLeaseSpec, Lease, RenewLeaseSpec, TransferLeaseSpec},
};

use crate::{
    node::{Running, config},
    peer::Peer,
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// Renewed within a second, and not lost on a busy machine.
const SHORT: Duration = Duration::from_secs(2);

async fn look(client: &Client) -> Lease {
    client.call(&GetLeaseSpec::new("l")).await.unwrap().outcome
}

/// Looks at the lease until it is so.
async fn until(client: &Client, is_so: impl Fn(&Lease) -> bool) -> Lease {
    loop {
        let lease = look(client).await;
        if is_so(&lease) {
            return lease;
        }
        tokio::task::yield_now().await;
    }
}

fn asked(owner: &str, ttl: Duration, wait_for: Option<Duration>) -> LeaseRequest {
    LeaseRequest { owner: Some(owner.to_owned()), wait_for, ..LeaseRequest::new("l", ttl) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_on_in_turn() {
    let server = Running::start().await;
    let client = server.client();
    let metadata = Some("{\"address\": \"here\"}".parse::<Json>().unwrap());
    let first = LeaseRequest { metadata, ..asked("a", LONG, None) };
    let first = client.hold(&first).await.unwrap();
    assert!(first.is_held() && first.owner() == "a" && first.id() == "l");
    assert!(look(&client).await.grant.unwrap().metadata.is_some());
    let held = client.hold(&asked("b", LONG, None)).await.unwrap_err();
    assert_eq!(held.refusal().and_then(|p| p.fact("owner")).as_deref(), Some("a"), "{held}");
    let in_vain = client.hold(&asked("b", LONG, Some(Duration::from_millis(20)))).await;
    assert_eq!(in_vain.unwrap_err().code(), Some("lease_held"));

    let request = asked("b", LONG, Some(LONG));
    let waiting = client.hold(&request);
    let releasing = async {
        until(&client, |lease| lease.waiters.iter().any(|w| w.owner == "b")).await;
        // Renewals are seen by who waits, and are not its turn.
        client.call(&RenewLeaseSpec::new("l", first.token())).await.unwrap();
        let (guard, token) = (first.guard(), first.token());
        client.call(&guard).await.unwrap();
        first.release().await.unwrap();
        (guard, token)
    };
    let (second, (guard, token)) = tokio::join!(waiting, releasing);
    let second = second.unwrap();
    assert!(second.is_held() && second.token() > token);
    assert_eq!(client.call(&guard).await.unwrap_err().code(), Some("lease_stale"));
    second.release().await.unwrap();
    assert_eq!(look(&client).await.grant, None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_leaves_nothing_behind() {
    let server = Running::start().await;
    let client = server.client();
    let lease = client.hold(&asked("a", LONG, None)).await.unwrap();
    {
        let request = asked("b", LONG, Some(LONG));
        let mut waiting = Box::pin(client.hold(&request));
        tokio::select! {
            lease = &mut waiting => panic!("{lease:?}"),
            _ = until(&client, |lease| lease.waiters.len() == 1) => {}
        }
    }
    until(&client, |lease| lease.waiters.is_empty()).await;
    drop(lease);
    until(&client, |lease| lease.grant.is_none()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_kept_alive_while_servers_answer_and_lost_when_they_do_not() {
    let server = Running::start().await;
    let (peer, silent) = Peer::before(server.address);
    let client = Client::new(config(&[peer.address])).unwrap();
    let lease = client.hold(&asked("a", SHORT, None)).await.unwrap();
    let granted = look(&server.client()).await.grant.unwrap();
    // Two renewals later it would long be over.
    let renewed = until(&server.client(), |lease| {
        lease.grant.as_ref().is_none_or(|grant| grant.expires_at > granted.expires_at)
    })
    .await;
    assert_eq!(renewed.grant.map(|grant| grant.token), Some(lease.token()));
    assert!(peer.seen().iter().any(|seen| seen.line == "POST /v1/leases/l/renew"));
    silent.store(true, Ordering::SeqCst);
    let loss = lease.lost().await;
    assert!(matches!(loss, Loss::TimeOver { .. }), "{loss}");
    assert!(!lease.is_held());
    // Who is next has it without anybody's help.
    let next = server.client().hold(&asked("b", LONG, Some(LONG))).await.unwrap();
    assert!(next.token() > lease.token());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_lost_as_soon_as_a_server_says_so() {
    let server = Running::start().await;
    let client = server.client();
    let lease = client.hold(&asked("a", Duration::from_secs(2), None)).await.unwrap();
    let transfer = TransferLeaseSpec::new("l", lease.token(), "b");
    client.call(&transfer).await.unwrap();
    let loss = lease.lost().await;
    assert!(matches!(&loss, Loss::Refused(problem) if problem.code == "lease_stale"), "{loss}");
    assert!(!lease.is_held());
    assert_eq!(lease.release().await.unwrap_err().code(), Some("lease_stale"));
    server.stop().await;
}
