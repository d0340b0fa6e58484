//! Those who consume while the server is killed: every message is dealt with, and a follower sees
//! each once.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader},
    process::Stdio,
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    time::Duration,
};

use holdfast_client::{
    Client, ClientConfig, Consumer, ConsumerRequest, Job, Json, Server as Place, Stopper, Verdict,
    WorkerRequest,
    api::{
        queues::{CreateQueueSpec, GetQueueSpec},
        topics::{AppendSpec, CreateTopicSpec},
    },
};
use serde_json::Value;

use crate::process::{Data, Server, holdfast};

const MESSAGES: u64 = 300;
const KILLS: u64 = 3;

/// Ends nothing by itself within a test.
const LONG: Duration = Duration::from_secs(600);

fn start(data: &Data, address: &str) -> Server {
    Server::spawn(&mut holdfast(&["serve", "--data", &data.text(), "--listen", address]))
}

async fn append(client: &Client, number: u64) {
    let key = Some(format!("k-{}", number % 8));
    let data = Some(Json::of(&number).unwrap());
    client.call(&AppendSpec { key, data, ..AppendSpec::new("t", "made") }).await.unwrap();
}

/// Notes a number, and ends everybody once all are there.
fn note(seen: &Mutex<BTreeSet<u64>>, number: u64, stopper: &Stopper) {
    let mut seen = seen.lock().unwrap();
    seen.insert(number);
    if seen.len() as u64 == MESSAGES {
        stopper.stop();
    }
}

async fn work(client: &Client) -> BTreeSet<u64> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let request = WorkerRequest { at_once: 8, ..WorkerRequest::new("t", "work") };
    let worker = client.work(&request).await.unwrap();
    let stopper = worker.stopper();
    let handler = |job: Arc<Job>| {
        let (seen, stopper) = (Arc::clone(&seen), stopper.clone());
        async move {
            note(&seen, job.message().data.read().unwrap(), &stopper);
            Verdict::Done
        }
    };
    worker.run(LONG, handler).await.unwrap();
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// What was given back when the worker ended, having been given out twice, is there to be done.
async fn settle_rest(client: &Client) {
    let mut worker = client.work(&WorkerRequest::new("t", "work")).await.unwrap();
    loop {
        let left = client.call(&GetQueueSpec::new("t", "work")).await.unwrap().outcome;
        assert_eq!((left.waiting, left.dead), (0, 0));
        if left.out == 0 {
            break;
        }
        worker.next().await.unwrap().unwrap().ack().await.unwrap();
    }
    assert_eq!(worker.finish(LONG).await, 0);
}

async fn consume(consumer: &mut Consumer) -> BTreeSet<u64> {
    let (seen, stopper) = (Mutex::new(BTreeSet::new()), consumer.stopper());
    while let Some(batch) = consumer.next().await.unwrap() {
        for message in &batch.messages {
            note(&seen, message.data.read().unwrap(), &stopper);
        }
        consumer.commit(&batch).await.unwrap();
    }
    seen.into_inner().unwrap()
}

/// All that a follower on the command line prints, in the order in which it does; says when it
/// has begun.
fn tail(address: &str, begun: &Sender<()>) -> Vec<(u64, u64, u64)> {
    let server = format!("http://{address}");
    let mut command = holdfast(&["topic", "tail", "t", "--all", "--json", "--server", &server]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let seen = lines.take(usize::try_from(MESSAGES).unwrap()).map(|line| {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let number = |name: &str| message[name].as_u64().unwrap();
        begun.send(()).unwrap();
        (number("partition"), number("offset"), number("data"))
    });
    let seen = seen.collect();
    child.kill().unwrap();
    child.wait().unwrap();
    seen
}

#[test]
fn consumers_go_on_over_kills_of_the_server() {
    let data = Data::new();
    let mut server = start(&data, "127.0.0.1:0");
    let address = server.address.to_string();
    let place: Place = format!("http://{address}").parse().unwrap();
    let config = ClientConfig { deadline: LONG, ..ClientConfig::new(vec![place]) };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async { Client::new(config) }).unwrap();
    let mut consumer = runtime.block_on(async {
        let topic = CreateTopicSpec { partitions: Some(4), ..CreateTopicSpec::new("t") };
        client.call(&topic).await.unwrap();
        let visibility = Some(Duration::from_secs(2).into());
        let queue = CreateQueueSpec { visibility, ..CreateQueueSpec::new("t", "work") };
        client.call(&queue).await.unwrap();
        client.consume(&ConsumerRequest::new("t", "group")).await.unwrap()
    });
    let worked = runtime.spawn({
        let client = client.clone();
        async move { work(&client).await }
    });
    let consumed = runtime.spawn(async move {
        let seen = consume(&mut consumer).await;
        consumer.leave().await.unwrap();
        seen
    });
    let (begun, has_begun) = channel();
    let tailed = std::thread::spawn({
        let address = address.clone();
        move || tail(&address, &begun)
    });
    for number in 0..MESSAGES {
        if number % (MESSAGES / KILLS) == MESSAGES / KILLS / 2 {
            server.kill();
            server = start(&data, &address);
        }
        runtime.block_on(append(&client, number));
        if number == 0 {
            has_begun.recv().unwrap();
        }
    }
    let all: BTreeSet<_> = (0..MESSAGES).collect();
    assert_eq!(runtime.block_on(worked).unwrap(), all);
    assert_eq!(runtime.block_on(consumed).unwrap(), all);
    let tailed = tailed.join().unwrap();
    assert_eq!(tailed.iter().map(|(_, _, number)| *number).collect::<BTreeSet<_>>(), all);
    for partition in 0..4 {
        let offsets = tailed.iter().filter(|it| it.0 == partition).map(|it| it.1);
        assert!(offsets.eq(1..=tailed.iter().filter(|it| it.0 == partition).count() as u64));
    }
    runtime.block_on(settle_rest(&client));
    server.terminate();
}
