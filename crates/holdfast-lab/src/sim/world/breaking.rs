//! Faults that strike at a moment, and their end.

use std::sync::Arc;

use holdfast_engine::{Event, SnapshotKeeper};
use holdfast_log::disk::{Fault as DiskFault, Io};

use super::World;
use crate::sim::{
    agenda::{Happening, Micros},
    nemesis::{Blow, Mend, State},
    network::Place,
    node::NodeId,
};

impl World {
    /// The nemesis strikes, unless its time is over.
    pub(super) fn strike(&mut self) {
        if self.healed.is_some() {
            return;
        }
        let rests = self.nemesis.rests();
        self.agenda.enter(self.now + rests, Happening::Strikes);
        let Some(blow) = self.nemesis.blow() else { return };
        self.trace.tell(self.now, "blow", [0; 3], format!("{blow:?}"));
        self.inflict(blow);
    }

    fn inflict(&mut self, blow: Blow) {
        match blow {
            Blow::Cut { from, to, for_us } => {
                self.trace.count("fault: cut");
                self.network.cut(from, to);
                self.mend_link_in(for_us, from, to);
            }
            Blow::Flaky { from, to, for_us } => {
                self.trace.count("fault: link made flaky");
                self.network.make_flaky(from, to);
                self.mend_link_in(for_us, from, to);
            }
            Blow::Kill { node, after_us, state } => self.kill(node, after_us, state),
            Blow::Stop { node } => {
                if self.tell_process(node, Event::Stop) {
                    self.trace.count("fault: asked to stop");
                }
            }
            Blow::Pause { node, for_us } => self.pause(node, for_us),
            Blow::HandOver { node } => {
                if self.tell_process(node, Event::HandOver) {
                    self.trace.count("fault: asked to hand over");
                }
            }
            Blow::WallClock { node, offset_us } => {
                self.trace.count("fault: wall clock stepped");
                self.nodes[node].clock.set_wall_offset(offset_us);
            }
            Blow::Rate { node, rate } => {
                self.trace.count("fault: clock changed its rate");
                self.nodes[node].clock.set_rate(self.now, rate);
            }
            Blow::LogAway { for_us } => {
                self.trace.count("fault: log away");
                self.log.go_away(self.now + for_us);
            }
            Blow::LogRestarts => {
                self.trace.count("fault: log restarted");
                self.log.restart();
            }
            Blow::LogSlow { by_us, for_us } => {
                self.trace.count("fault: log slow");
                self.log.slow_down(by_us, self.now + for_us);
            }
            Blow::SnapshotFails { at_sync } => self.fail_a_snapshot(at_sync),
            Blow::SnapshotRots => self.spoil_a_snapshot(),
        }
    }

    fn mend_link_in(&mut self, us: Micros, from: Place, to: Place) {
        self.agenda.enter(self.now + us, Happening::Mends(Mend::Cut { from, to }));
    }

    fn fail_a_snapshot(&mut self, at_sync: bool) {
        self.trace.count("fault: snapshot will fail");
        let (io, fault) = match at_sync {
            true => (Io::Sync, DiskFault::LostSync),
            false => (Io::Write, DiskFault::NoSpace),
        };
        self.snapshots.fail_next(io, fault);
    }

    fn kill(&mut self, node: NodeId, after_us: u64, state: State) {
        if self.nodes[node].process.is_none() {
            return;
        }
        self.trace.count("fault: killed");
        self.nodes[node].kill();
        match state {
            State::Kept => {}
            State::Old => {
                self.trace.count("fault: old copy of the state");
                self.nodes[node].kept = self.nodes[node].old.take();
            }
            State::Wiped => {
                self.trace.count("fault: state wiped");
                self.nodes[node].kept = None;
                self.nodes[node].old = None;
            }
        }
        self.agenda.enter(self.now + after_us, Happening::Start(node));
    }

    /// False when there is no process to be told.
    fn tell_process(&mut self, node: NodeId, event: Event) -> bool {
        let Some(process) = self.nodes[node].process.as_mut() else { return false };
        process.inbox.push_back(event);
        if !self.nodes[node].paused {
            self.wake(node, self.now);
        }
        true
    }

