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
        ("topics.create", json!({ "id": "t", "partitions": 3 }), json!({ "outcome": "created" })),
        ("queues.create", json!({ "topic": "t", "id": "q" }), json!({ "outcome": "created" })),
        ("topics.append", json!({ "topic": "t", "id": MESSAGE, "type": "x", "data": 1 }), appended),
    ]
}

fn received(receipt: &str, attempt: u64, version: u64) -> (&'static str, Value, Value) {
    let visible_at = LogTime::from_us(version * 1_000 + 1_500);
    let message = json!({ "receipt": receipt, "attempt": attempt, "partition": 0, "offset": 1,
        "id": MESSAGE, "type": "said", "data": 1, "version": 3,
        "time": LogTime::from_us(3_000) });
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
        (
            "topics.create",
            json!({ "id": "t", "partitions": 3 }),
            json!({ "outcome": "created", "existed": true }),
        )
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

#[test]
fn a_holder_is_counted_once_and_gives_back_what_is_its_own() {
    let asked =
        |holder: &str| json!({ "id": "seats", "descriptors": { "tenant": "x" }, "holder": holder });
    let check = |holder: &str, outcome: &str, remaining: u64| {
        let told = json!({ "outcome": outcome, "rules": [{ "remaining": remaining }] });
        ("limits.check", asked(holder), told)
    };
    let release = |holder: &str, told: Value| ("limits.release", asked(holder), told);
    let released = || json!({ "outcome": "released", "rules": ["a"] });
    let put =
        ("limits.put", json!({ "id": "seats" }), json!({ "outcome": "created", "version": 1 }));
    let full = [put, check("a", "allowed", 2), check("b", "allowed", 1), check("c", "allowed", 0)];
    let wrong = |more: &[(&'static str, Value, Value)]| first_wrong(&[&full[..], more].concat());
    assert_eq!(wrong(&[check("a", "allowed", 0), check("d", "denied", 0)]), None);
    assert_eq!(wrong(&[check("d", "allowed", 0)]), Some(4), "more than may be");
    assert_eq!(wrong(&[release("a", released()), check("d", "allowed", 0)]), None);
    assert_eq!(wrong(&[release("d", released())]), Some(4), "another's");
    assert_eq!(wrong(&[release("d", refused("holder_not_found"))]), Some(4), "who it was is told");
}

#[test]
fn a_batch_is_there_with_all_its_messages_or_with_none() {
    let message = |id: &str| json!({ "id": id, "key": "k", "type": "said", "data": 1 });
    let told = |first: u64, last: u64, version: u64, existed: Value| {
        let ranges = json!([{ "partition": 0, "first_offset": first, "last_offset": last }]);
        json!({ "outcome": "appended", "existed": existed, "ranges": ranges, "version": version,
            "time": LogTime::from_us(version * 1_000) })
    };
    let batch = |ids: &[&str], told: Value| {
        let messages: Vec<_> = ids.iter().map(|id| message(id)).collect();
        ("topics.append_batch", json!({ "topic": "t", "messages": messages }), told)
    };
    let wrong = |last: (&'static str, Value, Value)| {
        let create = ("topics.create", json!({ "id": "t" }), json!({ "outcome": "created" }));
        first_wrong(&[create, batch(&["a", "b"], told(1, 2, 2, Value::Null)), last])
    };
    assert_eq!(wrong(batch(&["a", "b"], told(1, 2, 2, json!(true)))), None);
    assert_eq!(wrong(batch(&["c", "d"], told(3, 4, 3, Value::Null))), None);
    assert_eq!(wrong(batch(&["c", "b"], told(3, 4, 3, Value::Null))), Some(2), "one is there");
    let differs = json!({ "code": "batch_differs",
        "facts": { "index": 1, "id": "b", "partition": 0, "offset": 2 } });
    assert_eq!(wrong(batch(&["c", "b"], differs)), None);
    assert_eq!(wrong(batch(&["a", "b", "c"], told(1, 3, 2, json!(true)))), Some(2), "half of it");
}

#[test]
fn each_operation_is_for_itself_and_what_was_done_before_a_refusal_stays() {
    let put = |value: u64| json!({ "collection": "docs", "id": "a", "value": { "n": value }, "if_none_match": "*" });
    let operation = |value| json!({ "op": "documents.put", "args": put(value) });
    let created = json!({ "outcome": "created", "collection": "docs", "id": "a", "version": 1,
        "created_version": 1, "updated_at": LogTime::from_us(1_000) });
    let unmet = json!({ "outcome": "refused", "code": "precondition_failed",
        "facts": { "condition": "if_none_match", "version": 1 } });
    let told = |version: u64, results: &[&Value]| json!({ "at": format!("0:{version}"), "time": LogTime::from_us(1_000), "results": results });
    let wrong = |told: Value, n: u64| {
        let both = json!({ "mode": "each", "operations": [operation(1), operation(2)] });
        let there = json!({ "collection": "docs", "id": "a", "version": 1, "value": { "n": n },
            "created_version": 1, "updated_at": LogTime::from_us(1_000) });
        let get = ("documents.get", json!({ "collection": "docs", "id": "a" }), there);
        first_wrong(&[(COMPOSED, both, told), get])
    };
    assert_eq!(wrong(told(1, &[&created, &unmet]), 1), None);
    assert_eq!(wrong(told(1, &[&created, &unmet]), 2), Some(1), "the refused one wrote");
    assert_eq!(wrong(told(1, &[&created, &created]), 2), Some(0), "it was refused");
    assert_eq!(wrong(told(1, &[&created]), 1), Some(0), "an answer is missing");
    assert_eq!(wrong(told(2, &[&created, &unmet]), 1), Some(0), "another version");
}

#[test]
fn a_letter_says_what_it_was_edited_to_say_and_is_redriven_once() {
    let place = || json!({ "topic": "t", "queue": "q" });
    let with = |name: &str, value: Value| {
        let mut args = place();
        args[name] = value;
        args
    };
    let mut edited = with("letter", json!("0-1"));
    edited["data"] = json!(7);
    let letter = |data: u64| {
        json!({ "outcome": "edited", "letter": "0-1", "reason": "rejected", "attempts": 1, "data": data,
            "died_at": LogTime::from_us(5_000), "edited_at": LogTime::from_us(6_000), "redriven": 0,
            "partition": 0, "offset": 1, "id": MESSAGE, "type": "said", "version": 3,
            "time": LogTime::from_us(3_000) })
    };
    let rejected = json!({ "outcome": "rejected", "count": 1 });
    let dead =
        [received("1-1", 1, 4), ("queues.reject", with("receipts", json!(["1-1"])), rejected)];
    let gone = |outcome: &str| json!({ "outcome": outcome, "count": 1, "dead": 0 });
    let redrive = || ("queues.redrive", with("letters", json!(["0-1"])), gone("redriven"));
    let purge = || ("queues.purge", place(), gone("purged"));
    let wrong =
        |more: &[(&'static str, Value, Value)]| first_wrong(&[&topic()[..], &dead, more].concat());
    let edit = |data| ("queues.edit", edited.clone(), letter(data));
    let again = |data: u64| {
        let mut again = received("2-1", 1, 8);
        again.2["messages"][0]["data"] = json!(data);
        again
    };
    assert_eq!(wrong(&[edit(7), redrive(), again(7)]), None);
    assert_eq!(wrong(&[edit(7), redrive(), again(1)]), Some(7), "what was appended");
    assert_eq!(wrong(&[edit(1)]), Some(5), "it was not edited");
    assert_eq!(wrong(&[redrive(), redrive()]), Some(6), "twice");
    assert_eq!(wrong(&[purge(), redrive()]), Some(6), "it was purged");
}
