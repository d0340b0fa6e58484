//! The shared log as a service that nodes call over the network.
//!
//! What it holds is a production [`MemoryLog`]; here are the faults of an engine around
//! it: calls that were done and whose answer is lost, refusals for now, slowness, a while
//! in which nobody is answered, a restart that forgets the calls it had not done, and
//! reads that show it as it was a while ago. Beside it stands a record of everything
//! that any position ever took, which no trim touches: what the run is judged by.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use holdfast_log::{Append, Log as _, LogError, MemoryLog, Position, Read};

use super::{
    agenda::Micros,
    node::{Life, NodeId},
    violation::Violation,
};

/// What a node asks of the log.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Append(Position, Bytes),
    Read(Position),
    Trim(Position),
}

/// One call: who makes it in which life, and which of that life's calls it is.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) node: NodeId,
    pub(super) life: Life,
    pub(super) number: u64,
    pub(super) wish: Wish,
}

/// What the log answers.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    Append(Result<Append, LogError>),
    Read(Result<Vec<Read>, LogError>),
    Trim,
}

impl Wish {
    /// The answer that says why there is none.
    pub(super) fn failed(&self, error: LogError) -> Heard {
        match self {
            Self::Append(..) => Heard::Append(Err(error)),
            Self::Read(_) => Heard::Read(Err(error)),
            Self::Trim(_) => Heard::Trim,
        }
    }
}

/// Nobody answered in time.
pub(super) fn timed_out() -> LogError {
    let source = Arc::new(std::io::Error::from(std::io::ErrorKind::TimedOut));
    LogError::Io { what: "waiting for the log".to_owned(), source }
}

/// The log.
#[derive(Debug)]
pub(super) struct SharedLog {
    entries: MemoryLog,
    /// Everything any position ever took, and when.
    taken: BTreeMap<Position, (Micros, Bytes)>,
    /// Everything below is trimmed.
    mark: Position,
    /// Counts restarts.
    run: u64,
    /// Nobody is answered before this.
    away_until: Micros,
    /// What each call takes in addition, until when.
    slow: (Micros, Micros),
    /// How far back a read may look.
    stale_us: Micros,
}

impl SharedLog {
    pub(super) fn new(stale_us: Micros) -> Self {
        Self {
            entries: MemoryLog::new(),
            taken: BTreeMap::new(),
            mark: Position::first(),
            run: 0,
            away_until: 0,
            slow: (0, 0),
            stale_us,
        }
    }

    /// What a node knows of the log when it opens it.
    pub(super) fn properties(&self) -> holdfast_log::Properties {
        let empty_read_is_linearizable = self.stale_us == 0;
        holdfast_log::Properties { empty_read_is_linearizable, ..self.entries.properties() }
    }

    /// Which run of the log's process this is.
    pub(super) const fn run(&self) -> u64 {
        self.run
    }

    /// Calls that are not done are gone.
    pub(super) const fn restart(&mut self) {
        self.run += 1;
    }

    /// Nobody is answered until then.
    pub(super) fn go_away(&mut self, until: Micros) {
        self.away_until = self.away_until.max(until);
    }

    /// Everything takes so much longer until then.
    pub(super) const fn slow_down(&mut self, by: Micros, until: Micros) {
        self.slow = (by, until);
    }

    /// No fault of the log goes on.
    pub(super) const fn heal(&mut self) {
        self.away_until = 0;
        self.slow = (0, 0);
        self.stale_us = 0;
    }

    pub(super) const fn is_away(&self, now: Micros) -> bool {
        now < self.away_until
    }

    /// What a call that arrives now takes in addition to the usual.
    pub(super) const fn slowness(&self, now: Micros) -> Micros {
        if now < self.slow.1 { self.slow.0 } else { 0 }
    }

    /// Everything below is given up.
    pub(super) const fn mark(&self) -> Position {
        self.mark
    }

    /// What a position ever took.
    pub(super) fn ever(&self, position: Position) -> Option<&Bytes> {
        self.taken.get(&position).map(|(_, bytes)| bytes)
    }

    /// The first hole.
    pub(super) fn tail(&self) -> Position {
        holdfast_log::blocking::tail(&self.entries).expect("a log in memory answers")
    }

    /// Puts an entry.
    ///
    /// # Errors
    /// [`Violation::WrittenTwice`]
    pub(super) fn append(
        &mut self,
        now: Micros,
        position: Position,
        bytes: &Bytes,
    ) -> Result<Result<Append, LogError>, Violation> {
        let found = holdfast_log::blocking::append(&self.entries, position, bytes.clone());
        if matches!(found, Ok(Append::Ok))
            && self.taken.insert(position, (now, bytes.clone())).is_some()
        {
            return Err(Violation::WrittenTwice { position });
        }
        Ok(found)
    }

    /// Reads; with `back_us` above zero, what was there so long ago.
    pub(super) fn read(
        &self,
        now: Micros,
        from: Position,
        max_bytes: usize,
        back_us: Micros,
    ) -> Result<Vec<Read>, LogError> {
        let mut found = holdfast_log::blocking::read(&self.entries, from, max_bytes)?;
        let then = now.saturating_sub(back_us);
        let mut position = from;
        for (index, read) in found.iter().enumerate() {
            let written = self.taken.get(&position).map_or(0, |(at, _)| *at);
            if matches!(read, Read::Entry(_)) && written > then {
                found.truncate(index);
                found.push(Read::Empty);
                break;
            }
            position = position.next();
        }
        Ok(found)
    }

    /// How far back a read may look.
    pub(super) const fn stale_us(&self) -> Micros {
        self.stale_us
    }

    /// Gives up everything below.
    ///
    /// # Errors
    /// What the log says.
    pub(super) fn trim(&mut self, below: Position) -> Result<(), LogError> {
        holdfast_log::blocking::trim(&self.entries, below)?;
        self.mark = self.mark.max(below);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> Position {
        Position::new(number).unwrap()
    }

    #[test]
    fn what_was_taken_stays_known_beyond_a_trim_and_reads_may_look_back() {
        let mut log = SharedLog::new(100);
        for number in 1..=3 {
            let put = log.append(number * 10, at(number), &Bytes::from_static(b"e")).unwrap();
            assert_eq!(put.unwrap(), Append::Ok);
        }
        assert_eq!(log.read(30, at(1), 100, 0).unwrap().len(), 4);
        let entry = || Read::Entry(Bytes::from_static(b"e"));
        assert_eq!(log.read(30, at(1), 100, 10).unwrap(), [entry(), entry(), Read::Empty]);
        log.trim(at(3)).unwrap();
        let late = log.append(40, at(1), &Bytes::from_static(b"late")).unwrap();
        assert_eq!(late.unwrap(), Append::Trimmed);
        assert_eq!(log.read(50, at(2), 100, 0).unwrap(), [Read::Trimmed]);
        assert_eq!((log.ever(at(1)).is_some(), log.mark(), log.tail()), (true, at(3), at(4)));
    }
}
