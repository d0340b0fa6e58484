//! Workers at a queue: every message is dealt with, kept out of sight meanwhile, and given back by who
//! goes.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use holdfast_client::{
    Client, Job, Json, Loss, Operations, Verdict, Worker, WorkerRequest,
    api::{
        documents::PutDocumentSpec,
        queues::{
            CreateQueueSpec, ExtendMessagesSpec, GetQueueSpec, NackMessagesSpec, QueueStanding,
        },
        topics::{AppendSpec, CreateTopicSpec},
    },
};
use tokio::{sync::Notify, time::sleep};

use crate::{
    node::{Running, config},
    peer::{Fate, Peer},
};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

/// Prolonged within a second, and not lost on a busy machine.
const SHORT: Duration = Duration::from_secs(2);

async fn queue(client: &Client) {
    client.call(&CreateTopicSpec::new("jobs")).await.unwrap();
    client.call(&CreateQueueSpec::new("jobs", "work")).await.unwrap();
}

async fn append(client: &Client, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let data = Some(Json::of(&number).unwrap());
        client.call(&AppendSpec { data, ..AppendSpec::new("jobs", "t") }).await.unwrap();
    }
}

async fn work(client: &Client, at_once: usize, visibility: Duration) -> Worker {
    let visibility = Some(visibility);
    let request = WorkerRequest { at_once, visibility, ..WorkerRequest::new("jobs", "work") };
    client.work(&request).await.unwrap()
}

async fn standing(client: &Client) -> QueueStanding {
    client.call(&GetQueueSpec::new("jobs", "work")).await.unwrap().outcome
}

/// Looks at the queue until it is so.
async fn until(client: &Client, is_so: impl Fn(&QueueStanding) -> bool) {
    while !is_so(&standing(client).await) {
        tokio::task::yield_now().await;
    }
}

