//! A follower on a real PostgreSQL: how fresh it is, and how it knows.

use std::{fs, path::Path, time::Instant};

use holdfast_log_postgres::server::{Binaries, Server as Postgres};
use serde_json::json;

use crate::process::{Server, holdfast};

/// Nothing that is waited for here takes longer.
const SECONDS: u64 = 60;

fn start(dir: &Path, servers: &str, name: &str, settings: &str) -> Server {
    let place = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (data, snapshots, config) =
        (place(name), place("snapshots"), place(&format!("{name}.toml")));
    let text = format!("[postgres]\nservers = {servers:?}\nsnapshots = {snapshots:?}\n{settings}");
    fs::write(&config, text).unwrap();
    let mut command = holdfast(&["serve", "--log", "error", "--node", name, "--data", &data]);
    command.args(["--listen", "127.0.0.1:0", "--config", &config]);
    Server::spawn(&mut command)
}

/// Asks for the account, as old as it may be, until the answer has this status.
fn until(server: &Server, level: &str, status: u16) -> Vec<u8> {
    let begun = Instant::now();
    loop {
        let fields = [("holdfast-consistency", level)];
        let response = server.client().request("GET", "/v1/ledger/accounts/a", &fields, "");
        if response.status == status {
            return response.body;
        }
        assert!(begun.elapsed().as_secs() < SECONDS, "{level}: {}", response.status);
    }
}

#[test]
fn p14_a_follower_on_postgres_serves_what_is_as_fresh_as_is_asked_and_no_longer_can_when_it_cannot_look()
 {
    let Some(binaries) = Binaries::find() else {
        return println!("NOT RUN: PostgreSQL is not installed");
    };
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::create(&binaries, dir.path(), "n0", &[]).unwrap();
    fs::create_dir(dir.path().join("snapshots")).unwrap();
    let servers = postgres.connection();
    let mut leader = start(dir.path(), &servers, "leader", "lease_ms = 500\n");
    let spec = json!({ "id": "a", "asset": "EUR" }).to_string();
    let fields = [("idempotency-key", "open-a")];
    let begun = Instant::now();
    while leader.client().request("POST", "/v1/ledger/accounts", &fields, &spec).status != 200 {
        assert!(begun.elapsed().as_secs() < SECONDS, "it comes to lead");
    }
    let follower = start(dir.path(), &servers, "follower", "lease_ms = 500\nmay_lead = false\n");
    until(&follower, "stale=5", 200);
    // Nobody is there who could answer in its stead.
    leader.kill();
    until(&follower, "stale=5", 200);
    let info = follower.client().get("/v1/info").json();
    let behind_ms = info["partitions"][0]["behind_ms"].as_u64().unwrap();
    assert!(behind_ms <= 5_000 + SECONDS * 1_000, "{info}");
    postgres.pause().unwrap();
    let refused = until(&follower, "stale=1", 503);
    assert!(String::from_utf8(refused).unwrap().contains("not_leader"));
    until(&follower, "stale", 200);
    postgres.resume().unwrap();
    until(&follower, "stale=1", 200);
}
