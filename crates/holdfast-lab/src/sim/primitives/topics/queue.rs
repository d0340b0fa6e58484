//! A queue as a list of where each message is, and which receipt is good for it.
//!
//! Which messages are given out is the queue's to choose among those it may: the answer says,
//! and each must have been there to be given. That a message died of being given out too often
//! is seen in the state, and may be from when its time was over. What retention removed while
//! it was out is lost when somebody comes by it: of a full answer nobody can tell by which it
//! came, so these are *unsure* until their receipts, or the count of the lost, tell.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::{
        Said,
        expected::{Expected, Judged, Moment, Wrong, time, us},
    },
    DELIVERIES_MAX, PARTITIONS,
    letters::{Letter, place_of},
    partition::{Message, Partition},
};
use crate::sim::trace::Counts;

/// A message: partition and offset.
pub(super) type Place = (u64, u64);

/// Where a message is that was given out at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It can be given out from then on; so often it was. A letter that was redriven is its own
    /// copy.
    Back {
        attempts: u64,
        from: LogTime,
        copy: Option<Letter>,
    },
    Out {
        attempts: u64,
        receipt: String,
        until: LogTime,
        copy: Option<Letter>,
    },
    Dead(Letter),
    /// Acknowledged, or purged.
    Done,
    /// The topic has it no more.
    Lost,
}

/// The queue. What is in no state was never given out.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// Behind which offset of each partition it begins.
    begins: Vec<u64>,
    pub(super) states: BTreeMap<Place, State>,
    /// Those that are out, or lost.
    unsure: BTreeSet<Place>,
    /// How many of them are lost.
    unsure_lost: u64,
    pub(super) counts: Counts,
}

/// The number of the delivery that a receipt is of.
fn delivery(receipt: &str) -> &str {
    receipt.split_once('-').map_or(receipt, |(delivery, _)| delivery)
}

fn partition_of(partitions: &[Partition], place: Place) -> Option<&Partition> {
    usize::try_from(place.0).ok().and_then(|number| partitions.get(number))
}

/// The message, be it removed.
fn message(partitions: &[Partition], place: Place) -> Option<&Message> {
    partition_of(partitions, place)?.ever(place.1)
}

fn is_removed(partitions: &[Partition], place: Place) -> bool {
    partition_of(partitions, place).is_some_and(|partition| place.1 <= partition.removed)
}

/// Every message there ever was.
fn all(partitions: &[Partition]) -> impl Iterator<Item = Place> {
    let numbered = (0..).zip(partitions);
    numbered
        .flat_map(|(number, partition)| (1..=partition.last()).map(move |offset| (number, offset)))
}

impl State {
    /// Is it out of sight no more?
    fn is_due(&self, now: LogTime) -> bool {
        match self {
            Self::Back { from: over, .. } | Self::Out { until: over, .. } => *over <= now,
            Self::Dead(_) | Self::Done | Self::Lost => false,
        }
    }

    /// How often it was given out, and what it says if the topic does not.
    fn life(&self) -> Option<(u64, Option<&Letter>)> {
        match self {
            Self::Back { attempts, copy, .. } | Self::Out { attempts, copy, .. } => {
                Some((*attempts, copy.as_ref()))
            }
            Self::Dead(_) | Self::Done | Self::Lost => None,
        }
    }

    /// Does it need the topic's message?
    fn rests_on_the_topic(&self) -> bool {
        self.life().is_some_and(|(_, copy)| copy.is_none())
    }
}

