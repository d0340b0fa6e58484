//! `holdfast dev`: a server to try things out.
//!
//! Without `--data` everything is in a temporary directory and gone at the end.
//! Sample accounts and transfers are made through the same path as any request,
//! under idempotency keys, so that a second run on the same data changes nothing.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use holdfast_engine::{Asked, Decision, Fingerprint};
use holdfast_http::Server;
use holdfast_node::{Ask, Node, Storage};
use holdfast_state::{Namespace, command::Input};
use rustix::process::Signal;

use crate::{
    config::Config,
    exit::{self, Exit, Failure},
    logging::{self, LogFormat},
    serve,
};

/// Arguments of `dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArguments {
    /// Keep the data in this directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Die as by kill -9 after so many transactions more, to see what is left.
    #[arg(long, value_name = "COUNT", requires = "data")]
    crash_after: Option<u64>,
    /// Address to listen on, loopback; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7411")]
    listen: SocketAddr,
    /// What is logged.
    #[arg(long, env = "HOLDFAST_LOG", value_name = "LEVEL", default_value = "warn")]
    log: String,
}

/// Idempotency key, command and spec of what a trial begins with.
const SAMPLES: &[(&str, &str, &str)] = &[
    ("dev-world", "ledger.open_account", r#"{"id":"world","asset":"EUR"}"#),
    (
        "dev-alice",
        "ledger.open_account",
        r#"{"id":"alice","asset":"EUR","limit":"debits_not_above_credits"}"#,
    ),
    (
        "dev-bob",
        "ledger.open_account",
        r#"{"id":"bob","asset":"EUR","limit":"debits_not_above_credits"}"#,
    ),
    (
        "dev-pay-in",
        "ledger.transfer",
        r#"{"id":"pay-in-1","debit_account":"world","credit_account":"alice","amount":10000}"#,
    ),
    (
        "dev-lunch",
        "ledger.transfer",
        r#"{"id":"lunch-1","debit_account":"alice","credit_account":"bob","amount":1250}"#,
    ),
];

/// Runs a server to try things out.
pub(crate) fn run(arguments: &DevArguments) -> Result<Exit, Failure> {
    logging::start(&arguments.log, LogFormat::Text)?;
    serve::raise_descriptor_limit();
    let cannot = |error: std::io::Error| Failure::new(Exit::CannotStart, error);
    let temporary = tempfile::Builder::new().prefix("holdfast-dev-").tempdir().map_err(cannot)?;
    let data = arguments.data.clone().unwrap_or_else(|| temporary.path().join("data"));
    let config = Config { listen: arguments.listen, ..Config::default() };
    let runtime = serve::runtime()?;
    let node = serve::open(config.node(Storage::Directory(data.clone())))?;
    runtime.block_on(serve::serve(&node, config.http(), async |server: &Server| {
        make_samples(&node).await?;
        let kept = if arguments.data.is_some() { "kept" } else { "removed at the end" };
        eprintln!(
            "Holdfast runs on http://{} with data in {} ({kept}).",
            server.address(),
            data.display()
        );
        if let Some(count) = arguments.crash_after {
            tokio::spawn(crash_after(Arc::clone(&node), count));
            eprintln!("It kills itself after {count} transactions more; start it again with the same --data.");
        }
        exit::print(&instructions(server.address()))?;
        exit::print(&format!("listening on http://{}", server.address()))
    }))
}

/// Ends the process between any two instructions, as the machine's end would: nothing
/// is finished, flushed or sealed.
async fn crash_after(node: Arc<Node>, count: u64) {
    let feed = Arc::clone(node.partition().feed());
    let last = feed.reached().get().saturating_add(count);
    let mut applied = feed.applied();
    if applied.wait_for(|version| version.get() >= last).await.is_ok() {
        eprintln!("killed, as asked, at version {last}");
        let killed = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
        unreachable!("a process that killed itself goes on: {killed:?}");
    }
}

async fn make_samples(node: &Node) -> Result<(), Failure> {
    for (key, command, body) in SAMPLES {
        make(node, key, command, body).await.map_err(|error| {
            Failure::new(Exit::CannotStart, error.context(format!("sample {key}")))
        })?;
    }
    Ok(())
}

async fn make(node: &Node, key: &str, command: &str, body: &str) -> anyhow::Result<()> {
    let entry = node.registry().command(command);
    let entry = entry.ok_or_else(|| anyhow::anyhow!("there is no command {command}"))?;
    let call = entry.parse(Input { body: body.as_bytes(), fields: &[], commands: &[] })?;
    let ask = Ask {
        namespace: Namespace::DEFAULT,
        // The key names one sample for ever; nothing else is to be told apart.
        asked: Some(Asked { fingerprint: Fingerprint([0; 16]), key: Some(key.into()) }),
        timeout: Duration::from_secs(10),
        after: None,
        consistency: holdfast_node::Consistency::Linearizable,
    };
    let reply = node.execute(ask, entry.kind, call, holdfast_http::problem::stored).await?;
    anyhow::ensure!(reply.decision == Decision::Done, "refused");
    Ok(())
}

fn instructions(address: SocketAddr) -> String {
    format!(
        "\
There are accounts world, alice and bob; alice has 87.50 EUR. Try in another terminal:

  curl -s http://{address}/v1/ledger/accounts/alice

  curl -s http://{address}/v1/ledger/transfers -H 'content-type: application/json' -H 'idempotency-key: coffee-1' -d '{{\"id\":\"coffee-1\",\"debit_account\":\"alice\",\"credit_account\":\"bob\",\"amount\":320}}'

  curl -sN -m 5 -H 'accept: text/event-stream' 'http://{address}/v1/changes?table=ledger.transfers'

Send the second one again: same answer, marked Idempotency-Replayed, and the money moved once.
Ask for more than alice has, and read the problem's page under its \"type\".
Every command: http://{address}/openapi.json, or `holdfast call`. Stop with Ctrl-C."
    )
}
