//! The subcommands that talk to servers, as a shell sees them.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::process::{Data, Finished, Server, holdfast, run};

/// Somebody who asks a server.
struct Shell(String);

impl Shell {
    fn of(server: &Server) -> Self {
        Self(format!("http://{}", server.address))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = holdfast(arguments);
        command.env("HOLDFAST_SERVER", &self.0);
        command
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        crate::process::finish(&mut self.command(arguments))
    }

    /// What is printed by one that is done.
    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        finished.stdout.trim_end().to_owned()
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    /// One that goes on, with its output.
    fn spawn(&self, arguments: &[&str]) -> (Child, impl Iterator<Item = String>) {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        (child, lines)
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn the_page_works_as_it_stands() {
    let server = Server::spawn(&mut holdfast(&["dev", "--listen", "127.0.0.1:0"]));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, block) = page.split_once("```sh\n").unwrap();
    let (script, _) = block.split_once("```").unwrap();
    let binaries = Path::new(env!("CARGO_BIN_EXE_holdfast")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", script]).env("PATH", path).stdin(Stdio::null());
    shell.env("HOLDFAST_SERVER", format!("http://{}", server.address));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[..3], ["version 6", "version 7", "{\"per_day\":200}"], "{printed}");
    assert!(lines[3].contains("\"version\":7") && lines[4].starts_with("token "), "{printed}");
    let of_topic: Vec<_> = lines[5..].iter().filter(|line| line.contains("greeting")).collect();
    assert_eq!(of_topic.len(), 1, "in one of two partitions: {printed}");
    assert!(lines[5..].join("").contains("\"balance\": 8750"), "{printed}");
}

#[test]
fn documents_are_put_read_listed_and_deleted() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    assert_eq!(shell.done(&["doc", "put", "c", "a", "{\"n\": 1.50}", "--create"]), "version 1");
    let refused = shell.run(&["doc", "put", "c", "a", "2", "--create"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("precondition_failed"), "{refused:?}");
    let refused = shell.run(&["doc", "put", "c", "a", "2", "--if-match", "7", "--json"]);
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), ""));
    let problem: Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(
        (&problem["code"], &problem["facts"]["version"]),
        (&json!("precondition_failed"), &json!(1))
    );
    shell.done(&["doc", "put", "c", "b", "null", "--expires-in", "PT1H"]);
    assert_eq!(shell.done(&["doc", "get", "c", "a"]), "{\"n\":1.50}");
    let known = shell.json(&["doc", "get", "c", "a", "--json"]);
    assert_eq!((&known["version"], &known["collection"]), (&json!(1), &json!("c")));
    assert_eq!(shell.done(&["doc", "list", "c"]).lines().count(), 2);
    assert_eq!(shell.done(&["doc", "list", "c", "--limit", "1"]).lines().count(), 1);
    assert_eq!(shell.json(&["doc", "list", "c", "--prefix", "b", "--json"])["id"], "b");
    shell.done(&["doc", "delete", "c", "a"]);
    let gone = shell.run(&["doc", "delete", "c", "a"]);
    assert!(gone.code == Some(1) && gone.stderr.contains("document_not_found"), "{gone:?}");
    for (arguments, part) in [
        (&["doc", "put", "c", "a", "{"][..], "not JSON"),
        (&["doc", "put", "c", "a", "1", "--expires-in", "1h"], "PT15M"),
        (&["doc", "put", "c", "a", "1", "--if-match", "x"], "expected a version"),
        (&["doc", "get", "c", "a", "--server", "127.0.0.1:1"], "not a server's URL"),
        (&["doc", "get", "c", "a", "--server", ","], "no server"),
    ] {
        let finished = shell.run(arguments);
        assert!(finished.code == Some(2) && finished.stderr.contains(part), "{finished:?}");
    }
    assert_eq!(server.terminate().0.code(), Some(0));
}