    fn pause(&mut self, node: NodeId, for_us: u64) {
        if self.nodes[node].process.is_some() && !self.nodes[node].paused {
            self.trace.count("fault: paused");
            self.nodes[node].paused = true;
            let life = self.nodes[node].life;
            self.agenda.enter(self.now + for_us, Happening::Mends(Mend::Pause { node, life }));
        }
    }

    fn spoil_a_snapshot(&mut self) {
        let mut files = self.snapshots.files();
        files.retain(|file| file.ends_with(".hfs"));
        let keeper = SnapshotKeeper::new(Arc::new(self.snapshots.clone()));
        let is_good = |file: &str| keeper.verify(file).is_ok();
        let Some(file) = may_rot(&files, self.spoiled.as_deref(), is_good).map(str::to_owned)
        else {
            return;
        };
        let length = self.snapshots.bytes(&file).map_or(0, |bytes| bytes.len() as u64);
        let offset = self.log_random.below(length.max(1));
        self.snapshots.flip(&file, offset, 1);
        self.trace.count("fault: snapshot spoiled");
        self.spoiled = Some(file);
    }

    pub(super) fn mend(&mut self, mend: Mend) {
        match mend {
            Mend::Cut { from, to } => self.network.mend(from, to),
            Mend::Pause { node, life } if self.nodes[node].life == life => self.resume(node),
            Mend::Pause { .. } => {}
        }
    }

    fn resume(&mut self, node: NodeId) {
        if !self.nodes[node].paused {
            return;
        }
        self.nodes[node].paused = false;
        self.trace.note(self.now, "goes on", [node as u64, self.nodes[node].life, 0]);
        for happening in std::mem::take(&mut self.nodes[node].backlog) {
            self.agenda.enter(self.now, happening);
        }
    }

    /// All faults end. Messages that are held back still arrive when they do.
    pub(super) fn heal(&mut self) {
        self.trace.note(self.now, "all faults end", [0; 3]);
        self.healed = Some(self.now);
        self.network.heal();
        self.log.heal();
        for node in 0..self.nodes.len() {
            self.nodes[node].clock.set_rate(self.now, 1_000_000);
            self.nodes[node].clock.set_wall_offset(0);
            self.resume(node);
            self.agenda.enter(self.now + node as u64, Happening::Start(node));
            self.wake(node, self.now);
        }
        for client in 0..self.clients.len() {
            let step = self.clients[client].step;
            self.agenda.enter(self.now + 1, Happening::Acts { client, step });
        }
    }
}

/// The snapshot that may rot, of these, by age: the newest, if another is good. P16 keeps two so that
/// one may go bad, and promises no more. So after `spoiled` none does until there are two that are newer:
/// that was found bad may have been removed, and what a deposed leader wrote late, and lies below what
/// was trimmed, be in its place.
fn may_rot<'a>(
    files: &'a [String],
    spoiled: Option<&str>,
    is_good: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let (newest, others) = files.split_last()?;
    let mut newer = others.iter().filter(|file| Some(file.as_str()) > spoiled);
    newer.any(|file| is_good(file)).then_some(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rots(files: &[&str], spoiled: Option<&str>, bad: &[&str]) -> Option<String> {
        let files: Vec<String> = files.iter().map(ToString::to_string).collect();
        may_rot(&files, spoiled, |file| !bad.contains(&file)).map(str::to_owned)
    }

    #[test]
    fn p16_of_two_good_snapshots_one_may_rot_and_no_other_before_two_newer_ones() {
        assert_eq!(rots(&["118", "135"], None, &[]).as_deref(), Some("135"));
        assert_eq!(rots(&["135"], None, &[]), None, "the only one");
        assert_eq!(rots(&["118", "135"], None, &["118"]), None, "the only good one");
        assert_eq!(rots(&["118", "189"], Some("189"), &["189"]), None, "rotten already");
        assert_eq!(rots(&["188", "197"], Some("189"), &[]), None, "188 came late, for 189");
        assert_eq!(rots(&["189", "197"], Some("189"), &["189"]), None, "one newer");
        assert_eq!(rots(&["197", "205"], Some("189"), &[]).as_deref(), Some("205"));
    }
}
