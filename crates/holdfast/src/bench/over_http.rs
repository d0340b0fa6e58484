//! Transfers over HTTP against a server process of its own.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{
    BenchArgs,
    ground::Ground,
    http_load::{self, Stop},
    in_process::mix,
    measure::resident_bytes_of,
    trial::Trial,
};

/// Accounts of the HTTP run.
pub(super) const ACCOUNTS: u64 = 10_000;

/// A server process on fresh data; killed when it goes out of scope.
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts one whose log is where the bench has it.
    pub(super) fn start(ground: &Ground) -> anyhow::Result<Self> {
        // Free now, and nobody else on this machine is likely to take it at once.
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let process = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(ground.dir().join("data"))
            .args(["--log", "warn"])
            .args(ground.serve_args()?)
            .stdout(Stdio::null())
            .spawn()
            .context("starting the server")?;
        Ok(Self { process, address })
    }

    /// Its resident memory in bytes, now and at its highest.
    pub(super) fn resident_bytes(&self) -> (u64, u64) {
        resident_bytes_of(&self.process.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let trial = Trial::begin(args)?;
    trial.make(ACCOUNTS, open_account)?;
    trial.measure("over HTTP, uniform", transfer)
}

pub(super) async fn until_it_answers(address: SocketAddr) -> anyhow::Result<()> {
    let patience = Instant::now() + Duration::from_secs(30);
    while Instant::now() < patience {
        if let Ok(load) = http_load::run(address, 1, Stop::After(1), ready).await
            && load.others == 0
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the server was not ready within 30 s")
}

pub(super) fn ready(_: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

pub(super) fn open_account(n: u64, out: &mut Vec<u8>) {
    let body = format!(r#"{{"id":"account-{n:06}","asset":"EUR"}}"#);
    post(out, "/v1/ledger/accounts", &format!("open-{n}"), &body);
}

/// About 300 bytes of body, a key of 36.
pub(super) fn transfer(n: u64, out: &mut Vec<u8>) {
    let mixed = mix(n);
    let from = mixed % ACCOUNTS;
    let to = (from + 1 + (mixed >> 32) % (ACCOUNTS - 1)) % ACCOUNTS;
    let body = format!(
        concat!(
            r#"{{"id":"t-{:016x}","debit_account":"account-{:06}","credit_account":"account-{:06}","#,
            r#""amount":100,"asset":"EUR","metadata":{{"order":"order-{:012}","channel":"web","#,
            r#""note":"two nights in a double room with a view of the river, breakfast included, paid by card"}}}}"#
        ),
        mixed, from, to, n
    );
    let key = format!("{:08x}-0000-4000-8000-{n:012x}", mixed >> 32);
    post(out, "/v1/ledger/transfers", &key, &body);
}

pub(super) fn post(out: &mut Vec<u8>, path: &str, key: &str, body: &str) {
    write!(
        out,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("writing to memory cannot fail");
}