#[test]
fn a_watch_shows_what_comes() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    shell.done(&["doc", "put", "c", "a", "1"]);
    let (mut child, mut lines) = shell.spawn(&["doc", "watch", "c", "--after", "0", "--json"]);
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap()).unwrap();
    let first = next();
    assert_eq!(
        (&first["version"], &first["id"], &first["value"]),
        (&json!(1), &json!("a"), &json!(1))
    );
    shell.done(&["doc", "put", "others", "a", "1"]);
    shell.done(&["doc", "delete", "c", "a"]);
    let second = next();
    assert_eq!((&second["version"], &second["op"]), (&json!(3), &json!("delete")));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn topics_are_appended_to_read_and_followed() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    shell.done(&["call", "topics.create", "id=t"]);
    let append = |id: &str| shell.done(&["topic", "append", "t", "made", "{\"n\": 1}", "--id", id]);
    assert_eq!(append("a"), "offset 1 of partition 0");
    assert_eq!(append("a"), "offset 1 of partition 0, which was there already");
    append("b");
    let (mut child, mut lines) = shell.spawn(&["topic", "tail", "t", "--last", "1", "--json"]);
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap()).unwrap();
    assert_eq!(next()["id"], "b");
    append("c");
    let third = next();
    assert_eq!(
        (&third["id"], &third["offset"], &third["partition"]),
        (&json!("c"), &json!(3), &json!(0))
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut child, mut lines) = shell.spawn(&["topic", "tail", "t", "--after", "0:1"]);
    assert!(lines.next().unwrap().trim().starts_with("0:2 "));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(shell.done(&["topic", "read", "t"]).lines().count(), 3);
    assert_eq!(
        shell.json(&["topic", "read", "t", "--after", "1", "--limit", "1", "--json"])["id"],
        "b"
    );
    let gone = shell.run(&["topic", "tail", "gone"]);
    assert!(gone.code == Some(1) && gone.stderr.contains("topic_not_found"), "{gone:?}");
    for wrong in [["--partition", "1"], ["--after", "1:0"], ["--after", "1"]] {
        let none = shell.run(&[&["topic", "tail", "t"][..], &wrong].concat());
        assert_eq!(none.code, Some(2), "{none:?}");
    }
    // Waiting longer than a try may take is no failure.
    let wait = ["call", "topics.read", "topic=t", "after=2", "wait=20", "--json"];
    assert_eq!(shell.json(&wait)["messages"][0]["id"], "c");
}

#[test]
fn a_program_is_run_for_each_message() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    shell.done(&["call", "topics.create", "id=t"]);
    shell.done(&["call", "queues.create", "topic=t", "id=q", "max_deliveries=2"]);
    let none = shell.run(&["queue", "work", "t", "none", "--", "true"]);
    assert!(none.code == Some(1) && none.stderr.contains("queue_not_found"), "{none:?}");
    for said in ["\"good\"", "\"bad\""] {
        shell.done(&["topic", "append", "t", "made", said, "--message-key", "k"]);
    }
    shell.done(&["call", "queues.create", "topic=t", "id=none"]);
    let cannot = shell.run(&["queue", "work", "t", "none", "--", "/no/such/program"]);
    assert_eq!(cannot.code, Some(127), "{cannot:?}");
    let shown = "read -r said; echo \"$said $HOLDFAST_MESSAGE_TYPE $HOLDFAST_MESSAGE_KEY \
                 $HOLDFAST_MESSAGE_OFFSET $HOLDFAST_MESSAGE_ATTEMPT\"; test \"$said\" = '\"good\"'";
    let work = ["queue", "work", "t", "q", "--again-after", "0", "--", "sh", "-c", shown];
    let (mut child, lines) = shell.spawn(&work);
    let lines: Vec<_> = lines.take(3).collect();
    assert_eq!(lines, ["\"good\" made k 1 1", "\"bad\" made k 2 1", "\"bad\" made k 2 2"]);
    let wait = || loop {
        let queue = shell.json(&["queue", "show", "t", "q", "--json"]);
        if queue["waiting"] == 0 && queue["out"] == 0 {
            break queue["dead"].clone();
        }
    };
    assert_eq!(wait(), 1, "given out as often as may be");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));

    // One in the middle of its work when it is told to go: it is ended, and its message is others'.
    shell.done(&["call", "queues.create", "topic=t", "id=long", "begin=end"]);
    shell.done(&["topic", "append", "t", "made", "1"]);
    let long = "echo begun; exec sleep 600";
    let work = ["queue", "work", "t", "long", "--grace", "1", "--", "sh", "-c", long];
    let (mut child, mut lines) = shell.spawn(&work);
    assert_eq!(lines.next().unwrap(), "begun");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let given = shell.json(&["call", "queues.receive", "topic=t", "queue=long", "--json"]);
    assert_eq!(given["messages"][0]["attempt"], 2);
}

#[test]
fn nodes_that_are_not_there_are_passed_over_and_none_is_told_so() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let servers = format!("http://127.0.0.1:1,http://{}", server.address);
    let shell = Shell(servers);
    assert_eq!(shell.done(&["doc", "put", "c", "a", "1"]), "version 1");
    server.terminate();
    let finished = shell.run(&["doc", "put", "c", "a", "1"]);
    assert_eq!(finished.code, Some(5), "{finished:?}");
    assert!(finished.stderr.contains("not done") && finished.stderr.contains("cannot connect"));
}

#[test]
fn a_program_runs_while_its_lease_is_held_and_gives_its_exit_code() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    let token =
        "test $HOLDFAST_LEASE = l && test -n \"$HOLDFAST_SERVER\" && exit $HOLDFAST_LEASE_TOKEN";
    let held = |program: &[&str]| {
        let finished = shell.run(&[&["lease", "hold", "l", "--"], program].concat());
        assert_eq!(shell.done(&["lease", "list"]), "", "it is given back");
        finished.code
    };
    assert_eq!(held(&["sh", "-c", token]), Some(1));
    assert_eq!(held(&["sh", "-c", token]), Some(3), "granted, given back, granted");
    assert_eq!(held(&["sh", "-c", "kill -TERM $$"]), Some(128 + 15));
    assert_eq!(held(&["/nonexistent"]), Some(127));
    let (child, mut lines) = shell.spawn(&[
        "lease",
        "hold",
        "l",
        "--owner",
        "me",
        "--",
        "sh",
        "-c",
        "echo up; exec sleep 600",
    ]);
    assert_eq!(lines.next().as_deref(), Some("up"));
    let listed = shell.json(&["lease", "list", "--json"]);
    assert_eq!((&listed["id"], &listed["owner"]), (&json!("l"), &json!("me")));
    let refused = shell.run(&["lease", "hold", "l", "--wait", "0", "--", "true"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("lease_held"), "{refused:?}");
    // What is told to end passes it on.
    let mut child = child;
    signal(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 2));
    assert_eq!(shell.done(&["lease", "list"]), "");
}

