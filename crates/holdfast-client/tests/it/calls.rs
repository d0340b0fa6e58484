//! What becomes of a call, try by try.

use std::time::Duration;

use holdfast_client::{
    Client, ClientConfig, Ended, Error, IdempotencyKey, InVain, Json, RetryBudget, Trouble,
    api::{
        documents::{GetDocumentSpec, PutDocumentSpec},
        topics::CreateTopicSpec,
    },
};

use crate::{
    node::{Running, config},
    peer::{Fate, Peer, nowhere, problem, with_header},
};

fn get() -> GetDocumentSpec {
    GetDocumentSpec::new("carts", "a/b")
}

fn put() -> PutDocumentSpec {
    PutDocumentSpec::new("carts", "a", r#"{"z":12.50,"a":1}"#.parse::<Json>().unwrap())
}

fn client(config: ClientConfig) -> Client {
    Client::new(config).unwrap()
}

fn in_vain(error: &Error) -> &InVain {
    match error {
        Error::NotDone(in_vain) | Error::OutcomeUnknown { in_vain, .. } => in_vain,
        other => panic!("{other:?}"),
    }
}

const NOW: &str = r#"{"id":"t","partitions":1,"version":1,"created_at":"2026-11-22T10:15:00.123Z",
    "outcome":"created","existed":false}"#;

fn created() -> Fate {
    Fate::Answer(200, "holdfast-at: 0:1\r\n", NOW.to_owned())
}

