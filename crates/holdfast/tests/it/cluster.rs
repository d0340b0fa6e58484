//! Several nodes from the command line: a demonstration, the nemesis, and how nodes are.
//!
//! Real processes on a real PostgreSQL, since that is what these commands start. The nemesis here is
//! the shortest there is: every fault at least once under each way of serving reads.

use holdfast_log_postgres::server::Binaries;
use serde_json::Value;

use crate::process::{Server, holdfast, run};

fn installed() -> bool {
    let installed = Binaries::find().is_some();
    if !installed {
        println!("NOT RUN: PostgreSQL is not installed");
    }
    installed
}

fn told(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

#[test]
fn p4_p5_p6_p9_p10_p11_p14_under_the_nemesis_nothing_is_lost_stale_or_done_twice() {
    if !installed() {
        return;
    }
    let ran =
        run(&["lab", "nemesis", "--seconds", "1", "--pause-max", "2", "--seed", "5", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = told(&ran.stdout);
    assert_eq!(told["verdict"], "pass", "{told}");
    let faults = told["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 11, "{told}");
    for fault in faults {
        assert_eq!(fault["met"], fault["inflicted"], "{fault}");
        assert!(fault["met"].as_u64() >= Some(2), "once for each way of serving reads: {fault}");
    }
    for what in ["writes acknowledged, in the log", "answers beyond a key's first"] {
        assert!(told["counts"][what].as_u64() > Some(0), "{what}: {told}");
    }
    assert_eq!(told["counts"]["acknowledged and lost"], 0, "{told}");
}

#[test]
fn a_demonstration_ends_in_a_verdict() {
    if !installed() {
        return;
    }
    let ran = run(&["cluster", "demo", "--seconds", "6", "--kill", "2", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = told(&ran.stdout);
    assert_eq!((&told["scenario"], &told["verdict"]), (&"cluster demo".into(), &"pass".into()));
    let counts = &told["counts"];
    assert_eq!((&counts["leaders killed"], &counts["leaders halted"]), (&1.into(), &1.into()));
    assert!(counts["held and paid"].as_u64() > Some(0), "{told}");
}

#[test]
fn without_postgresql_it_is_said_what_to_install() {
    for command in [["cluster", "demo"], ["lab", "nemesis"]] {
        let refused = run(&[&command[..], &["--postgres-programs", "/nonexistent"]].concat());
        assert_eq!(refused.code, Some(3), "{refused:?}");
        for part in ["/nonexistent", "apt-get install postgresql", "initdb"] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
    }
}

#[test]
fn a_node_alone_is_well_and_one_that_is_not_there_is_a_row_that_says_so() {
    let data = crate::process::Data::new();
    let server = Server::start(&data.path());
    let here = server.address.to_string();
    // Answered when it leads.
    assert_eq!(server.client().get("/v1/ledger/accounts/nobody").status, 404);
    let well = run(&["cluster", "status", &here]);
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(well.stdout.contains("leading") && well.stdout.ends_with("healthy\n"), "{well:?}");

    let gone = Server::start(&data.temporary.path().join("other")).address.to_string();
    let shown = run(&["cluster", "status", &here, &gone]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    let problem = format!("not healthy: http://{gone} does not answer\n");
    assert!(shown.stdout.ends_with(&problem), "{shown:?}");
    let shown = run(&["cluster", "status", "--json", &here, &gone]);
    let told = told(&shown.stdout);
    assert_eq!((shown.code, &told["healthy"]), (Some(1), &false.into()), "{told}");
    assert_eq!(told["nodes"][0]["info"]["log"]["engine"], "files", "{told}");
    assert!(told["nodes"][1]["error"].is_string(), "{told}");
}

#[test]
fn a_shared_log_that_cannot_be_used_is_refused_with_what_to_do() {
    let data = crate::process::Data::new();
    let nowhere = "host=127.0.0.1 port=1 user=holdfast";
    let mut serve = holdfast(&["serve", "--data", &data.text(), "--postgres", nowhere]);
    let refused = crate::process::finish(&mut serve);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("--snapshots"), "{refused:?}");
    let refused = crate::process::finish(serve.arg("--snapshots").arg(data.temporary.path()));
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("127.0.0.1:1"), "{refused:?}");
    assert!(refused.stderr.contains("refused"), "{refused:?}");
    assert!(!refused.stderr.contains("backup"), "nothing is wrong with the data: {refused:?}");
}
