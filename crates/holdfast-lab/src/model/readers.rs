//! Nodes that see what the log holds.
//!
//! The simpler half: no answers, no trim. A node claims the first hole, leads as soon as
//! its claim lands and counts, evaluates and sends entries without waiting, acknowledges
//! what it sees to count, moves what was displaced further on, steps down when it sees a newer
//! claim, and may forget everything at any time.

use super::{
    automaton::{Acknowledged, Automaton, Entry, EntryId, Past, Transaction, violation},
    explore::{Step, System},
    rules::{Bounds, POSITIONS_MAX, Rules},
};

const NODES: usize = 2;

type Slots = [Option<EntryId>; POSITIONS_MAX as usize];

/// The model. Of the rules, [`Rules::sequence`] is looked at, together with appending *all*
/// that comes after a displaced entry again; who leaves it out appends that one alone.
#[derive(Debug)]
pub struct Readers {
    rules: Rules,
    bounds: Bounds,
    automaton: Automaton,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    log: Slots,
    /// Appends on their way, in order: node, position, entry.
    messages: Vec<(u8, u8, EntryId)>,
    nodes: [Option<Lead>; NODES],
    acknowledged: Acknowledged,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Lead {
    epoch: u8,
    /// What counted when it claimed.
    base: Past,
    /// Entries, and where each was sent last; an entry's number is its place, from 1 on.
    sent: Vec<(EntryId, u8)>,
    /// Where it appends next.
    next: u8,
}

type Steps = Vec<(Step, State)>;

fn push(steps: &mut Steps, what: &'static str, node: usize, state: State) {
    steps.push((Step { what, node: Some(byte(node)) }, state));
}

fn byte(small: usize) -> u8 {
    u8::try_from(small).expect("bounds are small")
}

impl State {
    fn send(&mut self, message: (u8, u8, EntryId)) {
        if let Err(at) = self.messages.binary_search(&message) {
            self.messages.insert(at, message);
        }
    }
}

impl Readers {
    /// Nodes that keep to these rules.
    #[must_use]
    pub fn new(rules: Rules, bounds: Bounds) -> Self {
        bounds.check();
        Self { rules, bounds, automaton: Automaton::new(rules) }
    }

    fn claims(&mut self, state: &State, node: usize, steps: &mut Steps) {
        let judged = self.automaton.judge(&state.log);
        let (epoch, hole) = (judged.epoch, byte(judged.counts.len()));
        let is_claiming = state.messages.iter().any(|(from, _, entry)| {
            usize::from(*from) == node && self.automaton.claims(*entry).is_some()
        });
        let leads = state.nodes[node].as_ref().is_some_and(|lead| lead.epoch == epoch);
        if epoch < self.bounds.epochs && hole < self.bounds.positions && !is_claiming && !leads {
            let entry = self.automaton.id(Entry::Claim { epoch: epoch + 1, nonce: byte(node) });
            let mut next = state.clone();
            next.send((byte(node), hole, entry));
            push(steps, "claims", node, next);
        }
    }

    fn evaluates(&mut self, state: &State, node: usize, lead: &Lead, steps: &mut Steps) {
        let evaluated = byte(lead.sent.len());
        if evaluated >= self.bounds.entries || lead.next >= self.bounds.positions {
            return;
        }
        let (writer, epoch, sequence) = (byte(node), lead.epoch, evaluated + 1);
        let own = |past: Past, sequence| past.and(Transaction { writer, epoch, sequence });
        let upon = (1..=evaluated).fold(lead.base, own);
        let entry = Entry::Batch { writer, epoch, nonce: writer, sequence, upon };
        let entry = self.automaton.id(entry);
        let mut next = state.clone();
        next.send((writer, lead.next, entry));
        let leader = next.nodes[node].as_mut().expect("it leads");
        leader.sent.push((entry, lead.next));
        leader.next += 1;
        push(steps, "evaluates and appends", node, next);
    }

    fn acknowledges(&mut self, state: &State, node: usize, lead: &Lead, steps: &mut Steps) {
        let (writer, epoch) = (byte(node), lead.epoch);
        let own = (1..).map(|sequence| Transaction { writer, epoch, sequence });
        let is_open = |(own, _): &(Transaction, _)| !state.acknowledged.has(*own);
        let Some((own, (entry, position))) = own.zip(&lead.sent).find(is_open) else { return };
        let judged = self.automaton.judge(&state.log);
        let at = usize::from(*position);
        let is_there = state.log[at] == Some(*entry) && judged.counts.len() > at;
        if is_there && judged.epoch >= lead.epoch && judged.past.has(own) {
            let acknowledged = state.acknowledged.and(own);
            push(steps, "acknowledges", node, State { acknowledged, ..state.clone() });
        }
    }

