//! Answers are lost, connections cut, tries repeated: each call has one effect and one answer.

use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_client::{
    Client, ClientConfig, Json, RetryBudget,
    api::topics::{AppendSpec, CreateTopicSpec, ReadMessagesSpec},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    node::{Running, config},
    peer::{Fate, Peer, problem},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_given_again() {
    let server = Running::start().await;
    server.client().call(&CreateTopicSpec::new("t")).await.unwrap();
    let to = server.address;
    let peer = Peer::with(vec![Fate::Lose(to), Fate::Half(to), Fate::Cut, Fate::Pass(to)]);
    let client = Client::new(config(&[peer.address])).unwrap();
    let answer = client.call(&AppendSpec::new("t", "made")).await.unwrap();
    assert!(answer.replayed && answer.outcome.offset == 1, "{answer:?}");
    let keys: Vec<_> =
        peer.seen().iter().map(|s| s.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    let read = server.client().call(&ReadMessagesSpec::new("t")).await.unwrap();
    assert_eq!(read.outcome.last_offset, 1);
    server.stop().await;
}

fn fate() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0_u8), 2 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4), 1 => Just(5)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Each message is there once, in the order in which it was asked for, whatever fates the tries met.
    #[test]
    fn calls_one_after_another_have_one_effect_each(fates in vec(fate(), 1..60)) {
        static TOPIC: AtomicU32 = AtomicU32::new(0);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Running::start().await;
            let (to, mut fates) = (server.address, fates.into_iter());
            let peer = Peer::deciding(move |_| match fates.next() {
                Some(1) => Fate::Lose(to),
                Some(2) => Fate::Half(to),
                Some(3) => Fate::Cut,
                Some(4) => problem(503, "unavailable", "later"),
                Some(5) => problem(504, "deadline_exceeded", "same-key"),
                _ => Fate::Pass(to),
            });
            let budget = RetryBudget { reserve: 1_000, ..RetryBudget::default() };
            let config = ClientConfig { budget, ..config(&[peer.address]) };
            let client = Client::new(config).unwrap();
            let topic = format!("t-{}", TOPIC.fetch_add(1, Ordering::Relaxed));
            client.call(&CreateTopicSpec::new(topic.clone())).await.unwrap();
            for number in 1..=12_u64 {
                let data = Some(Json::of(&number).unwrap());
                let append = AppendSpec { data, ..AppendSpec::new(topic.clone(), "made") };
                let offset = client.call(&append).await.unwrap().outcome.offset;
                assert_eq!(offset, number);
            }
            let read = server.client().call(&ReadMessagesSpec::new(topic)).await.unwrap();
            let said: Vec<u64> =
                read.outcome.messages.iter().map(|m| m.data.read().unwrap()).collect();
            assert_eq!(said, (1..=12).collect::<Vec<_>>());
            server.stop().await;
        });
    }
}
