//! A session's reads see what the session saw and did.

use holdfast_client::{
    At, Client, Json,
    api::documents::{GetDocumentSpec, PutDocumentSpec},
};

use crate::{
    node::{Running, config},
    peer::{Fate, Peer},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_goes_along_and_never_back() {
    let server = Running::start().await;
    let peer = Peer::with(vec![Fate::Pass(server.address)]);
    let client = Client::new(config(&[peer.address])).unwrap();
    let session = client.session();
    let get = GetDocumentSpec::new("carts", "a");
    session.call(&get).await.unwrap_err();
    assert_eq!(session.seen(), Some(At { partition: 0, version: 0 }), "a refusal is seen as well");
    let put = PutDocumentSpec::new("carts", "a", Json::default());
    session.call(&put).await.unwrap();
    session.call(&get).await.unwrap();
    let seen = At { partition: 0, version: 1 };
    assert_eq!(session.seen(), Some(seen));
    session.raise(At { partition: 0, version: 0 });
    assert_eq!(session.seen(), Some(seen));
    let other = client.session();
    other.raise(seen);
    other.call(&get).await.unwrap();
    let fields = |number: usize| {
        let seen = &peer.seen()[number];
        let of = |name| seen.header(name).map(str::to_owned);
        (of("holdfast-consistency"), of("holdfast-after"))
    };
    let with = |after: &str| (Some("session".to_owned()), Some(after.to_owned()));
    assert_eq!(fields(0), (None, None), "the first read is linearizable: nothing was seen");
    assert_eq!(fields(1), (None, Some("0:0".to_owned())), "a write ignores levels");
    assert_eq!(fields(2), with("0:1"));
    assert_eq!(fields(3), with("0:1"));
    server.stop().await;
}
