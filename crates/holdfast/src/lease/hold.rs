//! `holdfast lease hold NAME -- PROGRAM …`: a program that runs while a lease is held.
//!
//! It waits for its turn, runs the program with the token in its environment, and keeps the lease.
//! When the lease is lost the program gets SIGTERM and, if it goes on, SIGKILL, it and all it
//! started: it has a process group of its own. Signals that come here are passed on. Whatever
//! happens, the lease is given back, and the exit code is the program's.
//!
//! That the program is ended in time is a help and no proof; whatever it changes must be guarded
//! with the token.

use std::{ffi::OsString, time::Duration};

use clap::Args;
use holdfast_client::{
    Client, Lease, LeaseRequest,
    lease::{fresh_owner, relinquish},
};
use tokio::process::Command;

use crate::{
    connect::{ServerArguments, runtime},
    exit::{Exit, Failure},
    program::{CANNOT_RUN, Running, Signals, code, code_of},
};

/// Waiting for ever: the longest that servers take.
const FOR_EVER: Duration = Duration::from_secs(3_600 * 24 * 3_650);

/// How long is waited for a lease to be given back when the program is over.
const RELEASE_WITHIN: Duration = Duration::from_secs(5);

/// Arguments of `lease hold`.
#[derive(Debug, Args)]
pub(crate) struct HoldArguments {
    /// The lease.
    name: String,
    /// How long a grant counts unless it is renewed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    ttl: u64,
    /// How long to wait for it, in seconds: for ever unless this is given, 0 for not at all.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// How long the program has to end after SIGTERM, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
    /// Who holds it: a name that no other contender has. Made up unless it is given.
    #[arg(long)]
    owner: Option<String>,
    #[command(flatten)]
    server: ServerArguments,
    /// The program and its arguments. It finds `HOLDFAST_LEASE`, `HOLDFAST_LEASE_OWNER`,
    /// `HOLDFAST_LEASE_TOKEN` and `HOLDFAST_SERVER` in its environment.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

pub(super) fn run(arguments: HoldArguments) -> Result<Exit, Failure> {
    let client = arguments.server.client()?;
    runtime()?.block_on(hold(&client, arguments))
}

async fn hold(client: &Client, arguments: HoldArguments) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let wait_for = arguments.wait.map_or(FOR_EVER, Duration::from_secs);
    let owner = arguments.owner.clone().unwrap_or_else(fresh_owner);
    let request = LeaseRequest {
        owner: Some(owner.clone()),
        wait_for: Some(wait_for).filter(|wait| !wait.is_zero()),
        ..LeaseRequest::new(&arguments.name, Duration::from_secs(arguments.ttl))
    };
    let lease = tokio::select! {
        lease = client.hold(&request) => lease?,
        signal = signals.next() => {
            // Who is gone is not to be granted it.
            let given_up = relinquish(client, &arguments.name, &owner);
            drop(tokio::time::timeout(RELEASE_WITHIN, given_up).await);
            return Ok(Exit::Of(code_of(signal)));
        }
    };
    let exit = match spawn(&lease, &arguments) {
        Ok(program) => {
            under(&lease, program, &mut signals, Duration::from_secs(arguments.grace)).await
        }
        Err(error) => {
            let program = arguments.program[0].to_string_lossy().into_owned();
            eprintln!("holdfast: cannot run {program}: {error}");
            Ok(Exit::Of(CANNOT_RUN))
        }
    };
    give_back(lease).await;
    exit
}

fn spawn(lease: &Lease, arguments: &HoldArguments) -> std::io::Result<Running> {
    let mut command = Command::new(&arguments.program[0]);
    command
        .args(&arguments.program[1..])
        .env("HOLDFAST_LEASE", lease.id())
        .env("HOLDFAST_LEASE_OWNER", lease.owner())
        .env("HOLDFAST_LEASE_TOKEN", lease.token().to_string())
        .env("HOLDFAST_SERVER", &arguments.server.server);
    Running::start(&mut command)
}

/// Waits for the program's end, and brings it about when the lease is lost.
async fn under(
    lease: &Lease,
    mut program: Running,
    signals: &mut Signals,
    grace: Duration,
) -> Result<Exit, Failure> {
    let lost = lease.lost();
    tokio::pin!(lost);
    let ended = loop {
        tokio::select! {
            status = program.child.wait() => break status,
            loss = &mut lost => {
                eprintln!("holdfast: the lease {} is lost: {loss}", lease.id());
                break program.end(grace).await;
            }
            signal = signals.next() => program.signal(signal),
        }
    };
    let status = ended.map_err(|error| Failure::new(Exit::NoAnswer, error))?;
    Ok(Exit::Of(code(status)))
}

async fn give_back(lease: Lease) {
    let held = lease.is_held();
    let released = tokio::time::timeout(RELEASE_WITHIN, lease.release()).await;
    match released {
        Ok(Err(error)) if held => eprintln!("holdfast: the lease ends with its ttl: {error}"),
        Err(_) => eprintln!("holdfast: the lease ends with its ttl: no answer in time"),
        Ok(_) => {}
    }
}
