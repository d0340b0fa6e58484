//! The other subcommands, against a server and against its data.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::process::{Data, Server, holdfast, run};

fn call(server: &Server, arguments: &[&str]) -> crate::process::Finished {
    let url = format!("http://{}", server.address);
    run(&[&["call", "--server", &url][..], arguments].concat())
}

#[test]
fn from_the_first_call_to_the_audit() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let mode = fs::metadata(data.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for id in ["a", "b"] {
        let opened = call(&server, &["ledger.open_account", &format!("id={id}"), "asset=EUR"]);
        assert_eq!(opened.code, Some(0), "{opened:?}");
    }
    let transfer = ["ledger.transfer", "id=t", "debit_account=a", "credit_account=b", "amount=5"];
    let key = ["--idempotency-key", "k"];
    let done = call(&server, &[&transfer[..], &key].concat());
    assert!(done.stderr.contains("200 at 0:3"), "{done:?}");
    let again = call(&server, &[&transfer[..], &key].concat());
    assert!(again.stderr.contains("200 at 0:3, replayed"), "{again:?}");
    assert_eq!(again.stdout, done.stdout);
    let shown = call(&server, &["ledger.account", "id=b", "--json", "--after", "0:3"]);
    let account: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&account["balance"], shown.stderr.as_str()), (&json!(5), ""));
    let refused = call(&server, &["ledger.account", "id=c", "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("account_not_found"), "{refused:?}");

    let busy = run(&["audit", "--data", &data.text()]);
    assert_eq!(busy.code, Some(3), "{busy:?}");
    assert!(busy.stderr.contains(&format!("in use by process {}", server.id())), "{busy:?}");
    let (status, logged) = server.terminate();
    assert_eq!(status.code(), Some(0), "{logged}");

    let audit = run(&["audit", "--data", &data.text()]);
    assert_eq!(audit.code, Some(0), "{audit:?}");
    assert!(audit.stdout.ends_with("audit: clean\n"), "{audit:?}");
    let row: Vec<_> = audit.stdout.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(row, ["1", "ledger", "3", "0", "2", "accounts,", "1", "transfers"], "{audit:?}");
    let row: Vec<_> = audit.stdout.lines().nth(3).unwrap().split_whitespace().collect();
    assert_eq!(row[..5], ["1", "reservations", "3", "0", "0"], "{audit:?}");

    let listed = run(&["log", "inspect", "--data", &data.text(), "--json"]);
    let lines: Vec<Value> =
        listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["kind"], &lines[0]["position"]), (&json!("claim"), &json!(1)));
    let versions: u64 = lines.iter().map(|line| line["count"].as_u64().unwrap()).sum();
    assert_eq!(versions, 3);
    let some = run(&["log", "inspect", "--data", &data.text(), "--from", "2", "--limit", "1"]);
    assert_eq!(some.stdout.lines().count(), 2, "{some:?}");
    assert!(some.stdout.lines().nth(1).unwrap().trim_start().starts_with("2 batch"), "{some:?}");
}

/// Money goes to and fro, in single steps.
fn transfers(server: &Server) {
    let mut client = server.client();
    for id in ["a", "b"] {
        let account = json!({"id": id, "asset": "EUR"}).to_string();
        assert!(client.post("/v1/ledger/accounts", &account).status < 300);
    }
    for number in 0..200 {
        let transfer = json!({
            "id": format!("t-{number}"), "debit_account": "a", "credit_account": "b", "amount": 1
        });
        assert!(client.post("/v1/ledger/transfers", &transfer.to_string()).status < 300);
    }
}

