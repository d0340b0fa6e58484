//! Three server processes on one PostgreSQL: any of them is asked, whoever leads is killed, and
//! nothing that was acknowledged is lost or done twice.

use std::{fs, path::Path, time::Duration};

use holdfast_lab::cluster::port;
use holdfast_log_postgres::server::{Binaries, Server as Postgres};
use serde_json::{Value, json};

use crate::{
    client::Response,
    process::{Server, finish, holdfast},
};

/// Writes before each death.
const WRITES: usize = 60;

/// Leases so short that the test need not wait long for a successor; the rest is on the command line.
const SETTINGS: &str = "[postgres]\nservers = \"unused\"\nsnapshots = \"unused\"\nlease_ms = 500\n";

struct Nodes<'a> {
    dir: &'a Path,
    servers: String,
    ports: [u16; 3],
    running: [Option<Server>; 3],
}

impl Nodes<'_> {
    fn start(&mut self, node: usize) {
        let (name, port) = (format!("node-{node}"), self.ports[node]);
        let listen = format!("127.0.0.1:{port}");
        let place = |name: &str| self.dir.join(name).to_str().unwrap().to_owned();
        let (data, snapshots, config) = (place(&name), place("snapshots"), place("nodes.toml"));
        let mut command = holdfast(&["serve", "--log", "error", "--node", &name, "--data", &data]);
        command.args(["--listen", &listen, "--config", &config]);
        command.args(["--postgres", &self.servers, "--snapshots", &snapshots]);
        self.running[node] = Some(Server::spawn(&mut command));
    }

    fn partition(&self, node: usize) -> Value {
        let server = self.running[node].as_ref().unwrap();
        server.client().get("/v1/info").json()["partitions"][0].clone()
    }

    /// What `cluster status` says of all of them, and the code that it ends with.
    fn status(&self) -> (Option<i32>, Value) {
        let mut command = holdfast(&["cluster", "status", "--json"]);
        command.args(self.ports.map(|port| format!("127.0.0.1:{port}")));
        let finished = finish(&mut command);
        (finished.code, serde_json::from_str(&finished.stdout).unwrap())
    }

    /// What it says when all are well: one leads, and the others have come to follow it.
    fn come_to_be_well(&self) -> Value {
        for _ in 0..500 {
            let (code, told) = self.status();
            assert_eq!(code == Some(0), told["healthy"] == true, "{told}");
            if code == Some(0) {
                return told;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{:?}", self.status());
    }

    fn leader(&self) -> Option<usize> {
        (0..3).find(|node| {
            self.running[*node].is_some() && self.partition(*node)["phase"] == "leading"
        })
    }

    /// Asks one node until it is done, whatever happens meanwhile.
    fn insist(&self, node: usize, path: &str, key: &str, body: &Value) -> Response {
        for _ in 0..2_000 {
            let server = self.running[node].as_ref().unwrap();
            let mut client = server.client();
            let response =
                client.request("POST", path, &[("idempotency-key", key)], &body.to_string());
            if response.status == 200 {
                return response;
            }
            assert_eq!(response.status, 503, "{}", String::from_utf8_lossy(&response.body));
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nobody came to lead");
    }
}

#[test]
fn p9_nodes_on_postgres_lose_nothing_when_leaders_die() {
    let Some(binaries) = Binaries::find() else {
        return println!("NOT RUN: PostgreSQL is not installed");
    };
    let dir = tempfile::tempdir().unwrap();
    let postgres = Postgres::create(&binaries, dir.path(), "n0", &[]).unwrap();
    // They are free again while a node is dead.
    let addresses = port::addresses(3).unwrap();
    let ports = [0, 1, 2].map(|node: usize| addresses[node].port());
    let servers = postgres.connection();
    fs::write(dir.path().join("nodes.toml"), SETTINGS).unwrap();
    let mut nodes = Nodes { dir: dir.path(), servers, ports, running: [None, None, None] };
    (0..3).for_each(|node| nodes.start(node));
    for account in ["a", "b"] {
        let spec = json!({ "id": account, "asset": "EUR" });
        nodes.insist(0, "/v1/ledger/accounts", &format!("open-{account}"), &spec);
    }
    let told = nodes.come_to_be_well();
    assert_eq!(told["nodes"].as_array().map(Vec::len), Some(3));
    let info = &told["nodes"][0]["info"];
    assert_eq!((&info["log"]["role"], &info["log"]["timeline"]), (&json!("primary"), &json!("1")));
    let mut answered = Vec::new();
    for death in 0..2 {
        let leader = nodes.leader().expect("a write was just done");
        let asked = (leader + 1) % 3;
        for write in 0..WRITES {
            if write == WRITES / 2 {
                nodes.running[leader].take().unwrap().kill();
                let (code, told) = nodes.status();
                let silent = format!("http://127.0.0.1:{} does not answer", nodes.ports[leader]);
                assert!(told["problems"].as_array().unwrap().contains(&json!(silent)), "{told}");
                assert_eq!(code, Some(1), "{told}");
            }
            let spec = json!({ "debit_account": "a", "credit_account": "b", "amount": 1 });
            let key = format!("pay-{death}-{write}");
            let done = nodes.insist(asked, "/v1/ledger/transfers", &key, &spec);
            answered.push((key, spec, done));
        }
        assert_ne!(nodes.leader(), None);
        nodes.start(leader);
    }
    for (key, spec, done) in &answered {
        let again = nodes.insist(2, "/v1/ledger/transfers", key, spec);
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{key}");
        assert_eq!(
            (&again.body, again.header("holdfast-at")),
            (&done.body, done.header("holdfast-at"))
        );
    }
    for node in 0..3 {
        let server = nodes.running[node].as_ref().unwrap();
        let account = server.client().get("/v1/ledger/accounts/b").json();
        assert_eq!(account["balance"], answered.len(), "asked of node {node}");
    }
}
