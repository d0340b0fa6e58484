//! What the log and the network do, and nodes that do not lead.

use super::{Got, Lead, Learners, Message, NODES, Slots, State};
use crate::model::{
    automaton::{Entry, EntryId},
    explore::Step,
    rules::Trim,
};

/// What may happen next.
pub(super) type Steps = Vec<(Step, State)>;

pub(super) fn push(steps: &mut Steps, what: &'static str, node: Option<usize>, state: State) {
    let node = node.map(|node| u8::try_from(node).expect("two nodes"));
    steps.push((Step { what, node }, state));
}

impl State {
    pub(super) fn send(&mut self, message: Message) {
        if let Err(at) = self.messages.binary_search(&message) {
            self.messages.insert(at, message);
        }
    }

    fn answer(&mut self, message: Message, got: Got) {
        if let Err(at) = self.answers.binary_search(&(message, got)) {
            self.answers.insert(at, (message, got));
        }
    }
}

impl Learners {
    pub(super) fn trims(&mut self, state: &State, steps: &mut Steps) {
        let filled = state.first.iter().take_while(|entry| entry.is_some()).count();
        let hole = u8::try_from(filled).expect("few positions");
        let may_move = state.mark < hole;
        match self.rules.trim {
            Trim::Never => {}
            Trim::Bare | Trim::Mark => {
                if may_move {
                    let mut next = State { mark: hole, ..state.clone() };
                    next.log[..filled].fill(None);
                    push(steps, "is trimmed", None, next);
                }
            }
            Trim::MarkThenAll | Trim::MarkThenEntries => {
                if may_move {
                    push(steps, "moves its mark", None, State { mark: hole, ..state.clone() });
                }
                let log = self.deleted(state);
                if log != state.log {
                    push(steps, "deletes", None, State { log, ..state.clone() });
                }
            }
        }
    }

    /// What is left of the log after a deletion below the mark.
    fn deleted(&mut self, state: &State) -> Slots {
        let mut log = state.log;
        let below = usize::from(state.mark);
        if self.rules.trim == Trim::MarkThenAll {
            log[..below].fill(None);
            return log;
        }
        let counts = self.automaton.judge(&state.first).counts.clone();
        for (slot, counts) in counts.iter().enumerate().take(below) {
            let Some(entry) = log[slot] else { continue };
            if *counts && state.first[slot] == Some(entry) && self.automaton.claims(entry).is_none()
            {
                log[slot] = None;
            }
        }
        log
    }

    pub(super) fn reads_and_claims(&mut self, state: &State, node: usize, steps: &mut Steps) {
        let read = &state.nodes[node].read;
        let at = read.len();
        if at >= self.slots() {
            return;
        }
        let shows_mark =
            matches!(self.rules.trim, Trim::Mark | Trim::MarkThenAll | Trim::MarkThenEntries);
        if shows_mark && at < usize::from(state.mark) {
            let mut next = state.clone();
            let snapshot = state.first[..usize::from(state.mark)].iter().flatten();
            next.nodes[node].read = snapshot.copied().collect();
            push(steps, "restores a snapshot", Some(node), next);
        } else if let Some(entry) = state.log[at] {
            let mut next = state.clone();
            next.nodes[node].read.push(entry);
            push(steps, "reads", Some(node), next);
        }
        let epoch = self.automaton.judge_filled(read).epoch;
        if epoch < self.bounds.epochs && !self.is_claiming(state, node) {
            let last = if self.rules.first_hole { at } else { self.slots() - 1 };
            for position in (at..=last).filter(|position| state.log[*position].is_none()) {
                self.claim(state, node, (position, epoch + 1), steps);
            }
        }
    }

    fn is_claiming(&self, state: &State, node: usize) -> bool {
        let answered = state.answers.iter().map(|(message, _)| message);
        state.messages.iter().chain(answered).any(|message| {
            usize::from(message.node) == node && self.automaton.claims(message.entry).is_some()
        })
    }

    fn claim(
        &mut self,
        state: &State,
        node: usize,
        (position, epoch): (usize, u8),
        steps: &mut Steps,
    ) {
        let entry = self.automaton.id(Entry::Claim { epoch, nonce: self.nonce(node) });
        let mut next = state.clone();
        next.send(Message { node: byte(node), position: byte(position), entry });
        push(steps, "claims", Some(node), next);
    }