#[test]
fn p18_an_audit_with_the_archive_is_that_of_a_log_which_was_never_trimmed() {
    let (whole, trimmed) = (Data::new(), Data::new());
    let server = Server::start(&whole.path());
    transfers(&server);
    server.terminate();
    let (file, archive) =
        (trimmed.temporary.path().join("c.toml"), trimmed.temporary.path().join("archive"));
    fs::write(&file, "[engine]\nsnapshot_bytes = 4000\n").unwrap();
    let (file, archive) = (file.to_str().unwrap(), archive.to_str().unwrap());
    let arguments = ["serve", "--data", &trimmed.text(), "--listen", "127.0.0.1:0"];
    let server = Server::spawn(holdfast(&arguments).args(["--config", file, "--archive", archive]));
    transfers(&server);
    let (status, logged) = server.terminate();
    assert_eq!(status.code(), Some(0), "{logged}");
    assert_eq!(fs::metadata(archive).unwrap().permissions().mode() & 0o777, 0o700);
    let audit = |data: &Data, more: &[&str]| {
        let audit = run(&[&["audit", "--data", &data.text()], more].concat());
        assert_eq!(audit.code, Some(0), "{audit:?}");
        let (reach, findings) = audit.stdout.split_once('\n').unwrap();
        (reach.to_owned(), findings.to_owned())
    };
    let (reach, all) = audit(&whole, &[]);
    assert_eq!(reach, "derived from the whole log");
    let (reach, some) = audit(&trimmed, &[]);
    assert!(reach.starts_with("derived from the oldest snapshot, of version "), "{reach}");
    assert_ne!(some, all);
    let (reach, again) = audit(&trimmed, &["--archive", archive]);
    assert_eq!(reach, "derived from the archive, from version 1 on, and the log after it");
    assert_eq!(again, all);
    let nowhere = run(&["audit", "--data", &trimmed.text(), "--archive", "/nonexistent"]);
    assert_eq!(nowhere.code, Some(3), "{nowhere:?}");
    assert!(nowhere.stderr.contains("/nonexistent"), "{nowhere:?}");
}

#[test]
fn a_request_in_quarantine_is_listed_and_let_go() {
    let data = Data::new();
    Server::start(&data.path()).terminate();
    let fingerprints = ["0f".repeat(16), "1e".repeat(16), "2d".repeat(16)];
    let suspect =
        |(deaths, print): (usize, &String)| json!({"fingerprint": print, "deaths": deaths});
    let suspects: Vec<_> = fingerprints.iter().enumerate().map(suspect).collect();
    let file = data.path().join("partition-0/suspects.json");
    fs::write(file, json!({"format": 1, "suspects": suspects}).to_string()).unwrap();
    let quarantine =
        |arguments: &[&str]| run(&[&["quarantine"], arguments, &["--data", &data.text()]].concat());
    let listed = quarantine(&["list"]);
    let wanted = format!("{}       2  quarantined", fingerprints[2]);
    assert!(listed.stdout.lines().any(|line| line == wanted), "{listed:?}");
    assert_eq!(listed.stdout.matches("suspected").count(), 2, "{listed:?}");
    let (gone, unknown) = (fingerprints[2].as_str(), "ff".repeat(16));
    assert_eq!(quarantine(&["clear", gone]).code, Some(0));
    assert_eq!(quarantine(&["clear", gone]).code, Some(1), "it is gone already");
    assert_eq!(quarantine(&["clear", &unknown]).code, Some(1));
    assert_eq!(quarantine(&["clear", "soon"]).code, Some(2));
    assert_eq!(quarantine(&["clear"]).code, Some(2), "which?");
    assert_eq!(quarantine(&["clear", "--all"]).code, Some(0));
    assert_eq!(quarantine(&["list"]).stdout.lines().count(), 1);
}

#[test]
fn calls_that_cannot_be_made_are_explained() {
    let listed = run(&["call"]);
    assert!(listed.stdout.contains("ledger.transfer "), "{listed:?}");
    for (arguments, code, part) in [
        (&["call", "ledger.transfr"][..], 2, "ledger.transfr"),
        (&["call", "ledger.account"], 2, "id="),
        (&["call", "ledger.account", "name=x"], 2, "name"),
        (&["call", "ledger.account", "id=a", "--server", "https://127.0.0.1"], 2, "http://"),
        (&["call", "ledger.account", "id=a", "--server", "http://127.0.0.1:1"], 5, "refused"),
        (&["log", "inspect", "--data", "/nonexistent"], 3, "/nonexistent"),
        (&["audit"], 2, "--data"),
        (&["nonsense"], 2, "nonsense"),
    ] {
        let finished = run(arguments);
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(finished.stderr.contains(part), "{part}: {finished:?}");
    }
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let second = run(&["serve", "--data", &data.text(), "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(3), "{second:?}");
    let told = format!("{} is in use by process {}", data.text(), server.id());
    assert!(second.stderr.contains(&told), "{second:?}");
    let taken = format!("{}", server.address);
    let other = Data::new();
    let third = run(&["serve", "--data", &other.text(), "--listen", &taken]);
    assert_eq!(third.code, Some(3), "{third:?}");
    assert!(third.stderr.contains(&taken), "{third:?}");
}

#[test]
fn the_description_is_that_of_a_server() {
    let data = Data::new();
    let server = Server::start(&data.path());
    let printed = run(&["openapi"]);
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(printed, server.client().get("/openapi.json").json());
    assert!(printed["paths"]["/v1/ledger/transfers"]["post"].is_object());
}
