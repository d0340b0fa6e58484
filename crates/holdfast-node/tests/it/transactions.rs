//! Operations of any primitive as one transaction.

use holdfast_engine::Decision;
use holdfast_node::Failure;
use holdfast_state::command::{Input, SpecError};
use serde_json::{Value, json};

use crate::data::{Data, Running};

/// A node with two accounts.
fn opened(data: &Data) -> Running {
    let running = data.open().unwrap();
    for id in ["guest", "escrow"] {
        let body = json!({ "id": id, "asset": "EUR" }).to_string();
        assert_eq!(running.call("ledger.open_account", &body).unwrap().0, Decision::Done);
    }
    running
}

fn run(running: &Running, request: &Value) -> Result<(Decision, Value), Failure> {
    let (decision, body) = running.call("transactions.run", &request.to_string())?;
    Ok((decision, serde_json::from_str(&body).unwrap_or(Value::String(body))))
}

fn transfer(id: &str, amount: i64) -> Value {
    json!({
        "op": "ledger.transfer",
        "args": { "id": id, "debit_account": "guest", "credit_account": "escrow", "amount": amount }
    })
}

fn debits(running: &Running) -> i64 {
    let (_, body) = running.call("ledger.account", r#"{"id":"guest"}"#).unwrap();
    let account: Value = serde_json::from_str(&body).unwrap();
    account["debits_posted"].as_i64().unwrap()
}

/// What is wrong with a request that is not one.
fn error(running: &Running, request: &Value) -> SpecError {
    let registry = running.node.registry();
    let body = request.to_string();
    let input = Input { body: body.as_bytes(), fields: &[], commands: registry.commands() };
    registry.command("transactions.run").unwrap().parse(input).map(drop).unwrap_err()
}

#[test]
fn all_operations_are_done_at_one_version() {
    let data = Data::new();
    let running = opened(&data);
    let request = json!({ "operations": [
        { "name": "pay", "op": "ledger.transfer", "args": {
            "debit_account": "guest", "credit_account": "escrow", "amount": 700, "pending": true } },
        { "name": "keep", "op": "ledger.post_pending", "args": {
            "id": { "$from": "pay", "path": "/id" }, "amount": 300 } },
        { "op": "ledger.account", "args": { "id": "guest" } },
    ] });
    let (decision, outcome) = run(&running, &request).unwrap();
    assert_eq!(decision, Decision::Done, "{outcome}");
    assert_eq!(outcome["at"], "0:3");
    let results = outcome["results"].as_array().unwrap();
    assert_eq!((&results[0]["name"], &results[0]["outcome"]), (&json!("pay"), &json!("pending")));
    assert_eq!((&results[1]["name"], &results[1]["outcome"]), (&json!("keep"), &json!("posted")));
    assert_eq!((&results[2]["name"], &results[2]["debits_posted"]), (&Value::Null, &json!(300)));
    assert_eq!(debits(&running), 300);
    running.close();
    let again = data.open().unwrap();
    assert_eq!(debits(&again), 300);
    again.close();
}

#[test]
fn in_mode_all_the_first_refusal_refuses_everything() {
    let data = Data::new();
    let running = opened(&data);
    let request = json!({ "mode": "all", "operations": [
        transfer("t-1", 5),
        { "name": "wrong", "op": "ledger.transfer", "args": {
            "debit_account": "guest", "credit_account": "nobody", "amount": 5 } },
        transfer("t-2", 5),
    ] });
    let registry = running.node.registry();
    let entry = registry.command("transactions.run").unwrap();
    let body = request.to_string();
    let input = Input { body: body.as_bytes(), fields: &[], commands: registry.commands() };
    let call = entry.parse(input).unwrap();
    let ask = Running::ask(std::time::Duration::from_secs(20));
    let render = |refused: &holdfast_state::command::Refused| {
        let operation = serde_json::to_value(&refused.operation).unwrap();
        json!([refused.info.code, operation, refused.pointer]).to_string().into_bytes()
    };
    let reply = running.node.execute(ask, entry.kind, call, render);
    let reply = running.runtime.block_on(reply).unwrap();
    assert_eq!(reply.decision, Decision::Refused);
    let found: Value = serde_json::from_slice(&reply.body).unwrap();
    let pointer = "/operations/1/args/credit_account";
    let expected = json!(["credit_account_not_found", { "index": 1, "name": "wrong" }, pointer]);
    assert_eq!(found, expected);
    assert_eq!(debits(&running), 0);
    running.close();
}

#[test]
fn in_mode_each_a_refused_operation_leaves_no_trace_and_the_others_stand() {
    let data = Data::new();
    let running = opened(&data);
    let request = json!({ "mode": "each", "operations": [
        transfer("t-1", 5),
        // The first of these two would have been made by itself.
        { "name": "both", "op": "ledger.transfer_linked", "args": { "transfers": [
            { "id": "l-1", "debit_account": "guest", "credit_account": "escrow", "amount": 100 },
            { "id": "l-2", "debit_account": "guest", "credit_account": "nobody", "amount": 100 },
        ] } },
        { "op": "ledger.void_pending", "args": { "id": { "$from": "both", "path": "/transfers/0/id" } } },
        transfer("t-2", 7),
    ] });
    let (decision, outcome) = run(&running, &request).unwrap();
    assert_eq!(decision, Decision::Done, "{outcome}");
    let results = outcome["results"].as_array().unwrap();
    let outcomes: Vec<_> = results.iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["posted", "refused", "refused", "posted"]);
    assert_eq!(results[1]["code"], "credit_account_not_found");
    assert_eq!(results[1]["pointer"], "/operations/1/args/transfers/1/credit_account");
    assert_eq!(results[2]["code"], "reference_not_found");
    assert_eq!(debits(&running), 12);
    let (_, gone) = running.call("ledger.get_transfer", r#"{"id":"l-1"}"#).unwrap();
    assert_eq!(gone, "transfer_not_found");
    running.close();
}

#[test]
fn what_an_operation_becomes_by_its_references_is_checked_too() {
    let data = Data::new();
    let running = opened(&data);
    let filled = |path: &str| {
        json!({ "operations": [
            { "name": "first", "op": "ledger.account", "args": { "id": "guest" } },
            { "op": "ledger.account", "args": { "id": { "$from": "first", "path": path } } },
        ] })
    };
    let (decision, _) = run(&running, &filled("/id")).unwrap();
    assert_eq!(decision, Decision::Done);
    let refused = |code: &str| (Decision::Refused, Value::String(code.to_owned()));
    assert_eq!(run(&running, &filled("/debits_posted")).unwrap(), refused("operation_invalid"));
    assert_eq!(run(&running, &filled("/nothing")).unwrap(), refused("reference_not_found"));
    running.close();
}

#[test]
fn a_request_that_is_none_is_told_where() {
    let data = Data::new();
    let running = opened(&data);
    let one = |operation: Value| json!({ "operations": [operation] });
    let many = |mode: &str, count: usize| json!({ "mode": mode, "operations": vec![transfer("t", 1); count] });
    let reference = |from: Value| one(json!({ "op": "ledger.account", "args": { "id": from } }));
    let cases = [
        (json!({ "operations": [] }), "/operations", "1 to 128"),
        (many("all", 129), "/operations", "not 129"),
        (many("each", 10_001), "/operations", "1 to 10000"),
        (one(json!({ "op": "ledger.transfr", "args": {} })), "/operations/0/op", "no command"),
        (
            one(json!({ "op": "transactions.run", "args": {} })),
            "/operations/0/op",
            "does not hold another",
        ),
        (one(json!({ "op": "ledger.account" })), "/operations/0", "args"),
        (one(json!({ "op": "ledger.account", "args": { "id": 7 } })), "/operations/0/args/id", ""),
        (
            one(json!({ "op": "ledger.account", "args": { "id": "a", "x": 1 } })),
            "/operations/0/args/x",
            "unknown field",
        ),
        (one(json!({ "op": "ledger.account", "args": [] })), "/operations/0/args", ""),
        (
            one(json!({ "name": "", "op": "ledger.account", "args": { "id": "a" } })),
            "/operations/0/name",
            "1 to 64",
        ),
        (
            json!({ "operations": [
                { "name": "a", "op": "ledger.account", "args": { "id": "guest" } },
                { "name": "a", "op": "ledger.account", "args": { "id": "guest" } },
            ] }),
            "/operations/1/name",
            "an earlier operation",
        ),
        (
            reference(json!({ "$from": "later", "path": "/id" })),
            "/operations/0/args/id",
            "no earlier operation",
        ),
        (reference(json!({ "$from": 7 })), "/operations/0/args/id", "a reference is"),
        (
            reference(json!({ "$from": "a", "path": "/id", "more": 1 })),
            "/operations/0/args/id",
            "a reference is",
        ),
    ];
    for (request, pointer, message) in cases {
        let found = error(&running, &request);
        assert_eq!(found.pointer, pointer, "{found}");
        assert!(found.message.contains(message), "{found}");
        assert!(!found.malformed, "{found}");
    }
    running.close();
}

#[test]
fn ten_thousand_operations_fit_into_one_transaction() {
    let data = Data::new();
    let mut config = data.config();
    config.log = holdfast_log::FileLogOptions::default();
    let node = std::sync::Arc::new(holdfast_node::Node::open(config).unwrap());
    let running = Running { node, runtime: tokio::runtime::Runtime::new().unwrap() };
    running.work(0..2);
    let operations: Vec<_> = (0..10_000)
        .map(|n| {
            json!({ "op": "ledger.transfer", "args": {
                "id": format!("many-{n:06}"), "debit_account": "account-0",
                "credit_account": "account-1", "amount": 1 } })
        })
        .collect();
    let request = json!({ "mode": "each", "operations": operations });
    let (decision, outcome) = run(&running, &request).unwrap();
    assert_eq!(decision, Decision::Done);
    assert_eq!(outcome["results"].as_array().unwrap().len(), 10_000);
    let (_, body) = running.call("ledger.account", r#"{"id":"account-0"}"#).unwrap();
    let account: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(account["debits_posted"], 10_001);
    running.close();
}

#[test]
fn a_message_is_there_exactly_if_what_it_tells_of_is() {
    let data = Data::new();
    let running = opened(&data);
    let created = running.call("topics.create", r#"{"id":"payments"}"#).unwrap();
    assert_eq!(created.0, Decision::Done);
    let paid = |creditor: &str| {
        json!({ "operations": [
            { "op": "topics.append", "args": { "topic": "payments", "type": "payment.begun" } },
            { "name": "pay", "op": "ledger.transfer", "args": {
                "debit_account": "guest", "credit_account": creditor, "amount": 5 } },
            { "op": "topics.append", "args": { "topic": "payments", "type": "payment.made",
                "key": "guest", "data": { "transfer": { "$from": "pay", "path": "/id" } } } },
            { "op": "topics.read", "args": { "topic": "payments", "after": 1 } },
        ] })
    };
    assert_eq!(run(&running, &paid("nobody")).unwrap().0, Decision::Refused);
    let (decision, outcome) = run(&running, &paid("escrow")).unwrap();
    assert_eq!(decision, Decision::Done, "{outcome}");
    let results = outcome["results"].as_array().unwrap();
    assert_eq!((&results[0]["offset"], &results[2]["offset"]), (&json!(1), &json!(2)));
    let message = &results[3]["messages"][0];
    assert_eq!(message["data"], json!({ "transfer": results[1]["id"] }));
    running.close();
    let again = data.open().unwrap();
    let (_, page) = again.call("topics.read", r#"{"topic":"payments","after":1}"#).unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((&page["messages"][0], &page["last_offset"]), (message, &json!(2)));
    again.close();
}