#[tokio::test]
async fn what_is_written_is_read_to_the_letter() {
    let server = Running::start().await;
    let client = server.client();
    let written = client.call(&put()).await.unwrap();
    assert!(!written.replayed && written.at.is_some_and(|at| at.version == 1));
    let read = client.call(&GetDocumentSpec::new("carts", "a")).await.unwrap().outcome;
    assert_eq!((read.version, read.value.as_str()), (1, r#"{"z":12.50,"a":1}"#));
    let error = client.call(&get()).await.unwrap_err();
    let refused = error.refusal().unwrap();
    assert_eq!((refused.code.as_str(), refused.status), ("invalid_request", 422), "{error}");
    let gone = client.call(&GetDocumentSpec::new("carts", "gone")).await.unwrap_err();
    let refused = gone.refusal().unwrap();
    assert_eq!(refused.fact("id").as_deref(), Some("gone"), "{gone}");
    assert!(refused.at.is_some() && !gone.may_have_happened() && !gone.is_transient());
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_passed_over_at_no_cost() {
    let server = Running::start().await;
    let config = config(&[nowhere(), nowhere(), server.address]);
    let budget = RetryBudget { percent: 0, per_second: 0, reserve: 0 };
    let config = ClientConfig { budget, ..config };
    client(config.clone()).call(&put()).await.unwrap();
    server.stop().await;
    let client = client(config);
    let error = client.request(&put()).deadline(Duration::from_millis(50)).send().await;
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::NotDone(_)), "nobody was asked: {error}");
    let InVain { ended, tries, last } = in_vain(&error);
    assert_eq!(*ended, Ended::Deadline);
    assert!(*tries >= 3 && matches!(last, Some(Trouble::Connect { .. })), "{error}");
    let config = ClientConfig { wait_for_ready: false, ..client.config().clone() };
    let error = Client::new(config).unwrap().call(&put()).await.unwrap_err();
    assert_eq!((in_vain(&error).ended, in_vain(&error).tries), (Ended::Unreachable, 9), "{error}");
}

#[tokio::test]
async fn who_cannot_now_is_left_alone_while_another_is_asked() {
    let busy = Peer::with(vec![with_header(503, "not_leader", "later", "retry-after: 3600\r\n")]);
    let leader = Peer::with(vec![created()]);
    let client = client(config(&[busy.address, leader.address]));
    for _ in 0..3 {
        client.call(&CreateTopicSpec::new("t")).await.unwrap();
    }
    assert_eq!((busy.seen().len(), leader.seen().len()), (1, 3));
    let keys: Vec<_> =
        leader.seen().iter().map(|s| s.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(busy.seen()[0].header("idempotency-key"), keys[0].as_deref());
    assert!(keys[0].is_some() && keys[0] != keys[1], "each call has a key of its own");
}

#[tokio::test]
async fn a_hint_beyond_the_deadline_ends_the_call_at_once() {
    let hint = with_header(503, "overloaded", "later", "retry-after: 3600\r\n");
    let (one, other) = (Peer::with(vec![hint.clone()]), Peer::with(vec![hint]));
    let client = client(config(&[one.address, other.address]));
    let error = client.call(&put()).await.unwrap_err();
    assert!(matches!(error, Error::NotDone(_)), "{error}");
    assert_eq!((in_vain(&error).ended, in_vain(&error).tries), (Ended::Deadline, 1));
    assert_eq!(one.seen().len() + other.seen().len(), 1, "another would ask the same leader");
}

#[tokio::test]
async fn repeats_end_with_the_budget_and_what_happened_is_told() {
    let budget = RetryBudget { percent: 0, per_second: 0, reserve: 2 };
    let bounded = |peer: &Peer| client(ClientConfig { budget, ..config(&[peer.address]) });
    let later = Peer::with(vec![problem(503, "unavailable", "later")]);
    let error = bounded(&later).call(&put()).await.unwrap_err();
    assert!(matches!(error, Error::NotDone(_)), "{error}");
    assert_eq!((in_vain(&error).ended, in_vain(&error).tries), (Ended::Budget, 3));
    assert_eq!(later.seen().len(), 3);

    // One try of which nobody knows is enough for not knowing.
    for may in [Fate::Cut, problem(503, "outcome_unknown", "same-key")] {
        let fates = || vec![may.clone(), problem(503, "unavailable", "later")];
        let key = IdempotencyKey::new("mine").unwrap();
        let peer = Peer::with(fates());
        let error = bounded(&peer).request(&put()).key(key).send().await.unwrap_err();
        assert!(matches!(&error, Error::OutcomeUnknown { key, .. } if key.as_str() == "mine"));
        assert!(error.to_string().contains("key mine"), "{error}");
        assert_eq!(in_vain(&error).tries, 3);
        let error = bounded(&Peer::with(fates())).call(&get()).await.unwrap_err();
        assert!(matches!(error, Error::NotDone(_)), "a read does nothing: {error}");
    }
}

#[tokio::test]
async fn a_server_that_fails_at_it_is_asked_three_times() {
    let foreign = Fate::Answer(502, "", "<html>".to_owned());
    for fate in [problem(500, "internal", "same-key"), foreign] {
        let peer = Peer::with(vec![fate]);
        let error = client(config(&[peer.address])).call(&put()).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
        assert_eq!((in_vain(&error).ended, peer.seen().len()), (Ended::Failing, 3));
    }
}

#[tokio::test]
async fn final_answers_are_not_asked_for_again() {
    for (status, code, retry) in [
        (409, "lease_held", "never"),
        (412, "precondition_failed", "never"),
        (429, "limited", "later"),
        (401, "unauthorized", "never"),
        (500, "quarantined", "never"),
    ] {
        let peer = Peer::with(vec![problem(status, code, retry)]);
        let error = client(config(&[peer.address])).call(&put()).await.unwrap_err();
        assert_eq!((error.code(), peer.seen().len()), (Some(code), 1));
    }
}

#[tokio::test]
async fn silence_ends_a_try_and_the_deadline_goes_along() {
    let peer = Peer::with(vec![Fate::Silence]);
    let try_within = Duration::from_millis(20);
    let client = client(ClientConfig { try_within, ..config(&[peer.address]) });
    let within = Duration::from_millis(1_200);
    let error = client.request(&get()).deadline(within).send().await.unwrap_err();
    assert!(matches!(in_vain(&error).last, Some(Trouble::Slow { .. })), "{error}");
    assert_eq!(in_vain(&error).ended, Ended::Deadline);
    for seen in peer.seen() {
        let ms: u64 = seen.header("holdfast-deadline-ms").unwrap().parse().unwrap();
        assert!((1..=20).contains(&ms), "{ms}");
        assert_eq!(seen.header("idempotency-key"), None, "a read needs none");
        assert_eq!(seen.line, "GET /v1/collections/carts/documents/a%2Fb");
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_as_such() {
    let peer = Peer::with(vec![Fate::Answer(200, "", "{}".to_owned())]);
    let error = client(config(&[peer.address])).call(&put()).await.unwrap_err();
    assert!(matches!(&error, Error::Unreadable { command, .. } if command == "documents.put"));
    assert!(error.may_have_happened());
}

#[tokio::test]
async fn the_secret_goes_along_and_shows_itself_nowhere_else() {
    let peer = Peer::with(vec![created()]);
    let secret = Some("s3cret".into());
    let config = ClientConfig { secret, ..config(&[peer.address]) };
    let client = client(config.clone());
    client.call(&CreateTopicSpec::new("t")).await.unwrap();
    assert_eq!(peer.seen()[0].header("authorization"), Some("bearer s3cret"), "in lower case here");
    assert!(!format!("{client:?}").contains("s3cret"));
    let bad = ClientConfig { secret: Some("a\nb".into()), ..config };
    assert!(matches!(Client::new(bad), Err(Error::Unsendable(_))));
}
