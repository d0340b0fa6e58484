//! Calls of the log: over the network, done, and back.

use holdfast_log::{Append, LogError};

use super::World;
use crate::sim::{
    agenda::Happening,
    log::{Call, Heard, Wish, timed_out},
    network::Place,
    node::{Life, NodeId},
    shape::Fault,
    violation::Violation,
};

impl World {
    /// A node calls the log, and waits for a while.
    pub(super) fn call(&mut self, node: NodeId, life: Life, wish: Wish) {
        let Some(process) = self.nodes[node].living(life) else { return };
        let number = process.call(wish.clone());
        let (what, position, bytes) = match &wish {
            Wish::Append(position, bytes) => ("append", *position, bytes.clone()),
            Wish::Read(position) => ("read", *position, bytes::Bytes::new()),
            Wish::Trim(position) => ("ask to trim", *position, bytes::Bytes::new()),
        };
        self.trace.note(self.now, what, [node as u64, position.get(), bytes.len() as u64]);
        self.trace.bytes(&bytes);
        let call = Call { node, life, number, wish };
        for delay in self.network.send(Place::Node(node), Place::Log, &mut self.trace) {
            self.agenda.enter(self.now + delay, Happening::Reaches(call.clone()));
        }
        let patience = self.nodes[node].clock.true_us(self.shape.log_patience_us);
        self.agenda.enter(self.now + patience, Happening::GivesUp(call));
    }

    pub(super) fn reaches_the_log(&mut self, call: Call) {
        if self.log.is_away(self.now) {
            self.trace.count("fault: call while the log was away");
            return;
        }
        if self.shape.has(Fault::LogRefuses) && self.healed.is_none() && self.log_random.percent(4)
        {
            self.trace.count("fault: the log refused for now");
            let heard = call.wish.failed(LogError::Overloaded { queued_bytes: 0 });
            return self.answer(&call, &heard);
        }
        let takes = self.shape.log_us / 2 + self.log_random.below(self.shape.log_us);
        let at = self.now + takes + self.log.slowness(self.now);
        self.agenda.enter(at, Happening::Performs(call, self.log.run()));
    }

    /// The log does what it was called for, unless it has restarted since.
    pub(super) fn log_performs(&mut self, call: &Call, run: u64) -> Result<(), Violation> {
        if self.log.run() != run {
            self.trace.count("fault: call lost in a restart of the log");
            return Ok(());
        }
        let heard = match &call.wish {
            Wish::Append(position, bytes) => {
                let found = self.log.append(self.now, *position, bytes)?;
                self.note_append(call, bytes, &found);
                self.follow()?;
                Heard::Append(found)
            }
            Wish::Read(position) => {
                let stale = self.log.stale_us() > 0 && self.log_random.percent(30);
                let back = if stale { self.log_random.below(self.log.stale_us()) } else { 0 };
                let bytes = self.shape.read_bytes;
                Heard::Read(self.log.read(self.now, *position, bytes, back))
            }
            Wish::Trim(below) => {
                if self.log.trim(*below).is_ok() {
                    self.trace.count("path: trimmed");
                }
                Heard::Trim
            }
        };
        self.answer(call, &heard);
        Ok(())
    }

    fn note_append(&mut self, call: &Call, bytes: &bytes::Bytes, found: &Result<Append, LogError>) {
        let Wish::Append(position, _) = &call.wish else { return };
        let what = match found {
            Ok(Append::Ok) => "taken in",
            Ok(Append::Taken(there)) if there == bytes => {
                self.trace.count("path: taken by the same bytes");
                "there already"
            }
            Ok(Append::Taken(_)) => {
                self.trace.count("path: taken by another entry");
                "taken"
            }
            Ok(Append::Trimmed) => {
                self.trace.count("path: append below the trim mark");
                "trimmed"
            }
            Err(_) => "refused",
        };
        let epoch = self.truth.epoch();
        self.trace.note(self.now, what, [call.node as u64, position.get(), epoch]);
    }

    fn answer(&mut self, call: &Call, heard: &Heard) {
        let to = Place::Node(call.node);
        let delays = self.network.send(Place::Log, to, &mut self.trace);
        if delays.is_empty() && matches!(heard, Heard::Append(Ok(Append::Ok))) {
            self.trace.count("path: appended and not told");
        }
        for delay in delays {
            let happening = Happening::Hears(call.clone(), heard.clone());
            self.agenda.enter(self.now + delay, happening);
        }
    }

    pub(super) fn hears(&mut self, call: &Call, heard: Heard) {
        let Some(process) = self.nodes[call.node].living(call.life) else { return };
        if process.hear(call.number, heard) {
            self.trace.note(self.now, "hears", [call.node as u64, call.number, 0]);
            self.wake(call.node, self.now);
        } else {
            self.trace.count("path: answer after the caller gave up");
        }
    }

    pub(super) fn gives_up(&mut self, call: &Call) {
        let Some(process) = self.nodes[call.node].living(call.life) else { return };
        let Some(wish) = process.wish(call.number) else { return };
        let heard = wish.failed(timed_out());
        process.hear(call.number, heard);
        self.trace.count("path: the log did not answer in time");
        self.trace.note(self.now, "gives up", [call.node as u64, call.number, 0]);
        self.wake(call.node, self.now);
    }
}