impl Queue {
    /// A queue as it is created: from the beginning of the topic, or from its end.
    pub(super) fn created(args: &Value, partitions: &[Partition]) -> Self {
        let at_end = args["begin"] == "end";
        let begin =
            |partition: &Partition| if at_end { partition.last() } else { partition.removed };
        Self { begins: partitions.iter().map(begin).collect(), ..Self::default() }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// Is it one that the queue is to give out?
    fn is_its(&self, (partition, offset): Place) -> bool {
        let begin = usize::try_from(partition).ok().and_then(|number| self.begins.get(number));
        begin.is_some_and(|begin| offset > *begin)
    }

    /// How often a message was given out, if it may be now.
    fn may_be_given(
        &self,
        place: Place,
        now: LogTime,
        partitions: &[Partition],
    ) -> Result<u64, &'static str> {
        let state = self.states.get(&place);
        let rests = state.is_none_or(State::rests_on_the_topic);
        match state {
            None if !self.is_its(place) => Err("the queue begins behind it"),
            Some(State::Dead(_)) => Err("it is a dead letter"),
            Some(State::Done) => Err("it is done"),
            Some(State::Lost) => Err("it is lost"),
            Some(state) if !state.is_due(now) => Err("it is out, or was given back for later"),
            _ if rests && is_removed(partitions, place) => Err("it was removed"),
            None => Ok(0),
            Some(State::Back { attempts, .. } | State::Out { attempts, .. }) => {
                let may = *attempts < DELIVERIES_MAX;
                may.then_some(*attempts).ok_or("it was given out as often as may be")
            }
        }
    }

    pub(super) fn receive(
        &mut self,
        at: Moment,
        args: &Value,
        (partitions, said): (&[Partition], Option<&Said>),
        receipts: &mut BTreeSet<String>,
    ) -> Judged {
        let Some(said) = said else { return Ok(()) };
        let until = at.after(us(args, "visibility").unwrap_or(300_000));
        let told = json!({ "outcome": "received", "visible_at": time(until) });
        Expected::Done(told).compare(Some(said))?;
        let given = said.body["messages"].as_array().cloned().unwrap_or_default();
        let limit = args["limit"].as_u64().unwrap_or(10);
        let seen_all = (given.len() as u64) < limit || self.has_new(&given);
        for message in &given {
            self.given(at, until, partitions, message, receipts)?;
        }
        if given.len() as u64 > limit {
            return Err(Wrong::rule(&format!("at most {limit} messages"), &said.body));
        }
        let may = |place: &Place| self.may_be_given(*place, at.time, partitions).is_ok();
        let left = all(partitions).find(may);
        match left {
            Some(left) if (given.len() as u64) < limit => {
                return Err(Wrong::rule(
                    &format!("with {left:?} among them, which waits"),
                    &said.body,
                ));
            }
            Some(_) | None => {}
        }
        self.lose(at, partitions, seen_all);
        Ok(())
    }

    /// Is any of these given out for the first time? Then nothing is left that was out.
    fn has_new(&self, given: &[Value]) -> bool {
        let is_new = |given: &Value| {
            let place = (given["partition"].as_u64(), given["offset"].as_u64());
            matches!(place, (Some(partition), Some(offset)) if !self.states.contains_key(&(partition, offset)))
        };
        given.iter().any(is_new)
    }

    /// What is due and was removed is lost where somebody came by all that was due, and may be
    /// otherwise.
    fn lose(&mut self, at: Moment, partitions: &[Partition], all_of_it: bool) {
        let lost = |(place, state): &(&Place, &State)| {
            state.is_due(at.time) && state.rests_on_the_topic() && is_removed(partitions, **place)
        };
        let lost: Vec<Place> = self.states.iter().filter(lost).map(|(place, _)| *place).collect();
        if !all_of_it {
            self.unsure.extend(lost);
            return;
        }
        // Whatever was unsure is due, and was removed.
        (self.unsure_lost, self.unsure) = (0, BTreeSet::new());
        for place in lost {
            self.is_lost(place);
        }
    }

    fn is_lost(&mut self, place: Place) {
        self.count("queues: lost while they were out");
        self.states.insert(place, State::Lost);
    }