#[test]
fn a_program_is_ended_when_its_lease_is_lost() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    let stubborn =
        "trap 'echo told' TERM; echo $HOLDFAST_LEASE_TOKEN; while :; do sleep 0.05; done";
    let arguments =
        ["lease", "hold", "l", "--ttl", "2", "--grace", "1", "--", "sh", "-c", stubborn];
    let (mut child, mut lines) = shell.spawn(&arguments);
    let token = lines.next().unwrap();
    shell.done(&["call", "leases.transfer", "id=l", &format!("token={token}"), "to=another"]);
    assert_eq!(lines.next().as_deref(), Some("told"));
    assert_eq!(child.wait().unwrap().code(), Some(128 + 9), "it would not end");
    let listed = shell.json(&["lease", "list", "--json"]);
    assert_eq!(listed["owner"], "another", "which is not given back with it");
}

#[test]
fn who_waits_for_a_lease_can_be_told_to_go() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    shell.done(&["call", "leases.acquire", "id=l", "owner=a", "ttl=PT1H"]);
    let (mut child, _) = shell.spawn(&["lease", "hold", "l", "--owner", "b", "--", "true"]);
    let waiting = || shell.json(&["lease", "list", "--json"])["waiting"].clone();
    while waiting() != json!(1) {}
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert_eq!(waiting(), json!(0));
}

#[test]
fn shells_are_helped() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, Some(0), "{script:?}");
        for word in ["lease", "hold", "--if-match", "call"] {
            let word = if shell == "fish" { word.trim_start_matches("--") } else { word };
            assert!(script.stdout.contains(word), "{shell} lacks {word}");
        }
    }
    assert_eq!(run(&["completions", "tcl"]).code, Some(2));
}

#[test]
fn limits_are_asked_and_a_denial_is_an_exit_code() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    let rules = r#"rules=[{"name":"tenant","by":["tenant"],"quota":{"algorithm":"sliding_log","max":3,"window":"PT1H"}}]"#;
    shell.done(&["call", "limits.put", "id=api", rules]);
    assert!(
        shell.done(&["limit", "check", "api", "tenant=acme", "--cost", "2"]).contains("1 left")
    );
    let dry = shell.run(&["limit", "check", "api", "tenant=acme", "--cost", "2", "--dry-run"]);
    assert_eq!(dry.code, Some(1), "{dry:?}");
    assert!(dry.stdout.starts_with("denied, may in 3"), "{dry:?}");
    let denied = shell.run(&["limit", "check", "api", "tenant=acme", "--cost", "2", "--json"]);
    let answer: Value = serde_json::from_str(&denied.stdout).unwrap();
    assert_eq!((denied.code, &answer["outcome"]), (Some(1), &json!("denied")));
    let status = shell.json(&["limit", "status", "api", "tenant=acme", "--json"]);
    assert_eq!(status["rules"][0]["remaining"], 1);
    assert_eq!(shell.run(&["limit", "status", "api", "tenant=acme", "--cost", "2"]).code, Some(1));
    assert_eq!(shell.json(&["limit", "list", "--json"])["id"], "api");
    let twice = shell.run(&["limit", "check", "api", "tenant=a", "tenant=b"]);
    assert!(twice.code == Some(2) && twice.stderr.contains("given twice"), "{twice:?}");
    assert_eq!(server.terminate().0.code(), Some(0));
}

#[test]
fn sessions_are_listed_shown_and_closed() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let shell = Shell::of(&server);
    shell.done(&["call", "sessions.open", "id=node-1", "ttl=PT1H", "owner=host-7"]);
    shell.done(&["call", "leases.acquire", "id=shard-4", "owner=node-1", "session=node-1"]);
    assert!(shell.done(&["session", "list"]).contains("host-7"));
    assert!(shell.done(&["session", "show", "node-1"]).ends_with("  lease shard-4"));
    let other = shell.run(&["session", "close", "node-1", "--version", "2"]);
    assert!(other.code == Some(1) && other.stderr.contains("session_not_found"), "{other:?}");
    assert_eq!(shell.json(&["session", "close", "node-1", "--json"])["outcome"], "closed");
    assert_eq!(shell.done(&["session", "list"]) + &shell.done(&["lease", "list"]), "");
    assert_eq!(server.terminate().0.code(), Some(0));
}
