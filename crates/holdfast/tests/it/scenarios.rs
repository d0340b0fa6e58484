//! Scenarios by the command line: a server process that is killed, a verdict, and
//! controls that must fail.

use std::fs;

use crate::process::{Data, run};

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn a_demo_survives_kills_and_leaves_a_history() {
    let data = Data::new();
    let history = data.temporary.path().join("history.jsonl");
    let history = history.to_str().unwrap();
    let demo = run(&["demo", "--bookings", "1500", "--kill", "2", "--history", history]);
    assert_eq!(demo.code, Some(0), "{demo:?}");
    assert_eq!(last_line(&demo.stdout), "verdict: pass", "{demo:?}");
    let lines = fs::read_to_string(history).unwrap();
    let versions: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["version"].as_u64().unwrap())
        .collect();
    assert!(versions.len() >= 3_000, "{}", versions.len());

    let judged = run(&["check", history]);
    assert_eq!((judged.code, last_line(&judged.stdout)), (Some(0), "verdict: pass"), "{judged:?}");
    let told = run(&["check", history, "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!((&told["verdict"], &told["writes"]), (&"pass".into(), &versions.len().into()));

    // The same outcome once more, under another key.
    let again = lines.lines().next().unwrap().replacen("\"key\":\"", "\"key\":\"another-", 1);
    fs::write(history, format!("{lines}{again}\n")).unwrap();
    let judged = run(&["check", history]);
    assert_eq!(judged.code, Some(1), "{judged:?}");
    assert!(judged.stdout.contains("both have version"), "{judged:?}");
    fs::write(history, "{}\n").unwrap();
    let judged = run(&["check", history]);
    assert_eq!(judged.code, Some(2), "{judged:?}");
    assert!(judged.stderr.contains("history.jsonl: line 1: missing field"), "{judged:?}");
}

#[test]
fn what_a_scenario_leaves_can_be_audited() {
    let data = Data::new();
    let demo = run(&["demo", "--bookings", "300", "--kill", "1", "--json", "--data", &data.text()]);
    let told: serde_json::Value = serde_json::from_str(&demo.stdout).unwrap();
    assert_eq!((&told["verdict"], demo.code), (&"pass".into(), Some(0)), "{demo:?}");
    let audit = run(&["audit", "--data", &data.text()]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    // A scenario begins with nothing.
    let again = run(&["demo", "--bookings", "300", "--data", &data.text()]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains("begins with nothing"), "{again:?}");
}

#[test]
fn a_flash_sale_sells_every_unit_once_and_without_protection_more() {
    let sale = ["lab", "run", "flash-sale", "--buyers", "2000", "--units", "100"];
    let protected = run(&[&sale[..], &["--kill", "1"]].concat());
    assert_eq!(last_line(&protected.stdout), "verdict: pass", "{protected:?}");
    let control = run(&[&sale[..], &["--kill", "0", "--without-protection"]].concat());
    assert_eq!(control.code, Some(1), "{control:?}");
    let verdict = last_line(&control.stdout);
    assert!(verdict.starts_with("verdict: fail: "), "{verdict}");
    assert!(verdict.ends_with("and should be 100"), "{verdict}");
}

/// Runs an experiment with a server that is killed once. Its control is run without HTTP by the
/// lab's own tests.
fn survives_a_kill(experiment: &[&str]) {
    let run = run(&[&["lab", "run"], experiment, &["--kill", "1", "--json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&told["verdict"], run.code), (&"pass".into(), Some(0)), "{run:?}");
    assert_eq!(told["counts"]["kills"], 1, "{run:?}");
}

#[test]
fn leaders_come_back_as_zombies_and_a_server_is_killed() {
    survives_a_kill(&["zombie-leader", "--ttl-ms", "400", "--ticks", "90", "--faults", "25"]);
}

#[test]
fn deadlocks_are_told_and_a_server_is_killed() {
    survives_a_kill(&["deadlock", "--workers", "8", "--leases", "8", "--rounds", "10"]);
}

#[test]
fn messages_are_done_once_and_a_server_is_killed() {
    survives_a_kill(&[
        "queue",
        "--messages",
        "500",
        "--consumers",
        "8",
        "--visibility-ms",
        "400",
        "--poison",
        "4",
        "--faults",
        "6",
    ]);
}

#[test]
fn groups_share_partitions_out_anew_and_a_server_is_killed() {
    let group = ["consumer-group", "--messages", "1000", "--ttl-ms", "400", "--faults", "8"];
    survives_a_kill(&group);
}

#[test]
fn bursts_cross_the_edges_of_windows_and_a_server_is_killed() {
    let limits = ["rate-limit", "--keys", "60", "--edges", "3", "--window-ms", "800"];
    survives_a_kill(&limits);
}

#[test]
fn a_control_fails_by_the_command_line_too() {
    let control =
        ["lab", "run", "queue", "--messages", "300", "--visibility-ms", "300", "--faults"];
    let control = run(&[&control[..], &["10", "--in-process", "--without-protection"]].concat());
    assert_eq!(control.code, Some(1), "{control:?}");
    assert!(last_line(&control.stdout).starts_with("verdict: fail: message "), "{control:?}");
}

#[test]
fn a_data_set_that_is_none_is_told_by_file_and_line() {
    let data = Data::new();
    let file = data.temporary.path().join("bookings.csv");
    fs::write(&file, "hotel,lead_time\nCity Hotel,10\n").unwrap();
    let refused = run(&["replay", "hotel-bookings", file.to_str().unwrap()]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("bookings.csv: line 2"), "{refused:?}");
    let missing = run(&["replay", "online-retail", "/nonexistent/lines.csv.gz"]);
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.stderr.contains("/nonexistent/lines.csv.gz"), "{missing:?}");
}

#[test]
fn the_model_shows_a_shortest_way_to_what_a_rule_forbids() {
    let shown = run(&["lab", "model", "--without", "p3"]);
    assert_eq!((shown.code, last_line(&shown.stdout)), (Some(0), "verdict: pass"), "{shown:?}");
    assert!(shown.stdout.contains("  10 node 1: acknowledges "), "{shown:?}");
    assert!(shown.stdout.contains("was acknowledged, and what counts is nothing"), "{shown:?}");
    // Within bounds in which nobody can evaluate anything, nothing goes wrong: no pass.
    let small = run(&["lab", "model", "--without", "P3", "--positions", "1"]);
    assert_eq!((small.code, last_line(&small.stdout)), (Some(1), "verdict: fail"), "{small:?}");
    let unknown = run(&["lab", "model", "--without", "P99"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("no model leaves P99 out"), "{unknown:?}");
}