    fn given(
        &mut self,
        at: Moment,
        until: LogTime,
        partitions: &[Partition],
        given: &Value,
        receipts: &mut BTreeSet<String>,
    ) -> Judged {
        let wrong = |rule: &str| Err(Wrong::rule(rule, given));
        let place = (given["partition"].as_u64().unwrap_or(PARTITIONS), given["offset"].as_u64());
        let (partition, Some(offset)) = place else { return wrong("a message with an offset") };
        let place = (partition, offset);
        let Some(there) = message(partitions, place) else {
            return wrong("a message that is in the topic");
        };
        let attempts = match self.may_be_given(place, at.time, partitions) {
            Ok(attempts) => attempts + 1,
            Err(why) => return wrong(&format!("no message of which {why}")),
        };
        let copy = self.states.get(&place).and_then(|state| state.life()?.1.cloned());
        let mut told = copy.as_ref().map_or_else(|| there.shown(offset), Letter::given);
        told["attempt"] = json!(attempts);
        let body = Said { refused: false, body: given.clone() };
        Expected::Done(told).compare(Some(&body))?;
        let before = (partition, offset - 1);
        let waits = |place| self.is_its(place) && !is_removed(partitions, place);
        if offset > 1 && waits(before) && !self.states.contains_key(&before) {
            return wrong("messages of a partition in order, the first time");
        }
        let receipt = given["receipt"].as_str().unwrap_or_default().to_owned();
        if !receipts.insert(receipt.clone()) {
            return wrong("a receipt that nobody was given");
        }
        self.count(if attempts > 1 { "queues: given out again" } else { "queues: given out" });
        self.states.insert(place, State::Out { attempts, receipt, until, copy });
        Ok(())
    }

    /// The message that is out under a receipt. Of one that is unsure, what was said tells, and
    /// tells the same of those that were given out with it.
    fn under(&mut self, asked: &str, is_refused: bool) -> Option<Place> {
        let is_out = |place: &Place, by: &dyn Fn(&str) -> bool| match self.states.get(place) {
            Some(State::Out { receipt, .. }) => by(receipt),
            _ => false,
        };
        let mut places = self.states.keys();
        let place = *places.find(|place| is_out(place, &|receipt| receipt == asked))?;
        if !self.unsure.contains(&place) {
            return Some(place);
        }
        let with_it = |receipt: &str| delivery(receipt) == delivery(asked);
        let (told, unsure) = self.unsure.iter().partition(|place| is_out(place, &with_it));
        self.unsure = unsure;
        if !is_refused || self.unsure_lost == 0 {
            return Some(place);
        }
        let told: BTreeSet<Place> = told;
        for lost in told {
            self.unsure_lost = self.unsure_lost.saturating_sub(1);
            self.is_lost(lost);
        }
        None
    }

    /// What is asked by receipts, all of which must be good.
    pub(super) fn settle(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
        (partitions, said): (&[Partition], Option<&Said>),
    ) -> Expected {
        let receipts = args["receipts"].as_array().into_iter().flatten();
        let receipts: Vec<&str> = receipts.filter_map(Value::as_str).collect();
        let refused = said.and_then(|said| said.body["facts"]["index"].as_u64());
        let mut named = Vec::new();
        for (index, receipt) in (0..).zip(&receipts) {
            let Some(found) = self.under(receipt, refused == Some(index)) else {
                self.count("queues: stale receipts refused");
                let facts = json!({ "index": index, "receipt": receipt });
                return Expected::Refused("receipt_stale", facts);
            };
            named.push(found);
        }
        match name {
            "queues.extend" => {
                let until = at.after(us(args, "visibility").unwrap_or(300_000));
                self.extend(&receipts, until);
                Expected::Done(json!({ "outcome": "extended", "visible_at": time(until) }))
            }
            "queues.nack" => self.give_back(&named, at.after(us(args, "delay").unwrap_or(0))),
            "queues.ack" => {
                self.count("queues: done");
                let count = named.len();
                self.states.extend(named.into_iter().map(|place| (place, State::Done)));
                Expected::Done(json!({ "outcome": "acked", "count": count }))
            }
            _ => self.reject(at, &named, partitions),
        }
    }

