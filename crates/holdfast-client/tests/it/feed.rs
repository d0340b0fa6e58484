//! The change feed, and transactions that it shows.

use std::time::Duration;

use holdfast_client::{
    Json, Operations,
    api::documents::{DeleteDocumentSpec, PutDocumentSpec},
    changes::{ChangesSpec, Op},
};

use crate::node::Running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_is_followed_in_order() {
    let server = Running::start().await;
    let client = server.client();
    let spec = ChangesSpec {
        table: Some("documents.documents".to_owned()),
        key: vec!["carts".to_owned()],
        wait: Duration::from_secs(60),
        ..ChangesSpec::default()
    };
    let mut following = client.follow(spec);
    let writing = async {
        let put = |id: &str| PutDocumentSpec::new("carts", id, Json::default());
        client.call(&PutDocumentSpec::new("others", "x", Json::default())).await.unwrap();
        let mut operations = Operations::all();
        operations.add(&put("a")).unwrap();
        operations.named("second", &put("b")).unwrap();
        let done = client.call(&operations.spec()).await.unwrap().outcome;
        assert_eq!(done.result::<PutDocumentSpec>(1).unwrap().id, "b");
        assert!(done.result::<PutDocumentSpec>(2).is_err(), "there is no third");
        client.call(&DeleteDocumentSpec::new("carts", "a")).await.unwrap();
    };
    let reading = async {
        let mut found = Vec::new();
        while found.len() < 3 {
            for transaction in following.next().await.unwrap() {
                let changes = transaction.changes.into_iter();
                found.extend(
                    changes.map(|c| (transaction.version, c.op, c.key.unwrap()[1].clone())),
                );
            }
        }
        found
    };
    let (found, ()) = tokio::join!(reading, writing);
    let key = |id: &str| serde_json::Value::from(id);
    assert_eq!(found, [(2, Op::Put, key("a")), (2, Op::Put, key("b")), (3, Op::Delete, key("a"))]);
    assert_eq!(following.after(), 3);
    let empty = client.changes(&ChangesSpec { after: 3, ..ChangesSpec::default() }).await.unwrap();
    assert_eq!((empty.outcome.transactions.len(), empty.outcome.next), (0, 3));
    server.stop().await;
}
