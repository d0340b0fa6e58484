//! Nodes that know what answers told them, while the log is trimmed.
//!
//! A node reads the log position by position; it claims the first that it found empty; if
//! the answer is its own claim, it leads, evaluates and sends entries without waiting, and
//! learns of each position what the answer to its own append says. Messages and answers
//! arrive in any order, messages also again later; neither need ever arrive.
//!
//! The log keeps beside what it shows what was written *first* at every position: that is
//! the history for whoever read in time, and what must stay true whatever is trimmed.

mod leader;
mod steps;

use super::{
    automaton::{Acknowledged, Automaton, EntryId, Past, violation},
    explore::{Step, System},
    rules::{Bounds, POSITIONS_MAX, Rules},
};

/// The nodes.
pub const NODES: usize = 2;

/// What the positions hold.
pub(super) type Slots = [Option<EntryId>; POSITIONS_MAX as usize];

/// The model.
#[derive(Debug)]
pub struct Learners {
    rules: Rules,
    bounds: Bounds,
    automaton: Automaton,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What the log shows.
    log: Slots,
    /// What was written first.
    first: Slots,
    /// Positions below this are trimmed.
    mark: u8,
    /// Appends on their way, in order.
    messages: Vec<Message>,
    /// Answers on their way, in order.
    answers: Vec<(Message, Got)>,
    nodes: [Node; NODES],
    acknowledged: Acknowledged,
}

/// An append on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Message {
    node: u8,
    position: u8,
    entry: EntryId,
}

/// What an append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Got {
    /// What the position holds: its own entry is "ok", any other "taken".
    Holds(EntryId),
    /// It is below the mark.
    Trimmed,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// What it read, from the beginning.
    read: Vec<EntryId>,
    lead: Option<Lead>,
}

/// What only a leader has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lead {
    epoch: u8,
    /// Where its claim is.
    claimed: u8,
    /// What it had read when it claimed.
    base: Past,
    sent: Vec<Sent>,
    /// Where it appends next.
    next: u8,
    /// Of each position what an answer told it.
    known: [Option<EntryId>; POSITIONS_MAX as usize],
}

/// An entry that a leader sent: its number is its place in the list, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    entry: EntryId,
    /// Where it was sent last.
    position: u8,
}

impl Learners {
    /// Nodes and a log that keep to these rules.
    #[must_use]
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        bounds.check();
        Self { rules, bounds, automaton: Automaton::new(rules) }
    }

    /// How many logs the automata were compared over.
    #[must_use]
    pub fn logs(&self) -> usize {
        self.automaton.logs()
    }

    fn slots(&self) -> usize {
        usize::from(self.bounds.positions)
    }
}

impl System for Learners {
    type State = State;

    fn start(&mut self) -> State {
        State {
            log: Slots::default(),
            first: Slots::default(),
            mark: 0,
            messages: Vec::new(),
            answers: Vec::new(),
            nodes: Default::default(),
            acknowledged: Acknowledged::default(),
        }
    }

    fn steps(&mut self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        self.trims(state, &mut steps);
        for node in 0..NODES {
            match &state.nodes[node].lead {
                None => self.reads_and_claims(state, node, &mut steps),
                Some(lead) => self.leads(state, node, lead, &mut steps),
            }
        }
        self.deliveries(state, &mut steps);
        self.arrivals(state, &mut steps);
        steps
    }

    fn encode(&self, state: &State, into: &mut Vec<u8>) {
        let entry = |entry: Option<EntryId>| entry.map_or(u8::MAX, |EntryId(id)| id);
        let slots = self.slots();
        let count = |count: usize| u8::try_from(count).expect("small bounds");
        into.extend(
            state.log[..slots].iter().chain(&state.first[..slots]).map(|slot| entry(*slot)),
        );
        into.extend([state.mark, count(state.messages.len()), count(state.answers.len())]);
        for Message { node, position, entry } in &state.messages {
            into.extend([node << 4 | position, entry.0]);
        }
        for (Message { node, position, entry }, got) in &state.answers {
            let (kind, got) = match got {
                Got::Holds(EntryId(id)) => (0, *id),
                Got::Trimmed => (1, 0),
            };
            into.extend([node << 4 | position, entry.0, kind, got]);
        }
        for Node { read, lead } in &state.nodes {
            into.push(count(read.len()));
            into.extend(read.iter().map(|EntryId(id)| *id));
            let Some(lead) = lead else {
                into.push(0);
                continue;
            };
            into.extend([lead.epoch, lead.claimed, lead.next, count(lead.sent.len())]);
            into.extend(lead.base.to_bytes());
            into.extend(lead.sent.iter().flat_map(|sent| [sent.entry.0, sent.position]));
            into.extend(lead.known[..slots].iter().map(|known| entry(*known)));
        }
        into.extend(state.acknowledged.to_bytes());
    }

    fn violation(&mut self, state: &State) -> Option<String> {
        let judged = self.automaton.judge(&state.first[..usize::from(self.bounds.positions)]);
        violation(judged, state.acknowledged)
    }

    fn show(&self, state: &State) -> String {
        let mut line = self.automaton.show(&state.log[..self.slots()], state.acknowledged);
        if state.mark > 0 {
            line += &format!(", trimmed below {}", state.mark + 1);
        }
        line
    }
}
