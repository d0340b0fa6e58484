//! Consumers of a group: every message once in hand, in order, whoever comes and goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use holdfast_client::{
    Client, Consumer, ConsumerRequest, Json, Operations, Stopper,
    api::{
        documents::PutDocumentSpec,
        groups::{GetGroupSpec, PartitionOffset, SeekGroupSpec},
        topics::{AppendSpec, CreateTopicSpec},
    },
};

use crate::node::Running;

const PARTITIONS: u64 = 4;

async fn topic(client: &Client) {
    let spec = CreateTopicSpec { partitions: Some(PARTITIONS), ..CreateTopicSpec::new("t") };
    client.call(&spec).await.unwrap();
}

/// Appends numbered messages of several keys.
async fn append(client: &Client, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let (key, data) = (format!("k-{}", number % 16), Json::of(&number).unwrap());
        let spec = AppendSpec { key: Some(key), data: Some(data), ..AppendSpec::new("t", "made") };
        client.call(&spec).await.unwrap();
    }
}

fn request(member: &str) -> ConsumerRequest {
    ConsumerRequest {
        member: Some(member.to_owned()),
        limit: Some(3),
        ttl: Duration::from_secs(600),
        ..ConsumerRequest::new("t", "g")
    }
}

/// Takes so many messages, committing each batch; what was taken, by partition.
async fn take(consumer: &mut Consumer, mut count: usize, taken: &mut BTreeMap<u16, Vec<u64>>) {
    while count > 0 {
        let batch = consumer.next().await.unwrap().expect("it is not stopped");
        if consumer.commit(&batch).await.unwrap() {
            let numbers = batch.messages.iter().map(|message| message.data.read::<u64>().unwrap());
            taken.entry(batch.partition).or_default().extend(numbers);
            count = count.saturating_sub(batch.messages.len());
        }
    }
}

/// Works until all have so many numbers between them, then ends all. Which partitions it had.
async fn work(
    consumer: &mut Consumer,
    all: &Mutex<Vec<u64>>,
    count: usize,
    stoppers: &[Stopper],
) -> BTreeSet<u16> {
    let mut partitions = BTreeSet::new();
    while let Some(batch) = consumer.next().await.unwrap() {
        if !consumer.commit(&batch).await.unwrap() {
            continue;
        }
        partitions.insert(batch.partition);
        let mut all = all.lock().unwrap();
        all.extend(batch.messages.iter().map(|message| message.data.read::<u64>().unwrap()));
        if all.len() >= count {
            stoppers.iter().for_each(Stopper::stop);
        }
    }
    partitions
}

fn numbers(taken: &BTreeMap<u16, Vec<u64>>) -> Vec<u64> {
    let mut numbers: Vec<_> = taken.values().flatten().copied().collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_hands_over_where_it_ends() {
    let server = Running::start().await;
    let client = server.client();
    topic(&client).await;
    append(&client, 0..40).await;
    let mut taken = BTreeMap::new();
    let mut first = client.consume(&request("a")).await.unwrap();
    take(&mut first, 20, &mut taken).await;
    let stopper = first.stopper();
    stopper.stop();
    assert_eq!(first.next().await.unwrap(), None);
    first.leave().await.unwrap();
    let group = client.call(&GetGroupSpec::new("t", "g")).await.unwrap().outcome;
    assert!(group.members.is_empty(), "{group:?}");
    let mut second = client.consume(&request("b")).await.unwrap();
    let left = 40 - numbers(&taken).len();
    take(&mut second, left, &mut taken).await;
    assert_eq!(numbers(&taken), (0..40).collect::<Vec<_>>(), "each once");
    for of_one in taken.values() {
        assert!(of_one.is_sorted(), "in order: {taken:?}");
    }
    // What comes while it waits is taken as well.
    let ((), ()) = tokio::join!(take(&mut second, 8, &mut taken), append(&client, 40..48));
    assert_eq!(numbers(&taken), (0..48).collect::<Vec<_>>());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_in_hand_when_another_came_is_not_committed() {
    let server = Running::start().await;
    let client = server.client();
    topic(&client).await;
    append(&client, 0..24).await;
    let mut first = client.consume(&request("a")).await.unwrap();
    let in_hand = first.next().await.unwrap().unwrap();
    let mut second = client.consume(&request("b")).await.unwrap();
    assert!(!first.commit(&in_hand).await.unwrap(), "its generation is over");
    // The work and its commit as one: both are refused, or both are done.
    let mut operations = Operations::all();
    operations.add(&PutDocumentSpec::new("done", "x", Json::default())).unwrap();
    operations.add(&first.commit_spec(&in_hand)).unwrap();
    let refused = client.call(&operations.spec()).await.unwrap_err();
    assert_eq!(refused.code(), Some("generation_stale"), "{refused}");
    let stoppers = [first.stopper(), second.stopper()];
    let all = Mutex::new(Vec::new());
    let (taken, others) = tokio::join!(
        work(&mut first, &all, 24, &stoppers),
        work(&mut second, &all, 24, &stoppers),
    );
    let mut all = all.into_inner().unwrap();
    all.sort_unstable();
    assert_eq!(all, (0..24).collect::<Vec<_>>(), "each committed once");
    assert!(taken.is_disjoint(&others), "{taken:?} {others:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_is_set_back_reads_again() {
    let server = Running::start().await;
    let client = server.client();
    client.call(&CreateTopicSpec::new("t")).await.unwrap();
    append(&client, 0..6).await;
    let short = ConsumerRequest { ttl: Duration::from_secs(2), ..request("a") };
    let mut consumer = client.consume(&short).await.unwrap();
    let mut taken = BTreeMap::new();
    take(&mut consumer, 6, &mut taken).await;
    let seek = SeekGroupSpec::new("t", "g", vec![PartitionOffset::new(0, 4)]);
    client.call(&seek).await.unwrap();
    let mut again = BTreeMap::new();
    take(&mut consumer, 2, &mut again).await;
    assert_eq!(numbers(&again), [4, 5], "it joins again by itself, and is told");
    drop(consumer);
    server.stop().await;
}
