//! Runs an engine on a thread of its own, over a real log and real clocks.
//!
//! One loop: take what has come, let the engine work, do what it wants done.
//! Whatever takes long (the log, snapshots) answers through the inbox.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use holdfast_log::{
    Log, Position, Waited,
    provenance::{checked_append, checked_reads},
};

use crate::{
    applier::Applier,
    archive::Archive,
    aside::Aside,
    clocks::Clocks,
    engine::Engine,
    event::{Action, Event, Stopped},
    feed::Feed,
    inbox::Inbox,
    leader::Leader,
    partition::Status,
    snapshots::SnapshotKeeper,
};

/// How much one read of the log brings, in bytes.
const READ_BYTES: usize = 4 << 20;

/// How long an append rests that the log could not take for now.
const RETRY_US: u64 = 10_000;

/// The engine's hands.
pub(crate) struct Driver {
    pub(crate) engine: Engine,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) applier: Applier,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) status: Arc<Status>,
    pub(crate) snapshots: Option<SnapshotKeeper>,
    /// The snapshot that is being written.
    pub(crate) keeping: Option<Aside>,
    pub(crate) archive: Option<Archive>,
    /// Entries that are being archived.
    pub(crate) archiving: Option<Aside>,
    pub(crate) clocks: Clocks,
    /// Appends that rest, with the time at which they go out again.
    pub(crate) resting: VecDeque<(u64, Position, Bytes)>,
}

impl Driver {
    /// Runs until the engine has stopped, and says why. The log is closed then.
    pub(crate) fn run(mut self) -> Stopped {
        self.inbox.own();
        let mut events = VecDeque::new();
        let why = loop {
            if let Some(why) = self.act() {
                break why;
            }
            self.inbox.take(&mut events);
            self.engine.on_server(self.log.provenance());
            let now = self.clocks.now();
            let idle = events.is_empty();
            for event in events.drain(..) {
                if matches!(event, Event::Applied(..)) {
                    self.applier.told();
                }
                self.engine.handle(event, now);
            }
            self.engine.handle(Event::Tick, now);
            self.engine.work(self.clocks.now());
            self.retry_rested(now.monotonic_us);
            if idle && !self.engine.is_busy() && !self.engine.has_actions() {
                let longest = self.longest_sleep();
                self.inbox.sleep(longest);
            }
        };
        self.finish(&why);
        why
    }

    fn longest_sleep(&mut self) -> Duration {
        let us = self.engine.idle_us(self.clocks.now());
        let us = if self.resting.is_empty() { us } else { us.min(RETRY_US) };
        // A full state store does not tell when it has room again.
        Duration::from_micros(if self.engine.is_held_up() { us.min(500) } else { us })
    }

    /// Does all that the engine wants done; tells why, when that was to stop.
    fn act(&mut self) -> Option<Stopped> {
        let mut stopped = None;
        while let Some(action) = self.engine.next_action() {
            match action {
                Action::Append(position, bytes) => self.append(position, bytes),
                Action::AppendLater(position, bytes) => {
                    let due = self.clocks.monotonic_us() + RETRY_US;
                    self.resting.push_back((due, position, bytes));
                }
                Action::Read(position) => {
                    self.read(position);
                }
                Action::Wait(position) => self.wait(position),
                Action::Reply(reply, answer) => reply(answer),
                Action::Apply(batch, reader, waiting) => {
                    if let Some(applied) = self.applier.apply(batch, reader, waiting) {
                        self.engine.handle(applied, self.clocks.now());
                    }
                }
                Action::Publish(reader, batch) => self.feed.publish(&reader, batch),
                Action::Keep(snapshot) => self.keep(snapshot),
                Action::Trim(below) => self.trim(below),
                Action::Confirmed(confirm, answer) => (confirm.0)(answer),
                Action::Follows(leader) => self.tell_follows(leader),
                Action::Led(version) => {
                    tracing::info!(%version, "leading");
                    self.applier.led();
                    self.status.led();
                }
                // Requests that came in with what ended it are refused after it.
                Action::Stopped(why) => stopped = Some(why),
            }
        }
        stopped
    }

