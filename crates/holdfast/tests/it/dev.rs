//! `holdfast dev`: what it prints works as it is printed.

use std::process::Command;

use serde_json::json;

use crate::{
    client::Client,
    process::{Server, holdfast},
};

/// A command line as a shell splits it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.trim().chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What a curl command asks.
struct Curl {
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn curl(line: &str) -> Curl {
    let mut words = words(line).into_iter();
    assert_eq!(words.next().as_deref(), Some("curl"));
    let mut curl = Curl { target: String::new(), headers: Vec::new(), body: String::new() };
    while let Some(word) = words.next() {
        match word.as_str() {
            "-s" | "-sN" => {}
            "-m" => drop(words.next().unwrap()),
            "-d" => curl.body = words.next().unwrap(),
            "-H" => {
                let field = words.next().unwrap();
                let (name, value) = field.split_once(": ").unwrap();
                curl.headers.push((name.to_owned(), value.to_owned()));
            }
            url => curl.target = url.strip_prefix("http://").unwrap().to_owned(),
        }
    }
    let path = curl.target.find('/').unwrap();
    curl.target.drain(..path);
    curl
}

fn dev() -> Command {
    holdfast(&["dev", "--listen", "127.0.0.1:0"])
}

#[test]
fn the_commands_it_prints_work() {
    let server = Server::spawn(&mut dev());
    let lines = server.announced.lines().map(str::trim);
    let curls: Vec<_> = lines.filter(|line| line.starts_with("curl ")).map(curl).collect();
    let [read, write, follow] = &curls[..] else { panic!("{}", server.announced) };
    let mut client: Client = server.client();
    assert_eq!(client.get(&read.target).json()["balance"], 8750);
    let headers: Vec<_> =
        write.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let done = client.request("POST", &write.target, &headers, &write.body);
    assert_eq!((done.status, done.header("idempotency-replayed")), (200, None), "{done:?}");
    let again = client.request("POST", &write.target, &headers, &write.body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, done.body);
    assert_eq!(client.get(&read.target).json()["balance"], 8750 - 320);
    let accepted = &follow.headers[0];
    assert_eq!((accepted.0.as_str(), accepted.1.as_str()), ("accept", "text/event-stream"));
    let changes = client.get(&follow.target).json();
    assert_eq!(changes["transactions"].as_array().map(Vec::len), Some(3), "{changes}");
    assert_eq!(server.terminate().0.code(), Some(0));
}

#[test]
fn on_kept_data_it_makes_its_samples_once() {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("data");
    for _ in 0..2 {
        let server = Server::spawn(dev().arg("--data").arg(&data));
        let info = server.client().get("/v1/info").json();
        assert_eq!(info["partitions"][0]["version"], json!(5));
        assert_eq!(server.terminate().0.code(), Some(0));
    }
}

#[test]
fn told_to_it_kills_itself_and_what_was_answered_is_there_afterwards() {
    let data = crate::process::Data::new();
    let arguments = ["dev", "--listen", "127.0.0.1:0", "--data", &data.text()];
    let crashing =
        Server::spawn(&mut holdfast(&[&arguments[..], &["--crash-after", "5"]].concat()));
    let mut client = Client::connect(crashing.address);
    let mut answered = 0;
    loop {
        let body = format!(
            "{{\"id\":\"t-{answered}\",\"debit_account\":\"world\",\"credit_account\":\"bob\",\"amount\":1}}"
        );
        let head = format!(
            "POST /v1/ledger/transfers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let sent = client.send([head.as_bytes(), body.as_bytes()].concat().as_slice());
        match sent.and_then(|()| client.response(false)) {
            Ok(response) => assert_eq!(response.status, 200, "{response:?}"),
            Err(_) => break,
        }
        answered += 1;
        assert!(answered < 10_000, "it lives on");
    }
    assert!(answered >= 4, "it died after {answered}");
    drop(crashing);
    let again = Server::spawn(&mut holdfast(&arguments));
    let mut client = Client::connect(again.address);
    for number in 0..answered {
        let found = client.get(&format!("/v1/ledger/transfers/t-{number}"));
        assert_eq!(found.status, 200, "t-{number}: {found:?}");
    }
}