    /// Without the rule, all nodes have the same.
    pub(super) fn nonce(&self, node: usize) -> u8 {
        if self.rules.nonce { byte(node) } else { 0 }
    }

    /// Appends arrive; the network may keep a copy for later.
    pub(super) fn deliveries(&self, state: &State, steps: &mut Steps) {
        for message in &state.messages {
            let slot = usize::from(message.position);
            for copied in [false, true] {
                if copied && state.log[slot] == Some(message.entry) {
                    continue;
                }
                let mut next = state.clone();
                if !copied {
                    next.messages.retain(|other| other != message);
                }
                let node = Some(usize::from(message.node));
                if self.rules.trim == Trim::Mark && message.position < state.mark {
                    next.answer(*message, Got::Trimmed);
                    push(steps, "append arrives, is trimmed", node, next);
                    continue;
                }
                let holds = *next.log[slot].get_or_insert(message.entry);
                next.first[slot].get_or_insert(holds);
                next.answer(*message, Got::Holds(holds));
                let what = if copied { "append arrives, and stays" } else { "append arrives" };
                push(steps, what, node, next);
            }
        }
    }

    /// Answers arrive.
    pub(super) fn arrivals(&mut self, state: &State, steps: &mut Steps) {
        for (message, got) in &state.answers {
            let mut next = state.clone();
            next.answers.retain(|other| other != &(*message, *got));
            let node = usize::from(message.node);
            let what = self.learn(&mut next, node, *message, *got);
            push(steps, what, Some(node), next);
        }
    }

    fn learn(
        &mut self,
        state: &mut State,
        node: usize,
        message: Message,
        got: Got,
    ) -> &'static str {
        let claimed = self.automaton.claims(message.entry);
        let holds = match got {
            Got::Holds(holds) if !self.must_look_at_mark(state, message, holds) => holds,
            Got::Holds(_) | Got::Trimmed => {
                state.nodes[node].lead = None;
                return "learns that it was trimmed";
            }
        };
        let Some(epoch) = claimed else { return self.learn_of_entry(state, node, message, holds) };
        let is_free = state.nodes[node].lead.is_none();
        let may_lead = if self.rules.first_hole {
            usize::from(message.position) == state.nodes[node].read.len()
        } else {
            usize::from(message.position) >= state.nodes[node].read.len()
        };
        let before = self.automaton.judge_filled(&state.nodes[node].read);
        if holds != message.entry || !is_free || !may_lead || before.epoch + 1 != epoch {
            return "learns that its claim lost";
        }
        state.nodes[node].lead = Some(Lead {
            epoch,
            claimed: message.position,
            base: before.past,
            sent: Vec::new(),
            next: message.position + 1,
            known: Slots::default(),
        });
        "leads"
    }

    /// Told "ok" below the mark: whoever deletes and frees positions must look at it.
    fn must_look_at_mark(&self, state: &State, message: Message, holds: EntryId) -> bool {
        let looks = match self.rules.trim {
            Trim::Never | Trim::Bare | Trim::Mark => false,
            Trim::MarkThenAll => true,
            Trim::MarkThenEntries => self.automaton.claims(message.entry).is_some(),
        };
        looks && message.position < state.mark && holds == message.entry
    }

    fn learn_of_entry(
        &self,
        state: &mut State,
        node: usize,
        message: Message,
        holds: EntryId,
    ) -> &'static str {
        let Entry::Batch { epoch, .. } = self.automaton.what(message.entry) else {
            unreachable!("claims are looked at before")
        };
        let Some(lead) = state.nodes[node].lead.as_mut().filter(|lead| lead.epoch == epoch) else {
            return "ignores an answer";
        };
        let known = &mut lead.known[usize::from(message.position)];
        if known.is_some() {
            return "ignores an answer";
        }
        *known = Some(holds);
        "learns what a position holds"
    }
}

pub(super) fn byte(small: usize) -> u8 {
    u8::try_from(small).expect("bounds are small")
}

const _: () = assert!(NODES < 16, "a node and a position share a byte");
