//! What a leader does: evaluate, acknowledge, append again, step down.

use super::{
    Lead, Learners, Message, Sent, State,
    steps::{Steps, byte, push},
};
use crate::model::{
    automaton::{Entry, EntryId, Past, Transaction},
    rules::Proof,
};

impl Learners {
    pub(super) fn leads(&mut self, state: &State, node: usize, lead: &Lead, steps: &mut Steps) {
        self.evaluates(state, node, lead, steps);
        self.acknowledges(state, node, lead, steps);
        let newer = |entry| self.automaton.claims(entry).is_some_and(|epoch| epoch > lead.epoch);
        if lead.known.iter().flatten().any(|entry| newer(*entry)) {
            let mut next = state.clone();
            next.nodes[node].lead = None;
            push(steps, "steps down", Some(node), next);
        } else {
            self.appends_again(state, node, lead, steps);
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
        let nonce = self.nonce(node);
        let entry = self.automaton.id(Entry::Batch { writer, epoch, nonce, sequence, upon });
        let mut next = state.clone();
        let leader = next.nodes[node].lead.as_mut().expect("it leads");
        leader.sent.push(Sent { entry, position: lead.next });
        leader.next += 1;
        next.send(Message { node: byte(node), position: lead.next, entry });
        push(steps, "evaluates and appends", Some(node), next);
    }

    /// In order: only the first that is not acknowledged may be.
    fn acknowledges(&self, state: &State, node: usize, lead: &Lead, steps: &mut Steps) {
        let (writer, epoch) = (byte(node), lead.epoch);
        let own = (1..).map(|sequence| Transaction { writer, epoch, sequence });
        let is_open = |(own, _): &(Transaction, &Sent)| !state.acknowledged.has(*own);
        let Some((own, sent)) = own.zip(&lead.sent).find(is_open) else { return };
        let position = usize::from(sent.position);
        if lead.known[position] != Some(sent.entry) {
            return;
        }
        let below = &lead.known[usize::from(lead.claimed) + 1..position];
        let rival = Some(lead.epoch + 1);
        let is_filled = below.iter().all(Option::is_some);
        let is_rival = |entry: &EntryId| self.automaton.claims(*entry) == rival;
        let is_proved = match self.rules.proof {
            Proof::Full => is_filled && !below.iter().flatten().any(is_rival),
            Proof::Filled => is_filled,
            Proof::Nothing => true,
        };
        if is_proved {
            let acknowledged = state.acknowledged.and(own);
            push(steps, "acknowledges", Some(node), State { acknowledged, ..state.clone() });
        }
    }

    /// The first whose place was taken, and all after it, go further on.
    fn appends_again(&self, state: &State, node: usize, lead: &Lead, steps: &mut Steps) {
        let is_taken = |sent: &Sent| {
            lead.known[usize::from(sent.position)].is_some_and(|entry| entry != sent.entry)
        };
        let Some(first) = lead.sent.iter().position(is_taken) else { return };
        let moved = byte(lead.sent.len() - first);
        if lead.next + moved > self.bounds.positions {
            return;
        }
        let mut next = state.clone();
        let leader = next.nodes[node].lead.as_mut().expect("it leads");
        leader.next += moved;
        for (position, sent) in (lead.next..).zip(&mut leader.sent[first..]) {
            sent.position = position;
        }
        for sent in &leader.sent.clone()[first..] {
            next.send(Message { node: byte(node), position: sent.position, entry: sent.entry });
        }
        push(steps, "appends again", Some(node), next);
    }
}
