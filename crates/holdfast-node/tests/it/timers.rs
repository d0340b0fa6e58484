//! Operations that run later.

use std::time::{Duration, Instant};

use holdfast_engine::Decision;
use serde_json::{Value, json};

use crate::data::{Data, Running};

fn call(running: &Running, name: &str, body: &Value) -> (Decision, Value) {
    let (decision, body) = running.call(name, &body.to_string()).unwrap();
    (decision, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

fn done(running: &Running, name: &str, body: &Value) -> Value {
    let (decision, outcome) = call(running, name, body);
    assert_eq!(decision, Decision::Done, "{outcome}");
    outcome
}

fn refused(running: &Running, name: &str, body: &Value) -> Value {
    let (decision, code) = call(running, name, body);
    assert_eq!(decision, Decision::Refused, "{code}");
    code
}

/// A time that has come.
const PAST: &str = "2020-01-01T00:00:00Z";

/// A time that no test lives to see.
const FAR: &str = "2190-01-01T00:00:00Z";

fn pay(from: &str, amount: i64) -> Value {
    let args = json!({ "debit_account": from, "credit_account": "account-1", "amount": amount });
    json!({ "op": "ledger.transfer", "args": args })
}

/// Waits until a timer is not armed any more.
fn ended(running: &Running, id: &str) -> Value {
    let patience = Instant::now() + Duration::from_secs(20);
    while Instant::now() < patience {
        let timer = done(running, "timers.get", &json!({ "id": id }));
        if timer["status"] != "armed" {
            return timer;
        }
        std::thread::yield_now();
    }
    panic!("{id} never fired");
}

#[test]
fn a_timers_operations_run_once_it_is_due() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..2);
    let armed = json!({ "id": "t-1", "fires_at": PAST, "operations": [pay("account-0", 7)] });
    assert_eq!(done(&running, "timers.arm", &armed)["outcome"], "armed");
    let timer = ended(&running, "t-1");
    assert_eq!(
        (&timer["status"], &timer["fires_at"]),
        (&json!("done"), &json!("2020-01-01T00:00:00.000Z"))
    );
    assert_eq!(timer["result"]["results"][0]["amount"], 7);
    let account = done(&running, "ledger.account", &json!({ "id": "account-1" }));
    assert_eq!(account["credits_posted"], 8);
    // Armed again it is the timer that fired, and does not fire again.
    assert_eq!(done(&running, "timers.arm", &armed)["existed"], true);
    assert_eq!(refused(&running, "timers.cancel", &json!({ "id": "t-1" })), "timer_fired");
    running.close();
}

#[test]
fn what_is_refused_when_it_fires_is_kept_and_leaves_no_trace() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..2);
    let operations = json!([pay("account-0", 7), pay("nobody", 7)]);
    done(
        &running,
        "timers.arm",
        &json!({ "id": "t-1", "fires_at": PAST, "operations": operations }),
    );
    let timer = ended(&running, "t-1");
    assert_eq!(timer["status"], "refused");
    assert_eq!(timer["result"]["code"], "debit_account_not_found");
    assert_eq!(timer["result"]["pointer"], "/operations/1/args/debit_account");
    let account = done(&running, "ledger.account", &json!({ "id": "account-1" }));
    assert_eq!(account["credits_posted"], 1);
    running.close();
}

#[test]
fn a_cancelled_timer_does_not_fire_and_an_armed_one_outlives_its_process() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..2);
    let far = |id: &str| json!({ "id": id, "fires_at": FAR, "operations": [pay("account-0", 7)] });
    done(&running, "timers.arm", &far("t-1"));
    done(&running, "timers.arm", &far("t-2"));
    let cancelled = done(&running, "timers.cancel", &json!({ "id": "t-1" }));
    assert_eq!((&cancelled["outcome"], &cancelled["existed"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(done(&running, "timers.cancel", &json!({ "id": "t-1" }))["existed"], true);
    assert_eq!(refused(&running, "timers.cancel", &json!({ "id": "t-3" })), "timer_not_found");
    running.close();
    let running = data.open().unwrap();
    assert_eq!(ended(&running, "t-1")["status"], "cancelled");
    let timer = done(&running, "timers.get", &json!({ "id": "t-2" }));
    assert_eq!(
        (&timer["status"], &timer["operations"][0]["op"]),
        (&json!("armed"), &json!("ledger.transfer"))
    );
    running.close();
}

#[test]
fn the_same_id_is_the_same_timer() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..2);
    let arm = |at: &str, amount| json!({ "id": "t-1", "fires_at": at, "operations": [pay("account-0", amount)] });
    done(&running, "timers.arm", &arm(FAR, 7));
    assert_eq!(done(&running, "timers.arm", &arm(FAR, 7))["existed"], true);
    assert_eq!(refused(&running, "timers.arm", &arm(PAST, 7)), "timer_exists");
    assert_eq!(refused(&running, "timers.arm", &arm(FAR, 8)), "timer_exists");
    running.close();
}

#[test]
fn operations_within_a_timer_refer_to_results_without_and_within() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..2);
    let request = json!({ "operations": [
        { "name": "held", "op": "ledger.transfer", "args": {
            "debit_account": "account-0", "credit_account": "account-1", "amount": 5, "pending": true } },
        { "op": "timers.arm", "args": { "id": "t-1", "fires_at": PAST, "operations": [
            { "name": "seen", "op": "ledger.get_transfer", "args": { "id": { "$from": "held", "path": "/id" } } },
            { "op": "ledger.void_pending", "args": { "id": { "$from": "seen", "path": "/id" } } },
        ] } },
    ] });
    let outcome = done(&running, "transactions.run", &request);
    let timer = ended(&running, "t-1");
    assert_eq!(timer["status"], "done", "{timer}");
    let held = &outcome["results"][0]["id"];
    assert_eq!(timer["operations"][0]["args"]["id"], *held);
    let transfer = done(&running, "ledger.get_transfer", &json!({ "id": held }));
    assert_eq!(transfer["status"], "voided");
    running.close();
}

#[test]
fn what_cannot_run_later_is_not_armed() {
    let data = Data::new();
    let running = data.open().unwrap();
    let registry = running.node.registry();
    for (request, pointer) in [
        (json!({ "operations": [pay("a", 1)] }), "/fires_at"),
        (json!({ "fires_at": PAST, "operations": [] }), "/operations"),
        (
            json!({ "fires_at": PAST, "operations": [{ "op": "x.y", "args": {} }] }),
            "/operations/0/op",
        ),
        (
            json!({ "fires_at": PAST, "operations": [{ "op": "ledger.account", "args": { "id": 1 } }] }),
            "/operations/0/args/id",
        ),
    ] {
        let body = request.to_string();
        let commands = registry.commands();
        let input = holdfast_state::command::Input { body: body.as_bytes(), fields: &[], commands };
        let refused = registry.command("timers.arm").unwrap().parse(input).map(drop).unwrap_err();
        assert_eq!(refused.pointer, pointer, "{refused}");
    }
    running.close();
}
