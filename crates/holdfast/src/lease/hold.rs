//! `holdfast lease hold NAME -- PROGRAM …`: a program that runs while a lease is held.
//!
//! It waits for its turn, runs the program with the token in its environment, and keeps the lease.
//! When the lease is lost the program gets SIGTERM and, if it goes on, SIGKILL, it and all it
//! started: it has a process group of its own. Signals that come here are passed on. Whatever
//! happens, the lease is given back, and the exit code is the program's.
//!
//! That the program is ended in time is a help and no proof; whatever it changes must be guarded
//! with the token.

use std::{
    ffi::OsString, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration,
};

use clap::Args;
use holdfast_client::{
    Client, Lease, LeaseRequest,
    lease::{fresh_owner, relinquish},
};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use crate::{
    connect::{ServerArguments, runtime},
    exit::{Exit, Failure},
};

/// Waiting for ever: the longest that servers take.
const FOR_EVER: Duration = Duration::from_secs(3_600 * 24 * 3_650);

/// How long is waited for a lease to be given back when the program is over.
const RELEASE_WITHIN: Duration = Duration::from_secs(5);

/// What shells say when a program cannot be run.
const CANNOT_RUN: u8 = 127;

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

/// A signal to be passed on.
struct Signals([(tokio::signal::unix::Signal, Signal); 3]);

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
        Ok(child) => under(&lease, child, &mut signals, Duration::from_secs(arguments.grace)).await,
        Err(error) => {
            let program = arguments.program[0].to_string_lossy().into_owned();
            eprintln!("holdfast: cannot run {program}: {error}");
            Ok(Exit::Of(CANNOT_RUN))
        }
    };
    give_back(lease).await;
    exit
}

fn spawn(lease: &Lease, arguments: &HoldArguments) -> std::io::Result<Child> {
    Command::new(&arguments.program[0])
        .args(&arguments.program[1..])
        .env("HOLDFAST_LEASE", lease.id())
        .env("HOLDFAST_LEASE_OWNER", lease.owner())
        .env("HOLDFAST_LEASE_TOKEN", lease.token().to_string())
        .env("HOLDFAST_SERVER", &arguments.server.server)
        .process_group(0)
        .spawn()
}

/// Waits for the program's end, and brings it about when the lease is lost.
async fn under(
    lease: &Lease,
    mut child: Child,
    signals: &mut Signals,
    grace: Duration,
) -> Result<Exit, Failure> {
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let group = group.expect("it was not waited for yet");
    let lost = lease.lost();
    tokio::pin!(lost);
    loop {
        tokio::select! {
            status = child.wait() => return ended(status),
            loss = &mut lost => {
                eprintln!("holdfast: the lease {} is lost: {loss}", lease.id());
                break;
            }
            signal = signals.next() => pass_on(group, signal),
        }
    }
    pass_on(group, Signal::TERM);
    let over = tokio::time::timeout(grace, child.wait()).await;
    // What it left running in its group has no lease either.
    pass_on(group, Signal::KILL);
    match over {
        Ok(status) => ended(status),
        Err(_) => {
            eprintln!("holdfast: it did not end within {grace:?}, and was killed");
            ended(child.wait().await)
        }
    }
}

fn pass_on(group: Pid, signal: Signal) {
    // A group that is gone needs none.
    kill_process_group(group, signal).ok();
}

fn ended(status: std::io::Result<ExitStatus>) -> Result<Exit, Failure> {
    let status = status.map_err(|error| Failure::new(Exit::NoAnswer, error))?;
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, signal) => 128 + signal.unwrap_or(0),
    };
    Ok(Exit::Of(u8::try_from(code).unwrap_or(u8::MAX)))
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

impl Signals {
    fn new() -> Result<Self, Failure> {
        let of = |kind, signal_out| {
            let stream = signal(kind).map_err(|error| Failure::new(Exit::CannotStart, error))?;
            Ok::<_, Failure>((stream, signal_out))
        };
        Ok(Self([
            of(SignalKind::interrupt(), Signal::INT)?,
            of(SignalKind::terminate(), Signal::TERM)?,
            of(SignalKind::hangup(), Signal::HUP)?,
        ]))
    }

    /// The next signal that comes.
    async fn next(&mut self) -> Signal {
        let [(one, a), (other, b), (third, c)] = &mut self.0;
        tokio::select! {
            _ = one.recv() => *a,
            _ = other.recv() => *b,
            _ = third.recv() => *c,
        }
    }
}

/// As shells tell of a program that a signal ended.
fn code_of(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX)
}