    fn give_back(&mut self, named: &[Place], from: LogTime) -> Expected {
        for place in named {
            let life = self.states.get(place).and_then(State::life);
            let Some((attempts, copy)) = life else { continue };
            let copy = copy.cloned();
            self.states.insert(*place, State::Back { attempts, from, copy });
        }
        let (count, visible_at) = (named.len(), time(from));
        let told = json!({ "outcome": "given_back", "count": count, "visible_at": visible_at });
        Expected::Done(told)
    }

    /// Messages become dead letters, but for those that were removed.
    fn reject(&mut self, at: Moment, named: &[Place], partitions: &[Partition]) -> Expected {
        let mut lost = 0;
        for place in named {
            let gone = self.states[place].rests_on_the_topic() && is_removed(partitions, *place);
            if gone {
                self.is_lost(*place);
                lost += 1;
            } else {
                self.dies(at, *place, partitions, "rejected");
            }
        }
        self.count("queues: rejected");
        let lost = if lost > 0 { json!(lost) } else { Value::Null };
        Expected::Done(json!({ "outcome": "rejected", "count": named.len(), "lost": lost }))
    }

    fn dies(&mut self, at: Moment, place: Place, partitions: &[Partition], why: &'static str) {
        let life = self.states.get(&place).and_then(State::life);
        let (Some((attempts, copy)), Some(there)) = (life, message(partitions, place)) else {
            return;
        };
        let letter = Letter::of((there, place.1), copy.cloned(), at, (why, attempts));
        self.states.insert(place, State::Dead(letter));
    }

    /// Longer for all that were given out with them.
    fn extend(&mut self, asked: &[&str], longer: LogTime) {
        for state in self.states.values_mut() {
            if let State::Out { receipt, until, .. } = state
                && asked.iter().any(|asked| delivery(asked) == delivery(receipt))
            {
                *until = longer;
            }
        }
    }

    /// What was given out as often as may be, and is over, may be dead.
    pub(super) fn without_dead(&mut self, at: Moment, said: &Said, partitions: &[Partition]) {
        let letters = said.body["letters"].as_array().into_iter().flatten();
        for place in letters.filter_map(|letter| place_of(letter["letter"].as_str()?)) {
            let Some(state) = self.states.get(&place) else { continue };
            let often = state.life().is_some_and(|(attempts, _)| attempts >= DELIVERIES_MAX);
            let gone = state.rests_on_the_topic() && is_removed(partitions, place);
            if often && state.is_due(at.time) && !gone {
                self.count("queues: died of too many deliveries");
                self.dies(at, place, partitions, "exhausted");
            }
        }
    }

    /// How many of those that are unsure are lost, as the count of all that are says.
    pub(super) fn learn_lost(&mut self, said: &Said, partitions: &[Partition]) {
        let others = self.lost(partitions) - self.unsure_lost;
        let told = said.body["lost"].as_u64().and_then(|lost| lost.checked_sub(others));
        let unsure = self.unsure.len() as u64;
        let Some(told) = told.filter(|told| (self.unsure_lost..=unsure).contains(told)) else {
            return;
        };
        self.unsure_lost = told;
        if told == 0 || told == unsure {
            self.unsure_lost = 0;
            for place in std::mem::take(&mut self.unsure) {
                if told > 0 {
                    self.is_lost(place);
                }
            }
        }
    }

    fn lost(&self, partitions: &[Partition]) -> u64 {
        let never = |place: &Place| {
            self.is_its(*place)
                && !self.states.contains_key(place)
                && is_removed(partitions, *place)
        };
        let never = all(partitions).filter(never).count();
        let out = self.states.values().filter(|state| **state == State::Lost).count();
        (never + out) as u64 + self.unsure_lost
    }

    /// How many are out, or wait to be given out again.
    fn out(&self) -> u64 {
        self.states.values().filter(|state| state.life().is_some()).count() as u64
            - self.unsure_lost
    }