fn number(job: &Job) -> u64 {
    job.message().data.read().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_dealt_with_once_by_one_of_several() {
    let server = Running::start().await;
    let client = server.client();
    queue(&client).await;
    append(&client, 0..20).await;
    let done = Arc::new(Mutex::new(BTreeMap::<u64, u32>::new()));
    let workers = [work(&client, 1, LONG).await, work(&client, 4, LONG).await];
    let stoppers: Vec<_> = workers.iter().map(Worker::stopper).collect();
    let handler = |_| {
        let (done, stoppers) = (Arc::clone(&done), stoppers.clone());
        move |job: Arc<Job>| {
            let (done, stoppers) = (Arc::clone(&done), stoppers.clone());
            async move {
                let mut done = done.lock().unwrap();
                *done.entry(number(&job)).or_default() += 1;
                if done.len() == 40 {
                    stoppers.iter().for_each(holdfast_client::Stopper::stop);
                }
                Verdict::Done
            }
        }
    };
    let [one, other] = workers;
    let (one, other, ()) = tokio::join!(
        one.run(LONG, handler(())),
        other.run(LONG, handler(())),
        append(&client, 20..40),
    );
    one.unwrap();
    other.unwrap();
    let once: BTreeMap<_, _> = (0..40).map(|number| (number, 1)).collect();
    assert_eq!(*done.lock().unwrap(), once);
    let left = standing(&client).await;
    assert_eq!((left.waiting, left.out, left.dead), (0, 0, 0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_are_carried_out() {
    let server = Running::start().await;
    let client = server.client();
    queue(&client).await;
    append(&client, 0..4).await;
    let worker = work(&client, 4, LONG).await;
    let stopper = worker.stopper();
    let again = Arc::new(Mutex::new(Vec::new()));
    let judged = |job: Arc<Job>| {
        let again = Arc::clone(&again);
        async move {
            match (number(&job), job.message().attempt) {
                (0, _) => Verdict::Done,
                (1, 1) => Verdict::Again { after: Duration::ZERO },
                (1, attempt) => {
                    again.lock().unwrap().push(attempt);
                    Verdict::Done
                }
                (2, _) => Verdict::Again { after: LONG },
                (_, 1) => panic!("its message is given back"),
                (_, _) => {
                    let note = Some("{\"why\": \"bad\"}".parse().unwrap());
                    Verdict::Rejected { note }
                }
            }
        }
    };
    let watching = async {
        until(&client, |queue| (queue.waiting, queue.out, queue.dead) == (0, 1, 1)).await;
        stopper.stop();
    };
    let (ran, ()) = tokio::join!(worker.run(LONG, judged), watching);
    ran.unwrap();
    assert_eq!(*again.lock().unwrap(), [2]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_handler_keeps_its_message_out_of_sight() {
    let server = Running::start().await;
    let client = server.client();
    queue(&client).await;
    append(&client, 0..1).await;
    let (mut slow, mut other) = (work(&client, 1, SHORT).await, work(&client, 1, SHORT).await);
    let job = tokio::select! {
        job = slow.next() => job.unwrap().unwrap(),
        job = other.next() => {
            std::mem::swap(&mut slow, &mut other);
            job.unwrap().unwrap()
        }
    };
    let begun = standing(&client).await.next_due_at;
    // Longer than it would have been out of sight: the last prolongation is from after the end.
    let prolonging = async {
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 6 {
            seen.insert(standing(&client).await.next_due_at);
        }
    };
    tokio::select! {
        () = prolonging => {}
        other = other.next() => panic!("{other:?}"),
    }
    assert!(job.is_held());
    assert!(standing(&client).await.next_due_at > begun);
    assert!(job.ack().await.unwrap());
    assert!(!job.ack().await.unwrap(), "it is settled");
    until(&client, |queue| queue.out == 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_prolonged_is_lost_before_another_has_it() {
    let server = Running::start().await;
    let (peer, silent) = Peer::before(server.address);
    let (cut_off, client) = (Client::new(config(&[peer.address])).unwrap(), server.client());
    queue(&client).await;
    append(&client, 0..1).await;
    let mut worker = work(&cut_off, 1, SHORT).await;
    let job = worker.next().await.unwrap().unwrap();
    silent.store(true, Ordering::SeqCst);
    let mut other = work(&client, 1, LONG).await;
    let (loss, again) = tokio::join!(
        async {
            let loss = job.lost().await;
            let now = standing(&client).await;
            assert_eq!((now.out, job.is_held()), (1, false));
            loss
        },
        other.next()
    );
    assert!(matches!(loss, Loss::TimeOver { .. }), "{loss}");
    let again = again.unwrap().unwrap();
    assert_eq!(again.message().attempt, 2);
    silent.store(false, Ordering::SeqCst);
    assert!(!job.ack().await.unwrap(), "it is another's to settle");
    assert!(again.ack().await.unwrap());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_receipt_is_stale_is_lost_alone() {
    let server = Running::start().await;
    let client = server.client();
    queue(&client).await;
    append(&client, 0..2).await;
    let mut worker = work(&client, 2, SHORT).await;
    let taken = worker.next().await.unwrap().unwrap();
    let kept = worker.next().await.unwrap().unwrap();
    let receipts = vec![taken.message().receipt.clone()];
    let delay = Some(LONG.into());
    let nack = NackMessagesSpec { delay, ..NackMessagesSpec::new("jobs", "work", receipts) };
    client.call(&nack).await.unwrap();
    let loss = taken.lost().await;
    assert!(matches!(&loss, Loss::Refused(problem) if problem.code == "receipt_stale"), "{loss}");
    assert!(kept.is_held());
    // In one transaction with the work: both or neither.
    let mut operations = Operations::all();
    operations.add(&PutDocumentSpec::new("done", "x", Json::default())).unwrap();
    operations.add(&taken.ack_spec()).unwrap();
    let refused = client.call(&operations.spec()).await.unwrap_err();
    assert_eq!(refused.code(), Some("receipt_stale"));
    let mut operations = Operations::all();
    operations.add(&PutDocumentSpec::new("done", "y", Json::default())).unwrap();
    operations.add(&kept.ack_spec()).unwrap();
    client.call(&operations.spec()).await.unwrap();
    kept.was_settled();
    drop((kept, taken));
    assert_eq!(worker.finish(LONG).await, 0);
    assert_eq!(standing(&client).await.out, 1, "what was given back elsewhere");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_finishes_what_it_can_and_gives_back_the_rest() {
    let server = Running::start().await;
    let client = server.client();
    queue(&client).await;
    append(&client, 0..3).await;
    let worker = work(&client, 3, LONG).await;
    let stopper = worker.stopper();
    let (begun, go) = (Arc::new(Mutex::new(0)), Arc::new(Notify::new()));
    let handler = |job: Arc<Job>| {
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        async move {
            *begun.lock().unwrap() += 1;
            match number(&job) {
                0 => {
                    go.notified().await;
                    // Long enough for whoever does not wait to have given it back.
                    sleep(Duration::from_millis(200)).await;
                    Verdict::Done
                }
                _ => pending().await,
            }
        }
    };
    let stopping = async {
        while *begun.lock().unwrap() < 3 {
            tokio::task::yield_now().await;
        }
        stopper.stop();
        append(&client, 3..4).await;
        go.notify_one();
        until(&client, |queue| (queue.waiting, queue.out) == (1, 2)).await;
    };
    let (ran, ()) = tokio::join!(worker.run(Duration::from_secs(2), handler), stopping);
    ran.unwrap();
    // Nobody waits for them to come into sight, which would take longer than the test.
    let mut next = work(&client, 3, LONG).await;
    let mut attempts = BTreeMap::new();
    for _ in 0..3 {
        let job = next.next().await.unwrap().unwrap();
        attempts.insert(number(&job), job.message().attempt);
        job.ack().await.unwrap();
    }
    assert_eq!(attempts, [(1, 2), (2, 2), (3, 1)].into());
    assert_eq!(next.finish(LONG).await, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_keeps_nothing_that_was_on_its_way() {
    let server = Running::start().await;
    let client = server.client();
    queue(&client).await;
    // What was received and not taken, and jobs that were dropped.
    append(&client, 0..3).await;
    let mut worker = work(&client, 3, LONG).await;
    let job = worker.next().await.unwrap().unwrap();
    until(&client, |queue| queue.out == 3).await;
    drop((job, worker));
    let mut next = work(&client, 3, LONG).await;
    for _ in 0..3 {
        next.next().await.unwrap().unwrap().ack().await.unwrap();
    }
    // An answer that was lost on its way: what it gave out is asked for again, and given back.
    let (to, first) = (server.address, AtomicBool::new(true));
    let peer = Peer::deciding(move |seen| {
        if seen.line.ends_with("/receive") && first.swap(false, Ordering::SeqCst) {
            return Fate::Swallow(to);
        }
        Fate::Pass(to)
    });
    next.finish(LONG).await;
    append(&client, 3..4).await;
    let worker = work(&Client::new(config(&[peer.address])).unwrap(), 1, LONG).await;
    until(&client, |queue| queue.out == 1).await;
    assert_eq!(worker.finish(LONG).await, 0);
    let mut last = work(&client, 1, LONG).await;
    let job = last.next().await.unwrap().unwrap();
    assert_eq!((number(&job), job.message().attempt), (3, 2));
    job.ack().await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_not_there_is_an_error() {
    let server = Running::start().await;
    let client = server.client();
    let none = client.work(&WorkerRequest::new("jobs", "work")).await.unwrap_err();
    assert_eq!(none.code(), Some("queue_not_found"));
    queue(&client).await;
    let receipts = vec!["1-1".to_owned()];
    let stale = client.call(&ExtendMessagesSpec::new("jobs", "work", receipts)).await.unwrap_err();
    assert_eq!(stale.refusal().and_then(|problem| problem.fact("index")).as_deref(), Some("0"));
    server.stop().await;
}