    /// What claims say of the server that they were written on is looked at before anything is
    /// followed: the engine knows one log.
    fn read(&self, position: Position) {
        let (inbox, log) = (Arc::clone(&self.inbox), Arc::clone(&self.log));
        let done = move |reads: Result<_, _>| {
            let reads = reads.and_then(|reads| checked_reads(log.as_ref(), reads));
            inbox.push(Event::ReadBack(position, reads));
        };
        self.log.read(position, READ_BYTES, Box::new(done));
    }

    fn wait(&self, position: Position) {
        let inbox = Arc::clone(&self.inbox);
        self.log.wait(
            position,
            Box::new(move |waited| match waited {
                Ok(Waited::MayHold | Waited::Elapsed) => inbox.push(Event::MayHold(position)),
                Ok(Waited::CannotTell) => {}
                Err(error) => tracing::debug!(%error, %position, "the log does not tell"),
            }),
        );
    }

    fn tell_follows(&mut self, leader: Option<Leader>) {
        match &leader {
            Some(leader) => tracing::info!(%leader, "following"),
            None => tracing::info!("following; nobody leads"),
        }
        self.applier.follows();
        self.status.follows(leader);
    }

    fn append(&self, position: Position, bytes: Bytes) {
        let (inbox, log) = (Arc::clone(&self.inbox), Arc::clone(&self.log));
        let sent = bytes.clone();
        let done = move |result: Result<_, _>| {
            let result = result.and_then(|append| checked_append(log.as_ref(), append));
            inbox.push(Event::Appended(position, sent, result));
        };
        self.log.append(position, bytes, Box::new(done));
    }

    fn retry_rested(&mut self, now_us: u64) {
        while self.resting.front().is_some_and(|(due, ..)| *due <= now_us) {
            if let Some((_, position, bytes)) = self.resting.pop_front()
                && self.engine.awaits(position)
            {
                self.append(position, bytes);
            }
        }
    }

    fn keep(&mut self, snapshot: Arc<dyn holdfast_state::Snapshot>) {
        match &self.snapshots {
            Some(keeper) => {
                let inbox = Arc::clone(&self.inbox);
                self.keeping = Some(keeper.keep(snapshot, move |event| inbox.push(event)));
            }
            None => self.inbox.push(Event::SnapshotFailed("no place to keep it".to_owned())),
        }
    }

    /// What goes into the archive is trimmed when it is there. While that goes on, or
    /// after it failed, the next snapshot brings another chance.
    fn trim(&mut self, below: Position) {
        let backs = self.snapshots.as_ref().map_or(Ok(true), |keeper| keeper.backs(below));
        if !matches!(backs, Ok(true)) {
            tracing::error!(%below, "a snapshot is gone that the log could be read on from; it is not trimmed");
            return;
        }
        let (log, feed) = (Arc::clone(&self.log), Arc::clone(&self.feed));
        let Some(archive) = &self.archive else { return trim(log.as_ref(), feed, below) };
        if self.archiving.as_ref().is_some_and(Aside::is_running) {
            tracing::debug!(%below, "the archive is still being written; trimmed later");
            return;
        }
        let archived = Arc::clone(&log);
        let then = move || trim(log.as_ref(), feed, below);
        self.archiving = Some(archive.take_beside(archived, below, then));
    }

    fn finish(&mut self, why: &Stopped) {
        self.status.stopped(why);
        self.inbox.close(&why.to_string());
        self.feed.close();
        match why {
            Stopped::Cleanly => tracing::info!("stopped"),
            Stopped::Deposed => tracing::warn!("stopped: another node leads"),
            Stopped::Behind(position) => {
                tracing::warn!(%position, "stopped: the log is trimmed beyond this state");
            }
            Stopped::Failed(reason) => tracing::error!(reason, "stopped"),
            Stopped::StateInDoubt(what) => tracing::error!(what, "stopped: the state is in doubt"),
        }
        self.keeping = None;
        self.archiving = None;
        if let Err(error) = self.applier.finish() {
            tracing::warn!(%error, "the state was not written back; it will be rebuilt");
        }
        if let Err(error) = holdfast_log::blocking::close(self.log.as_ref()) {
            tracing::warn!(%error, "the log did not close cleanly");
        }
    }
}

fn trim(log: &dyn Log, feed: Arc<Feed>, below: Position) {
    log.trim(
        below,
        Box::new(move |result| match result {
            Ok(()) => feed.trimmed(below),
            Err(error) => tracing::error!(%error, %below, "the log could not be trimmed"),
        }),
    );
}
