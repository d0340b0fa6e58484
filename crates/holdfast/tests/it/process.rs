//! Runs the binary.

use std::{
    io::{BufRead, BufReader, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;

/// The binary with these arguments, without any settings of whoever runs the tests.
pub(crate) fn holdfast(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDFAST_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary to its end.
pub(crate) fn run(arguments: &[&str]) -> Finished {
    finish(&mut holdfast(arguments))
}

pub(crate) fn finish(command: &mut Command) -> Finished {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A data directory in a temporary place.
pub(crate) struct Data {
    pub(crate) temporary: TempDir,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self { temporary: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.temporary.path().join("data")
    }

    pub(crate) fn text(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }
}

/// What a server prints before it says where it listens, and where that is;
/// `None` when it ends instead.
fn announcement(stdout: &mut impl BufRead) -> Option<(String, SocketAddr)> {
    let mut announced = String::new();
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some(address) = address_in(&line) {
            return Some((announced, address));
        }
        announced += &line;
    }
}

/// A server that runs. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    stderr: Option<ChildStderr>,
    /// What it printed before it said where it listens.
    pub(crate) announced: String,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        let data = data.to_str().unwrap();
        Self::spawn(&mut holdfast(&["serve", "--data", data, "--listen", "127.0.0.1:0"]))
    }

    /// Runs the command, which says where it listens.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let Some((announced, address)) = announcement(&mut stdout) else {
            let mut why = String::new();
            stderr.read_to_string(&mut why).unwrap();
            let status = child.wait().unwrap();
            panic!("the server ended with {status}: {why}");
        };
        Self { child, address, stderr: Some(stderr), announced }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as the machine's end would: at once, between any two instructions.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has; with what it logged.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        let id = Pid::from_child(&self.child);
        kill_process(id, Signal::TERM).unwrap();
        let mut stderr = String::new();
        self.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap(), stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("listening on http://")?.parse().ok()
}
