//! A program that is run for something that may be lost: a lease, a message.
//!
//! It has a process group of its own, so that what it started gets what it gets: signals that came
//! here, and in the end SIGTERM and then SIGKILL.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};

use crate::exit::{Exit, Failure};

/// What shells say when a program cannot be run.
pub(crate) const CANNOT_RUN: u8 = 127;

/// One that runs, with what it started. Dropped, it is killed.
pub(crate) struct Running {
    pub(crate) child: Child,
    group: Pid,
}

impl Running {
    /// Runs it.
    pub(crate) fn start(command: &mut Command) -> std::io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group: group.expect("it was not waited for yet") })
    }

    /// Passes a signal on. A group that is gone needs none.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process_group(self.group, signal).ok();
    }

    /// Has it end: SIGTERM, and SIGKILL when it has not by then.
    pub(crate) async fn end(&mut self, grace: Duration) -> std::io::Result<ExitStatus> {
        self.signal(Signal::TERM);
        let over = tokio::time::timeout(grace, self.child.wait()).await;
        // What it left running in its group has no business any more either.
        self.signal(Signal::KILL);
        match over {
            Ok(status) => status,
            Err(_) => {
                eprintln!("holdfast: it did not end within {grace:?}, and was killed");
                self.child.wait().await
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that was waited for has no id, and its group may be another's by now.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

/// The exit code of one that has ended, as shells tell it.
pub(crate) fn code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, signal) => 128 + signal.unwrap_or(0),
    };
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// As shells tell of a program that a signal ended.
pub(crate) fn code_of(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX)
}

/// Signals that end programs, as they come here.
pub(crate) struct Signals([(tokio::signal::unix::Signal, Signal); 3]);

impl Signals {
    pub(crate) fn new() -> Result<Self, Failure> {
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
    pub(crate) async fn next(&mut self) -> Signal {
        let [(one, a), (other, b), (third, c)] = &mut self.0;
        tokio::select! {
            _ = one.recv() => *a,
            _ = other.recv() => *b,
            _ = third.recv() => *c,
        }
    }
}
