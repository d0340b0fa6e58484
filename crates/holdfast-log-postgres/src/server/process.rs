//! A running server's processes: the one we started, and those that it started.
//!
//! What it says is read until it is ready, and on for as long as it runs: a server whose stderr
//! nobody reads stops when the pipe is full. Signals go out through the shell's `kill`.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use super::ServerError;

/// A server that does not take connections by then does not come up.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How many of the last lines are kept, to be told if it does not.
const LINES_KEPT: usize = 20;

#[derive(Debug)]
pub(super) struct Running {
    child: Child,
}

impl Running {
    /// Starts a server, and returns when it takes connections.
    pub(super) fn start(mut command: Command) -> Result<Self, ServerError> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(ServerError::io("starting postgres"))?;
        let stderr = child.stderr.take().expect("it was piped");
        let running = Self { child };
        let (ready, is_ready) = mpsc::channel();
        thread::Builder::new()
            .name("postgres-stderr".to_owned())
            .spawn(move || follow(stderr, &ready))
            .map_err(ServerError::io("starting a thread"))?;
        let failed = |said| ServerError::Failed { program: "postgres".to_owned(), said };
        match is_ready.recv_timeout(READY_WITHIN) {
            Ok(Ok(())) => Ok(running),
            Ok(Err(said)) => Err(failed(said)),
            Err(_) => Err(failed(format!("not ready within {READY_WITHIN:?}"))),
        }
    }

    /// Signals the server.
    pub(super) fn signal(&self, signal: &str) -> Result<(), ServerError> {
        send(signal, &[self.child.id()])
    }

    /// Signals the server and all processes that it started.
    pub(super) fn signal_all(&self, signal: &str) -> Result<(), ServerError> {
        send(signal, &family(self.child.id()))
    }

    /// Ends all of them at once.
    pub(super) fn kill(mut self) -> Result<(), ServerError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), ServerError> {
        // Halted first, the server starts no other process while they are counted.
        send("STOP", &[self.child.id()])?;
        send("KILL", &family(self.child.id()))?;
        self.child.wait().map(drop).map_err(ServerError::io("waiting for postgres"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = self.child.try_wait().is_ok_and(|status| status.is_some());
        if !ended {
            // A destructor has nobody to tell; what is left ends when its parent is gone.
            drop(self.end());
        }
    }
}

/// Tells when the server is ready, or what it said last if it ended before.
fn follow(stderr: ChildStderr, ready: &Sender<Result<(), String>>) {
    let mut last = VecDeque::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.contains("ready to accept") && ready.send(Ok(())).is_err() {
            // Told already, and nobody listens any longer: read on, so that it can write on.
            continue;
        }
        if last.len() == LINES_KEPT {
            last.pop_front();
        }
        last.push_back(line);
    }
    // Nobody listens if it was ready once.
    drop(ready.send(Err(Vec::from(last).join("\n"))));
}

/// A process and those that it started, itself first.
fn family(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    let children = numbers.filter(|number: &u32| parent_of(*number) == Some(parent));
    std::iter::once(parent).chain(children).collect()
}

fn parent_of(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the state and the parent follow it.
    status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn send(signal: &str, processes: &[u32]) -> Result<(), ServerError> {
    let numbers = processes.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    // One that has ended meanwhile is as good as signalled.
    let script = format!("kill -{signal} {numbers} 2>/dev/null || true");
    let status = Command::new("/bin/sh").args(["-c", &script]).status();
    status.map(drop).map_err(ServerError::io(format!("kill -{signal}")))
}