    fn appends_again(&self, state: &State, node: usize, lead: &Lead, steps: &mut Steps) {
        let is_taken = |(entry, position): &(EntryId, u8)| {
            state.log[usize::from(*position)].is_some_and(|there| there != *entry)
        };
        let Some(first) = lead.sent.iter().position(is_taken) else { return };
        let behind = byte(lead.sent.len() - first);
        if lead.next + behind > self.bounds.positions {
            return;
        }
        let moved = if self.rules.sequence { behind } else { 1 };
        let mut next = state.clone();
        let leader = next.nodes[node].as_mut().expect("it leads");
        for ((_, position), further) in
            leader.sent[first..].iter_mut().zip(lead.next..lead.next + moved)
        {
            *position = further;
        }
        leader.next += moved;
        for (entry, position) in leader.sent.clone().into_iter().skip(first) {
            if state.log[usize::from(position)].is_none() {
                next.send((byte(node), position, entry));
            }
        }
        push(steps, "appends again", node, next);
    }

    fn arrivals(&mut self, state: &State, steps: &mut Steps) {
        for message in &state.messages {
            let (node, position, entry) = *message;
            let (node, slot) = (usize::from(node), usize::from(position));
            let mut next = state.clone();
            next.messages.retain(|other| other != message);
            if state.log[slot].is_some() {
                push(steps, "append arrives in vain", node, next);
                continue;
            }
            next.log[slot] = Some(entry);
            if let Some(epoch) = self.automaton.claims(entry) {
                self.begins(&mut next, node, (position, epoch));
            }
            push(steps, "append arrives", node, next);
        }
    }

    /// Leads, if its claim counts where it landed.
    fn begins(&mut self, state: &mut State, node: usize, (position, epoch): (u8, u8)) {
        let slot = usize::from(position);
        let judged = self.automaton.judge(&state.log);
        let counts = judged.epoch == epoch && judged.counts.get(slot) == Some(&true);
        let leads_later = state.nodes[node].as_ref().is_some_and(|lead| lead.epoch >= epoch);
        if counts && !leads_later {
            let base = self.automaton.judge(&state.log[..slot]).past;
            state.nodes[node] = Some(Lead { epoch, base, sent: Vec::new(), next: position + 1 });
        }
    }
}

impl System for Readers {
    type State = State;

    fn start(&mut self) -> State {
        State {
            log: Slots::default(),
            messages: Vec::new(),
            nodes: [None, None],
            acknowledged: Acknowledged::default(),
        }
    }

    fn steps(&mut self, state: &State) -> Vec<(Step, State)> {
        let mut steps = Vec::new();
        for node in 0..NODES {
            self.claims(state, node, &mut steps);
            let Some(lead) = &state.nodes[node] else { continue };
            self.evaluates(state, node, lead, &mut steps);
            self.acknowledges(state, node, lead, &mut steps);
            if self.automaton.judge(&state.log).epoch == lead.epoch {
                self.appends_again(state, node, lead, &mut steps);
            }
            let mut next = state.clone();
            next.nodes[node] = None;
            push(&mut steps, "steps down or dies", node, next);
        }
        self.arrivals(state, &mut steps);
        steps
    }

    fn encode(&self, state: &State, into: &mut Vec<u8>) {
        let slots = usize::from(self.bounds.positions);
        into.extend(state.log[..slots].iter().map(|slot| slot.map_or(u8::MAX, |EntryId(id)| id)));
        into.push(byte(state.messages.len()));
        into.extend(state.messages.iter().flat_map(|(node, at, entry)| [node << 4 | at, entry.0]));
        for node in &state.nodes {
            let Some(lead) = node else {
                into.push(0);
                continue;
            };
            into.extend([lead.epoch, lead.next, byte(lead.sent.len())]);
            into.extend(lead.base.to_bytes());
            into.extend(lead.sent.iter().flat_map(|(entry, at)| [entry.0, *at]));
        }
        into.extend(state.acknowledged.to_bytes());
    }

    fn violation(&mut self, state: &State) -> Option<String> {
        violation(self.automaton.judge(&state.log), state.acknowledged)
    }

    fn show(&self, state: &State) -> String {
        self.automaton.show(&state.log[..usize::from(self.bounds.positions)], state.acknowledged)
    }
}
