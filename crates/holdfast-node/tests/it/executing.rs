//! The path from a call to its answer: deadlines, versions, ends.

use std::{sync::Arc, time::Duration};

use holdfast_engine::{Decision, Stopped};
use holdfast_log::{MemoryLog, Position, blocking};
use holdfast_node::{Failure, Node, NodeConfig, Storage};
use holdfast_state::{Version, command::Input};

use crate::data::{Data, Running};

#[test]
fn a_read_sees_everything_up_to_the_version_it_names() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..3);
    let entry = running.node.registry().command("ledger.account").unwrap();
    let ask = |after, timeout| holdfast_node::Ask {
        after: Some(Version::new(after)),
        ..Running::ask(timeout)
    };
    let read = |after, timeout| {
        let body = br#"{"id":"account-2"}"#;
        let call = entry.parse(Input { body, fields: &[], commands: &[] }).unwrap();
        let ask = ask(after, timeout);
        running.runtime.block_on(running.node.execute(ask, entry.kind, call, |_| Vec::new()))
    };
    let reply = read(5, Duration::from_secs(20)).unwrap();
    assert_eq!((reply.decision, reply.at.to_string()), (Decision::Done, "0:5".to_owned()));
    assert!(!reply.replayed);
    let (asked, applied) = (Version::new(6), Version::new(5));
    let refused = read(6, Duration::from_millis(20));
    assert_eq!(refused, Err(Failure::NotReached { asked, applied }));
    running.close();
}

#[test]
fn a_node_that_was_closed_takes_no_calls() {
    let data = Data::new();
    let running = data.open().unwrap();
    running.work(0..1);
    assert_eq!(running.node.close(), Stopped::Cleanly);
    for (name, body) in [
        ("ledger.account", r#"{"id":"account-0"}"#),
        ("ledger.open_account", r#"{"id":"account-1","asset":"EUR"}"#),
    ] {
        let refused = running.call(name, body);
        let unavailable = Failure::Partition(holdfast_engine::Failure::Unavailable {
            reason: Stopped::Cleanly.to_string(),
        });
        assert_eq!(refused, Err(unavailable), "{name}");
    }
}

#[test]
fn a_state_that_cannot_be_rebuilt_ends_the_node_rather_than_spin() {
    let log = MemoryLog::new();
    let config = || NodeConfig::new(Storage::Memory(log.clone()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let node = Node::open(config()).unwrap();
    runtime.block_on(node.partition().leading()).unwrap();
    drop(node.close());
    // Without the log's beginning and without a snapshot there is no state.
    blocking::trim(&log.reopen(), Position::first().next()).unwrap();
    let node = Arc::new(Node::open(config()).unwrap());
    let why = runtime.block_on(node.watch_over());
    assert_eq!(why, Stopped::Behind(Position::first()));
}
