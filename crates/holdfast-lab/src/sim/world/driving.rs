//! A node's process: begun from what there is, driven as the production driver does.

use std::sync::{Arc, atomic::AtomicU64};

use bytes::Bytes;
use holdfast_engine::{
    Action, Config, Engine, Event, Leadership, SnapshotKeeper, Stopped, clock::ClockBounds,
    scrub::Author,
};
use holdfast_log::Position;
use holdfast_state::{Snapshot, Version};

use super::{World, pair};
use crate::{
    check::agreement::{self, Digest},
    sim::{
        agenda::{Happening, Micros},
        log::Wish,
        node::{Life, NodeId, Postmark, Process},
        recovery::{self, rows},
        violation::Violation,
        workload,
    },
};

/// Versions between two digests of a node's state.
const DIGESTS_EVERY: u64 = 100;

/// How long an append rests that the log could not take for now, by the node's clock.
const RETRY_US: u64 = 10_000;

impl World {
    pub(super) fn start(&mut self, node: NodeId) -> Result<(), Violation> {
        if self.nodes[node].process.is_some() {
            return Ok(());
        }
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshots.clone()));
        let kept = self.nodes[node].kept.as_ref();
        let kept = kept.map(|copy| recovery::in_memory(rows(copy.as_ref()), copy.mark()));
        let own = kept.transpose().expect("memory takes any rows");
        let extent = (self.log.mark(), self.log.tail());
        let begun = recovery::begin(own, &mut recovery::in_memory, &keeper, extent);
        let begun = begun.map_err(|what| Violation::NothingToBeginWith { node, what })?;
        self.trace.count(begun.how);
        let config = self.config(node).fitted_to(&self.log.properties());
        let postmark = Postmark {
            node,
            applied: Arc::new(AtomicU64::new(0)),
            durable: Arc::clone(&self.durable),
            mailbox: self.mailbox.clone(),
        };
        let at = &mut self.nodes[node];
        let seed = at.random.next();
        let mark = begun.store.mark();
        let engine = Engine::new(config, begun.store.snapshots(), &mark, seed, begun.newest)
            .map_err(|doubt| Violation::Doubt { node, what: doubt.to_string() })?;
        at.life += 1;
        at.process = Some(Process::new(engine, (begun.store, begun.origin), postmark, keeper));
        let [number, life] = pair(node, at.life);
        self.trace.note(self.now, begun.how, [number, life, mark.version.get()]);
        self.wake(node, self.now);
        Ok(())
    }

    fn config(&self, node: NodeId) -> Config {
        Config {
            node: format!("n{node}"),
            timers: workload::handlers(),
            waiting_max: self.shape.waiting_max,
            entries_in_flight_max: self.shape.entries_in_flight,
            entries_unapplied_max: self.shape.entries_unapplied,
            snapshot_bytes: self.shape.snapshot_bytes,
            digest_entries: self.shape.digest_entries,
            leadership: Leadership::Shared(self.shape.shared),
            reads: self.shape.reads,
            clock: self.shape.clocks_bounded.then(ClockBounds::default),
            ..Config::default()
        }
    }

    /// Lets the driver of a node go round at that time, if it would not before.
    pub(super) fn wake(&mut self, node: NodeId, at: Micros) {
        let life = self.nodes[node].life;
        let Some(process) = self.nodes[node].process.as_mut() else { return };
        if let Some(number) = process.appoint(at) {
            self.agenda.enter(at, Happening::Turn { node, life, number });
        }
    }

    /// The driver goes round once.
    pub(super) fn turn(&mut self, node: NodeId, life: Life, number: u64) -> Result<(), Violation> {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].living(life) else { return Ok(()) };
        if !process.keep(number) {
            return Ok(());
        }
        self.act(node)?;
        let Some(process) = self.nodes[node].living(life) else { return Ok(()) };
        while let Some(event) = process.inbox.pop_front() {
            process.engine.handle(event, now);
        }
        process.engine.handle(Event::Tick, now);
        process.engine.work(now);
        self.act(node)?;
        self.appoint_next(node, life);
        Ok(())
    }

    fn appoint_next(&mut self, node: NodeId, life: Life) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].living(life) else { return };
        let busy = process.is_busy();
        let idle_us = process.engine.idle_us(now);
        let at = if busy {
            self.now + 1 + self.nodes[node].random.below(60)
        } else {
            self.now + self.nodes[node].clock.true_us(idle_us).max(100)
        };
        self.wake(node, at);
    }

    /// Does all that the engine wants done.
    fn act(&mut self, node: NodeId) -> Result<(), Violation> {
        let life = self.nodes[node].life;
        loop {
            let Some(process) = self.nodes[node].living(life) else { return Ok(()) };
            let Some(action) = process.engine.next_action() else { break };
            self.carry_out(node, life, action)?;
        }
        let stopped = self.nodes[node].living(life).and_then(|process| process.stopped.take());
        stopped.map_or(Ok(()), |why| self.stopped(node, &why))
    }

    fn carry_out(&mut self, node: NodeId, life: Life, action: Action) -> Result<(), Violation> {
        let [number, _] = pair(node, life);
        match action {
            Action::Append(position, bytes) => self.append(node, life, position, bytes),
            Action::AppendLater(position, bytes) => {
                let at = self.now + self.nodes[node].clock.true_us(RETRY_US);
                self.agenda.enter(at, Happening::Resends { node, life, position, bytes });
            }
            Action::Read(position) => self.call(node, life, Wish::Read(position)),
            Action::Reply(reply, answer) => reply(answer),
            Action::Apply(batch, reader, waiting) => {
                if !self.truth.holds(&batch) {
                    let version = batch.first.get();
                    return Err(Violation::AppliedOther { node, version });
                }
                self.trace.note(
                    self.now,
                    "apply",
                    [number, batch.first.get(), waiting.len() as u64],
                );
                let process = self.nodes[node].living(life).expect("it acts");
                process.applies.push_back((batch, reader, waiting));
                self.apply_soon(node, life)?;
            }
            // This log cannot tell when a position is filled: engines look by themselves.
            Action::Publish(..) | Action::Wait(_) => {}
            Action::Keep(snapshot) => self.keep_soon(node, life, snapshot),
            Action::Trim(below) if !self.backed(node, life, below) => {
                self.trace.count("path: not trimmed, since a snapshot has gone");
            }
            Action::Trim(below) => {
                self.trace.note(self.now, "trim", [number, below.get(), 0]);
                self.call(node, life, Wish::Trim(below));
            }
            Action::Confirmed(confirm, proved) => (confirm.0)(proved),
            Action::Led(version) => {
                self.trace.note(self.now, "leads", [number, life, version.get()]);
                self.trace.count("path: leads");
                self.nodes[node].living(life).expect("it acts").author = Author::Ourselves;
            }
            Action::Follows(leader) => {
                let epoch = leader.map_or(0, |leader| leader.epoch.get());
                self.trace.note(self.now, "follows", [number, life, epoch]);
                let process = self.nodes[node].living(life).expect("it acts");
                if process.author == Author::Ourselves {
                    self.trace.count("path: led, and follows");
                }
                self.nodes[node].living(life).expect("it acts").author = Author::Earlier;
            }
            Action::Stopped(why) => {
                self.nodes[node].living(life).expect("it acts").stopped = Some(why);
            }
        }
        Ok(())
    }

    /// Are two snapshots left to go on from? As the production driver asks.
    fn backed(&mut self, node: NodeId, life: Life, below: Position) -> bool {
        let process = self.nodes[node].living(life).expect("it acts");
        process.keeper.backs(below).unwrap_or(false)
    }

    /// On the spot, when nothing waits before it and the run has no slow states.
    fn apply_soon(&mut self, node: NodeId, life: Life) -> Result<(), Violation> {
        let process = self.nodes[node].living(life).expect("it acts");
        let first = process.applies.len() == 1;
        if self.shape.apply_us == 0 || self.healed.is_some() {
            return self.apply_now(node, life, true);
        }
        if first {
            let at = self.now + 1 + self.nodes[node].random.below(self.shape.apply_us);
            self.agenda.enter(at, Happening::Applies { node, life });
        }
        Ok(())
    }

    pub(super) fn applies(&mut self, node: NodeId, life: Life) -> Result<(), Violation> {
        if self.nodes[node].living(life).is_none() {
            return Ok(());
        }
        self.apply_now(node, life, false)?;
        let process = self.nodes[node].living(life).expect("it was there");
        if !process.applies.is_empty() {
            let at = self.now + 1 + self.nodes[node].random.below(self.shape.apply_us);
            self.agenda.enter(at, Happening::Applies { node, life });
        }
        self.wake(node, self.now);
        Ok(())
    }

    fn apply_now(&mut self, node: NodeId, life: Life, at_once: bool) -> Result<(), Violation> {
        let now = self.nodes[node].now(self.now);
        let writes_back = self.nodes[node].random.percent(10);
        let process = self.nodes[node].living(life).expect("it was there");
        let Some(next) = process.applies.pop_front() else { return Ok(()) };
        let before = process.applied();
        let applied = process.apply(next);
        let after = process.applied();
        if before / DIGESTS_EVERY < after / DIGESTS_EVERY {
            let hash = agreement::rows(process.store.as_ref());
            let hash = hash.expect("a state in memory can be read");
            let who = format!("node {node} in life {life}");
            let version = Version::new(after);
            self.digests.push(Digest { node: who, version, hash });
        }
        if let Event::Applied(_, Err(doubt)) = &applied {
            return Err(Violation::Doubt { node, what: doubt.to_string() });
        }
        let copy = writes_back.then(|| process.store.snapshots().latest());
        if at_once {
            process.engine.handle(applied, now);
        } else {
            process.inbox.push_back(applied);
        }
        if let Some(copy) = copy {
            let at = &mut self.nodes[node];
            if at.random.percent(20) || at.old.is_none() {
                at.old = at.kept.take();
            }
            at.kept = Some(copy);
        }
        Ok(())
    }

    fn keep_soon(&mut self, node: NodeId, life: Life, snapshot: Arc<dyn Snapshot>) {
        let at = self.now + self.nodes[node].random.below(50_000);
        self.agenda.enter(at, Happening::Keeps { node, life, snapshot });
    }

    /// Writes a snapshot where every node can read it.
    pub(super) fn keeps(&mut self, node: NodeId, life: Life, snapshot: &dyn Snapshot) {
        let Some(process) = self.nodes[node].living(life) else { return };
        let event = match process.keeper.write(snapshot) {
            Ok(kept) => Event::SnapshotKept(kept.state),
            Err(error) => Event::SnapshotFailed(error.to_string()),
        };
        let kept = matches!(event, Event::SnapshotKept(_));
        process.inbox.push_back(event);
        let what = if kept { "path: snapshot kept" } else { "path: snapshot not kept" };
        self.trace.count(what);
        let version = snapshot.mark().version.get();
        self.trace.note(self.now, what, [node as u64, version, 0]);
        self.wake(node, self.now);
    }

    /// An append goes out again, if anybody still wants it.
    pub(super) fn resends(&mut self, node: NodeId, life: Life, position: Position, bytes: Bytes) {
        if self.nodes[node].living(life).is_some_and(|process| process.engine.awaits(position)) {
            self.append(node, life, position, bytes);
        }
    }

    fn append(&mut self, node: NodeId, life: Life, position: Position, bytes: Bytes) {
        if self.nodes[node].living(life).is_some() {
            self.truth.sent(&bytes, (node, life));
            self.call(node, life, Wish::Append(position, bytes));
        }
    }

    /// The engine has stopped: the process ends, and another begins after a while.
    fn stopped(&mut self, node: NodeId, why: &Stopped) -> Result<(), Violation> {
        let what = match why {
            Stopped::Cleanly => "path: stopped as asked",
            Stopped::Deposed => "path: deposed",
            Stopped::Failed(reason) if is_expected(reason) => "path: stopped by a failure",
            Stopped::Failed(reason) => return Err(Violation::Broken { why: reason.clone() }),
            Stopped::Behind(_) => "path: the log was trimmed beyond it",
            Stopped::StateInDoubt(what) => {
                return Err(Violation::Doubt { node, what: what.clone() });
            }
        };
        self.trace.count(what);
        self.trace.note(self.now, what, [node as u64, self.nodes[node].life, 0]);
        if matches!(why, Stopped::Behind(_)) {
            self.nodes[node].kept = None;
        }
        if *why == Stopped::Cleanly
            && let Some(process) = &self.nodes[node].process
        {
            self.nodes[node].kept = Some(process.store.snapshots().latest());
        }
        self.nodes[node].kill();
        let at = self.now + 1_000 + self.nodes[node].random.below(600_000);
        self.agenda.enter(at, Happening::Start(node));
        Ok(())
    }
}

/// What a healthy node may stop for: the log did not answer it, or its clock is off.
fn is_expected(reason: &str) -> bool {
    reason.contains("waiting for the log") || reason.contains("clock") || reason.contains("queue")
}
