//! What is going to happen, in the order of simulated time.
//!
//! Two things due at one moment happen in the order in which they were entered, so the
//! order is total and a run is repeatable.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use holdfast_engine::Answer;
use holdfast_log::Position;
use holdfast_state::Snapshot;

use super::{
    log::{Call, Heard},
    nemesis::Mend,
    node::{Life, NodeId},
};

/// Simulated time: microseconds since the run began.
pub(super) type Micros = u64;

/// Something that happens.
#[derive(Clone)]
pub(super) enum Happening {
    /// A process begins.
    Start(NodeId),
    /// A node's driver goes round once; `number` tells a newer appointment from an older.
    Turn { node: NodeId, life: Life, number: u64 },
    /// A call reaches the log.
    Reaches(Call),
    /// The log does what it was called for.
    Performs(Call, u64),
    /// The log's answer reaches the caller.
    Hears(Call, Heard),
    /// The caller waits no longer.
    GivesUp(Call),
    /// An append that rested goes out again.
    Resends { node: NodeId, life: Life, position: Position, bytes: Bytes },
    /// The oldest batch that waits is brought into a node's state.
    Applies { node: NodeId, life: Life },
    /// A snapshot is written.
    Keeps { node: NodeId, life: Life, snapshot: Arc<dyn Snapshot> },
    /// A request reaches a node.
    Arrives { node: NodeId, attempt: Attempt },
    /// An answer reaches the client.
    Told { node: NodeId, attempt: Attempt, answer: Answer },
    /// A client does its next step: asks, or asks again.
    Acts { client: usize, step: u64 },
    /// The nemesis strikes.
    Strikes,
    /// One of its faults is over.
    Mends(Mend),
    /// All faults end.
    Heals,
}

/// One sending of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) operation: usize,
    /// Counts the sendings of this operation from 0.
    pub(super) number: usize,
}

/// What is going to happen.
#[derive(Default)]
pub(super) struct Agenda {
    due: BTreeMap<(Micros, u64), Happening>,
    entered: u64,
}

impl Agenda {
    /// Enters something for a moment that is not past.
    pub(super) fn enter(&mut self, at: Micros, happening: Happening) {
        self.due.insert((at, self.entered), happening);
        self.entered += 1;
    }

    /// What happens next, and when.
    pub(super) fn next(&mut self) -> Option<(Micros, Happening)> {
        self.due.pop_first().map(|((at, _), happening)| (at, happening))
    }

    /// How many things were entered so far.
    pub(super) const fn entered(&self) -> u64 {
        self.entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_together_happens_in_the_order_it_was_entered() {
        let mut agenda = Agenda::default();
        agenda.enter(5, Happening::Strikes);
        agenda.enter(3, Happening::Start(1));
        agenda.enter(3, Happening::Start(0));
        let nodes: Vec<_> = std::iter::from_fn(|| agenda.next())
            .map(|(at, happening)| match happening {
                Happening::Start(node) => (at, Some(node)),
                _ => (at, None),
            })
            .collect();
        assert_eq!(nodes, [(3, Some(1)), (3, Some(0)), (5, None)]);
    }
}
