//! Made-up answers: what can be is taken, and a lie of each kind is not.

use holdfast_state::LogTime;
use serde_json::json;

use super::*;

/// Tells one after the other: command, arguments, and what it was answered; the n-th is version n
/// at n milliseconds. Which of them cannot be?
fn first_wrong(told: &[(&'static str, Value, Value)]) -> Option<usize> {
    let (mut naive, mut version) = (Naive::default(), 0);
    told.iter().position(|(name, args, body)| {
        version += 1;
        let at = Moment { version, time: LogTime::from_us(version * 1_000) };
        let said = Said { refused: body.get("code").is_some(), body: body.clone() };
        naive.take(at, &Command::new(name, args.clone()), &said).is_err()
    })
}

fn refused(code: &str) -> Value {
    json!({ "code": code, "facts": {} })
}

#[test]
fn a_token_is_the_version_of_its_grant_and_another_is_stale() {
    let acquire = json!({ "id": "a", "owner": "o", "ttl": "PT1S" });
    let granted = |token: u64| {
        let until = LogTime::from_us(1_001_000);
        json!({ "outcome": "granted", "owner": "o", "token": token, "expires_at": until })
    };
    let guard = |token: u64| json!({ "id": "a", "token": token });
    let valid =
        json!({ "outcome": "valid", "owner": "o", "expires_at": LogTime::from_us(1_001_000) });
    let stale = json!({ "code": "lease_stale", "facts": { "lease": "a", "token": 9, "current": 1, "owner": "o" } });
    let first = ("leases.acquire", acquire.clone(), granted(1));
    assert_eq!(first_wrong(&[first.clone(), ("leases.guard", guard(1), valid.clone())]), None);
    assert_eq!(first_wrong(&[first.clone(), ("leases.guard", guard(9), stale)]), None);
    assert_eq!(first_wrong(&[first, ("leases.guard", guard(0), valid)]), Some(1));
    assert_eq!(first_wrong(&[("leases.acquire", acquire, granted(2))]), Some(0));
}

#[test]
fn who_compares_with_another_version_does_not_set() {
    let place = json!({ "collection": "docs", "id": "a", "value": { "n": 1 } });
    let put = |outcome: &str, version: u64, created: u64| {
        json!({ "outcome": outcome, "collection": "docs", "id": "a", "version": version,
            "created_version": created, "updated_at": LogTime::from_us(version * 1_000) })
    };
    let mut compared = place.clone();
    compared["if_match"] = json!(1);
    let first = ("documents.put", place.clone(), put("created", 1, 1));
    let set = |version| ("documents.put", compared.clone(), put("replaced", version, 1));
    assert_eq!(first_wrong(&[first.clone(), set(2)]), None);
    let between = ("documents.put", place, put("replaced", 2, 1));
    assert_eq!(first_wrong(&[first, between, set(3)]), Some(2));
}

const MESSAGE: &str = "m";

fn topic() -> Vec<(&'static str, Value, Value)> {
    let appended = json!({ "outcome": "appended", "id": MESSAGE, "partition": 0, "offset": 1,
        "version": 3, "time": LogTime::from_us(3_000) });
    vec![
        ("topics.create", json!({ "id": "t" }), json!({ "outcome": "created" })),
        ("queues.create", json!({ "topic": "t", "id": "q" }), json!({ "outcome": "created" })),
        ("topics.append", json!({ "topic": "t", "id": MESSAGE, "type": "x", "data": 1 }), appended),
    ]
}

fn received(receipt: &str, attempt: u64, version: u64) -> (&'static str, Value, Value) {
    let visible_at = LogTime::from_us(version * 1_000 + 1_500);
    let message = json!({ "receipt": receipt, "attempt": attempt, "partition": 0, "offset": 1,
        "id": MESSAGE, "data": 1, "version": 3, "time": LogTime::from_us(3_000) });
    let told = json!({ "outcome": "received", "messages": [message], "visible_at": visible_at });
    ("queues.receive", json!({ "topic": "t", "queue": "q", "visibility": "PT0.0015S" }), told)
}

fn acked(receipt: &str, told: Value) -> (&'static str, Value, Value) {
    ("queues.ack", json!({ "topic": "t", "queue": "q", "receipts": [receipt] }), told)
}

#[test]
fn a_message_is_out_once_at_a_time_and_its_last_receipt_is_the_good_one() {
    let done = || json!({ "outcome": "acked", "count": 1 });
    let wrong = |more: &[(&'static str, Value, Value)]| first_wrong(&[&topic(), more].concat());
    let pause = || {
        ("topics.create", json!({ "id": "t" }), json!({ "outcome": "created", "existed": true }))
    };
    let first = || received("1-1", 1, 4);
    assert_eq!(wrong(&[first(), acked("1-1", done())]), None);
    assert_eq!(wrong(&[first(), received("2-1", 2, 5)]), Some(4), "it is out");
    assert_eq!(wrong(&[first(), pause(), received("2-1", 2, 6), acked("2-1", done())]), None);
    assert_eq!(wrong(&[first(), pause(), received("1-1", 2, 6)]), Some(5), "a receipt again");
    assert_eq!(wrong(&[first(), pause(), received("2-1", 1, 6)]), Some(5), "the attempt");
    let late = [first(), pause(), received("2-1", 2, 6), acked("1-1", done())];
    assert_eq!(wrong(&late), Some(6), "an old receipt");
    assert_eq!(wrong(&[first(), acked("1-1", refused("receipt_stale"))]), Some(4));
    let none =
        json!({ "outcome": "received", "messages": [], "visible_at": LogTime::from_us(304_000) });
    let empty = ("queues.receive", json!({ "topic": "t", "queue": "q" }), none);
    assert_eq!(wrong(&[empty]), Some(3), "it waits, and was not given");
}

#[test]
fn an_id_is_appended_once_and_offsets_have_no_gaps() {
    let again = |offset: u64, version: u64, existed: Value| {
        let told = json!({ "outcome": "appended", "id": MESSAGE, "partition": 0, "offset": offset,
            "existed": existed, "version": version, "time": LogTime::from_us(version * 1_000) });
        ("topics.append", json!({ "topic": "t", "id": MESSAGE, "type": "x", "data": 1 }), told)
    };
    let wrong = |last| first_wrong(&[&topic()[..], &[last]].concat());
    assert_eq!(wrong(again(1, 3, json!(true))), None);
    assert_eq!(wrong(again(2, 4, Value::Null)), Some(3), "twice");
    let mut gap = topic();
    gap[2].2["offset"] = json!(2);
    assert_eq!(first_wrong(&gap), Some(2));
}

#[test]
fn who_commits_names_the_generation_that_there_is() {
    let member = |name: &str| json!({ "topic": "t", "group": "g", "member": name, "ttl": "PT1S" });
    let joined = |generation: u64, members: u64, partitions: Value, version: u64| {
        json!({ "outcome": "joined", "generation": generation, "members": members,
            "partitions": partitions, "expires_at": LogTime::from_us(version * 1_000 + 1_000_000) })
    };
    let place = |partition: u64| json!({ "partition": partition, "offset": 0 });
    let commit = |generation: u64| {
        let offsets = json!([{ "partition": 0, "offset": 1 }]);
        let args = json!({ "topic": "t", "group": "g", "member": "a", "generation": generation,
            "offsets": offsets });
        ("groups.commit", args, json!({ "outcome": "committed", "offsets": offsets }))
    };
    let all = json!([place(0), place(1), place(2)]);
    let mut told = topic();
    told.push(("groups.join", member("a"), joined(1, 1, all, 4)));
    assert_eq!(first_wrong(&[&told[..], &[commit(1)]].concat()), None);
    let rest = json!([place(1), place(2)]);
    told.push(("groups.join", member("b"), joined(2, 2, rest, 5)));
    assert_eq!(first_wrong(&[&told[..], &[commit(1)]].concat()), Some(5));
}