    /// What `queues.get` shows; all that is nowhere is done.
    pub(super) fn shown(&self, partitions: &[Partition]) -> Expected {
        let waits = |place: &Place| {
            self.is_its(*place)
                && !self.states.contains_key(place)
                && !is_removed(partitions, *place)
        };
        let (waiting, dead) = (all(partitions).filter(waits).count(), self.dead_count());
        let (out, lost) = (self.out(), self.lost(partitions));
        Expected::Done(json!({ "waiting": waiting, "out": out, "dead": dead, "lost": lost }))
    }

    /// It is deleted, with all that is out and dead.
    pub(super) fn delete(&self) -> Expected {
        let (out, dead) = (self.out(), self.dead_count());
        Expected::Done(json!({ "outcome": "deleted", "out": out, "dead": dead }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(version: u64) -> Moment {
        Moment { version, time: LogTime::from_us(version * 1_000) }
    }

    fn said(body: Value) -> Said {
        Said { refused: body.get("code").is_some(), body }
    }

    /// A partition of three messages, all of which are out; the first two are removed then, and
    /// a receiver of one message is given the third again.
    fn two_unsure() -> (Queue, Vec<Partition>) {
        let mut partition = Partition::default();
        for version in 1..=3 {
            partition.push(Message::asked(&json!({ "data": version }), moment(version), version));
        }
        let mut partitions = vec![partition];
        let mut queue = Queue::created(&json!({}), &partitions);
        let mut receipts = BTreeSet::new();
        for (version, offset, attempt) in [(4, 1, 1), (5, 2, 1), (6, 3, 1), (9, 3, 2)] {
            let at = moment(version);
            let mut given = message(&partitions, (0, offset)).unwrap().shown(offset);
            (given["partition"], given["attempt"]) = (json!(0), json!(attempt));
            given["receipt"] = json!(format!("{version}-{offset}"));
            let visible_at = time(at.after(1_000));
            let told = said(json!({
                "outcome": "received", "messages": [given], "visible_at": visible_at,
            }));
            let args = json!({ "limit": 1, "visibility": "PT0.001S" });
            queue.receive(at, &args, (&partitions, Some(&told)), &mut receipts).unwrap();
            partitions[0].removed = if version == 6 { 2 } else { partitions[0].removed };
        }
        (queue, partitions)
    }

    fn standing(queue: &mut Queue, partitions: &[Partition], out: u64, lost: u64) -> Judged {
        let told = said(json!({ "waiting": 0, "out": out, "dead": 0, "lost": lost }));
        queue.learn_lost(&told, partitions);
        queue.shown(partitions).compare(Some(&told))
    }

    fn acks(queue: &mut Queue, partitions: &[Partition], receipt: &str, told: Value) -> Judged {
        let args = json!({ "receipts": [receipt] });
        let told = said(told);
        let told = (partitions, Some(&told));
        queue.settle(moment(10), ("queues.ack", &args), told).compare(told.1)
    }

    #[test]
    fn of_two_that_may_be_lost_the_count_and_the_receipts_tell_which() {
        let acked = || json!({ "outcome": "acked", "count": 1 });
        let stale = |receipt: &str| {
            let facts = json!({ "index": 0, "receipt": receipt });
            json!({ "code": "receipt_stale", "facts": facts })
        };
        let (mut queue, partitions) = two_unsure();
        standing(&mut queue, &partitions, 2, 1).unwrap();
        acks(&mut queue, &partitions, "4-1", stale("4-1")).unwrap();
        assert!(acks(&mut queue, &partitions, "5-2", stale("5-2")).is_err(), "it is not lost too");
        acks(&mut queue, &partitions, "9-3", acked()).unwrap();
        standing(&mut queue, &partitions, 0, 1).unwrap();

        let (mut queue, partitions) = two_unsure();
        standing(&mut queue, &partitions, 1, 2).unwrap();
        assert!(acks(&mut queue, &partitions, "4-1", acked()).is_err(), "both are lost");
        let (mut queue, partitions) = two_unsure();
        standing(&mut queue, &partitions, 3, 0).unwrap();
        assert!(standing(&mut queue, &partitions, 2, 1).is_err(), "nobody came by them since");
    }
}
