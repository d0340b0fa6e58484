//! One node: a `holdfast serve` process that is killed, halted and started again.
//!
//! It keeps its name, its address and its data from life to life. What it logs goes into a file
//! beside its data.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// A node's process, or the place of one.
#[derive(Debug)]
pub struct Node {
    name: String,
    address: SocketAddr,
    program: PathBuf,
    /// Its settings, in `NAME.toml`; its data is in `NAME`, its log in `NAME.log`.
    dir: PathBuf,
    process: Option<Child>,
}

impl Node {
    /// A node of this name, which is not started.
    #[must_use]
    pub fn new(name: String, address: SocketAddr, program: &Path, dir: &Path) -> Self {
        Self { name, address, program: program.to_owned(), dir: dir.to_owned(), process: None }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens when it runs.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its data is.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// Settings for its next life.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn configure(&self, settings: &str) -> anyhow::Result<()> {
        let file = self.file("toml");
        fs::write(&file, settings).with_context(|| format!("writing {}", file.display()))
    }

    /// Starts it, and returns when it listens.
    ///
    /// # Errors
    /// With what it logged last, if it ends instead.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = self.file("log");
        let append = || OpenOptions::new().create(true).append(true).open(&log);
        let stderr: File = append().with_context(|| format!("opening {}", log.display()))?;
        let mut child = Command::new(&self.program)
            .args(["serve", "--config"])
            .arg(self.file("toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("starting {}", self.program.display()))?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("its output is ours")?;
        BufReader::new(stdout).read_line(&mut line)?;
        if line.starts_with("listening on ") {
            self.process = Some(child);
            return Ok(());
        }
        let status = child.wait()?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        let last = said.lines().last().unwrap_or("nothing");
        bail!("{} ended with {status} and did not listen; it said: {last}", self.name)
    }

    /// Whether it was started, and not ended since.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Kills it as the machine's end would.
    ///
    /// # Errors
    /// When it does not run, or ended by itself before.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.process.take().with_context(|| format!("{} runs", self.name))?;
        if let Some(status) = child.try_wait()? {
            bail!(
                "{} ended by itself, with {status}; see {}",
                self.name,
                self.file("log").display()
            );
        }
        child.kill()?;
        child.wait().map(drop)?;
        Ok(())
    }

    /// Halts it where it is.
    ///
    /// # Errors
    /// When it does not run, or does not halt.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)?;
        // It is halted when all its threads are: soon, and not at once.
        for _ in 0..10_000 {
            if self.is_paused() {
                return Ok(());
            }
            std::thread::yield_now();
        }
        bail!("{} does not halt", self.name)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to stop, and waits until it has: it hands leadership over and answers what it has.
    ///
    /// # Errors
    /// When it does not stop cleanly.
    pub fn drain(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let mut child = self.process.take().context("it was signalled")?;
        let status = child.wait()?;
        ensure!(status.success(), "{} ended with {status} when asked to stop", self.name);
        Ok(())
    }

    fn is_paused(&self) -> bool {
        let Some(child) = &self.process else { return false };
        let status = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        // The name, in parentheses, may hold anything; the state follows it.
        status.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let child = self.process.as_ref().with_context(|| format!("{} runs", self.name))?;
        Ok(kill_process(Pid::from_child(child), signal)?)
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", self.name))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            // It may have ended by itself.
            drop(child.kill());
            drop(child.wait());
        }
    }
}
