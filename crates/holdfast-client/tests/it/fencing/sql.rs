//! Two workers are processes of their own; one is stopped (SIGSTOP) between resolving and acting,
//! for longer than its lease, and goes on (SIGCONT) when another has done the work. A real
//! PostgreSQL refuses it; without the token it charges a second time.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use holdfast_log_postgres::server::{Binaries, Server};

use crate::node::Running;

#[path = "../../../examples/fencing_sql.rs"]
#[expect(dead_code, unreachable_pub, reason = "its `main` is not called here")]
mod fencing_sql;

const TABLES: &str = "\
CREATE TABLE fences   (lease text PRIMARY KEY, token bigint NOT NULL);
CREATE TABLE invoices (id int PRIMARY KEY, amount int NOT NULL, charged bool NOT NULL);
CREATE TABLE balances (guest text PRIMARY KEY, cents bigint NOT NULL);
INSERT INTO fences VALUES ('billing', 0);
INSERT INTO invoices VALUES (17, 2500, false);
INSERT INTO balances VALUES ('guest-42', 10000);";

const AGAIN: &str = "UPDATE fences SET token = 0; UPDATE invoices SET charged = false;
UPDATE balances SET cents = 10000;";

/// What a worker process is told by its environment.
const WORKER: &str = "FENCING_WORKER";

/// The worker, in a process of its own: this very binary, told to run nothing else.
#[tokio::test]
#[ignore = "the other test runs it in processes of its own"]
async fn worker() {
    let told = std::env::var(WORKER).expect("the other test runs this one");
    let [holdfast, postgres, mode] = told.split('|').collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    let mut steps = std::io::stdin().lock();
    fencing_sql::work(holdfast, postgres, mode == "fenced", &mut steps).await.unwrap();
}

struct Worker {
    process: Child,
    steps: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Worker {
    fn start(holdfast: SocketAddr, postgres: &str, mode: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fencing::sql::worker", "--ignored", "--nocapture"])
            .env(WORKER, format!("http://{holdfast}|{postgres}|{mode}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let steps = process.stdin.take().unwrap();
        let told = BufReader::new(process.stdout.take().unwrap());
        Self { process, steps, told }
    }

    /// Reads what it tells until one of these is said; which it was.
    fn says<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.told.read_line(&mut line).unwrap(), 0, "it ended, and said {all}");
            // What the test harness prints may stand before it.
            if let Some(word) = words.iter().find(|word| line.trim_end().ends_with(**word)) {
                return word;
            }
            all.push_str(&line);
        }
    }

    fn goes_on(&mut self) {
        self.steps.write_all(b"go\n").unwrap();
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A process that is stopped dies of this too.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// One worker is stopped until another has charged; what becomes of the first.
fn overtaken(holdfast: SocketAddr, postgres: &str, mode: &str) -> &'static str {
    let mut first = Worker::start(holdfast, postgres, mode);
    first.says(&["resolved"]);
    first.signal("STOP");
    // It is granted the lease when the first one's time is over.
    let mut second = Worker::start(holdfast, postgres, mode);
    second.says(&["resolved"]);
    second.goes_on();
    assert_eq!(second.says(&["charged", "refused"]), "charged");
    first.goes_on();
    first.signal("CONT");
    first.says(&["charged", "refused"])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_stopped_beyond_its_lease_is_refused_by_postgresql() {
    let Some(binaries) = Binaries::find() else {
        println!("NOT RUN: PostgreSQL is not installed");
        return;
    };
    let holdfast = Running::start().await;
    let address = holdfast.address;
    let tried = tokio::task::spawn_blocking(move || {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::create(&binaries, dir.path(), "n0", &[]).unwrap();
        server.sql(TABLES).unwrap();
        let port = server.port();
        let postgres = format!("host=127.0.0.1 port={port} user=holdfast dbname=postgres");
        let balance = || server.sql("SELECT cents FROM balances").unwrap();
        let fenced = (overtaken(address, &postgres, "fenced"), balance());
        server.sql(AGAIN).unwrap();
        (fenced, (overtaken(address, &postgres, "bare"), balance()))
    });
    let (fenced, control) = tried.await.unwrap();
    assert_eq!(fenced, ("refused", "7500".to_owned()));
    // The control: by its lease alone it charges once more.
    assert_eq!(control, ("charged", "5000".to_owned()));
    holdfast.stop().await;
}
