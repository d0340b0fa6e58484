//! A queue as a list of where each message is, and which receipt is good for it.
//!
//! Which messages are given out is the queue's to choose among those it may: the answer says,
//! and each must have been there to be given. That a message died of being given out too often
//! is seen in the state, and may be from when its time was over.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::{
        Said,
        expected::{Expected, Judged, Moment, Wrong, time, us},
    },
    DELIVERIES_MAX, PARTITIONS,
    naive::{Message, index},
};
use crate::sim::trace::Counts;

/// A message: partition and offset.
type Place = (u64, u64);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It can be given out from then on; so often it was.
    Back {
        attempts: u64,
        from: LogTime,
    },
    Out {
        attempts: u64,
        receipt: String,
        until: LogTime,
    },
    Dead,
    Done,
}

/// The queue. What is in no state was never given out.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    states: BTreeMap<Place, State>,
    /// Every receipt that was ever given.
    receipts: BTreeSet<String>,
    pub(super) counts: Counts,
}

/// The number of the delivery that a receipt is of.
fn delivery(receipt: &str) -> &str {
    receipt.split_once('-').map_or(receipt, |(delivery, _)| delivery)
}

impl Queue {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// How often a message was given out, if it may be now.
    fn may_be_given(&self, place: Place, now: LogTime) -> Result<u64, &'static str> {
        match self.states.get(&place) {
            None => Ok(0),
            Some(State::Back { from, .. }) if *from > now => Err("it was given back for later"),
            Some(State::Out { until, .. }) if *until > now => Err("it is out"),
            Some(State::Back { attempts, .. } | State::Out { attempts, .. })
                if *attempts >= DELIVERIES_MAX =>
            {
                Err("it was given out as often as may be")
            }
            Some(State::Back { attempts, .. } | State::Out { attempts, .. }) => Ok(*attempts),
            Some(State::Dead) => Err("it is a dead letter"),
            Some(State::Done) => Err("it is done"),
        }
    }

    pub(super) fn receive(
        &mut self,
        at: Moment,
        args: &Value,
        (messages, said): (&[Vec<Message>], Option<&Said>),
    ) -> Judged {
        let Some(said) = said else { return Ok(()) };
        let until = at.after(us(args, "visibility").unwrap_or(300_000));
        let told = json!({ "outcome": "received", "visible_at": time(until) });
        Expected::Done(told).compare(Some(said))?;
        let given = said.body["messages"].as_array().cloned().unwrap_or_default();
        for message in &given {
            self.given(at, until, messages, message)?;
        }
        let limit = args["limit"].as_u64().unwrap_or(10);
        if given.len() as u64 > limit {
            return Err(Wrong::rule(&format!("at most {limit} messages"), &said.body));
        }
        let left = || all(messages).find(|place| self.may_be_given(*place, at.time).is_ok());
        match left() {
            Some(left) if (given.len() as u64) < limit => {
                Err(Wrong::rule(&format!("with {left:?} among them, which waits"), &said.body))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn given(
        &mut self,
        at: Moment,
        until: LogTime,
        messages: &[Vec<Message>],
        given: &Value,
    ) -> Judged {
        let wrong = |rule: &str| Err(Wrong::rule(rule, given));
        let place = (given["partition"].as_u64().unwrap_or(PARTITIONS), given["offset"].as_u64());
        let (partition, Some(offset)) = place else { return wrong("a message with an offset") };
        let list = usize::try_from(partition).ok().and_then(|partition| messages.get(partition));
        let there = index(offset).and_then(|index| list?.get(index));
        let Some(there) = there else { return wrong("a message that is in the topic") };
        let attempts = match self.may_be_given((partition, offset), at.time) {
            Ok(attempts) => attempts + 1,
            Err(why) => return wrong(&format!("no message of which {why}")),
        };
        let mut told = there.shown(offset);
        told["attempt"] = json!(attempts);
        let body = Said { refused: false, body: given.clone() };
        Expected::Done(told).compare(Some(&body))?;
        let before = offset == 1 || self.states.contains_key(&(partition, offset - 1));
        if !before {
            return wrong("messages of a partition in order, the first time");
        }
        let receipt = given["receipt"].as_str().unwrap_or_default().to_owned();
        if !self.receipts.insert(receipt.clone()) {
            return wrong("a receipt that nobody was given");
        }
        self.count(if attempts > 1 { "queues: given out again" } else { "queues: given out" });
        self.states.insert((partition, offset), State::Out { attempts, receipt, until });
        Ok(())
    }

    /// The message that is out under a receipt.
    fn under(&self, asked: &str) -> Option<(Place, u64)> {
        self.states.iter().find_map(|(place, state)| match state {
            State::Out { receipt, attempts, .. } if receipt == asked => Some((*place, *attempts)),
            State::Out { .. } | State::Back { .. } | State::Dead | State::Done => None,
        })
    }

    /// What is asked by receipts, all of which must be good; and redriving.
    pub(super) fn settle(&mut self, at: Moment, (name, args): (&str, &Value)) -> Expected {
        if name == "queues.redrive" {
            return self.redrive(at, args["limit"].as_u64().unwrap_or(100));
        }
        let receipts = args["receipts"].as_array().into_iter().flatten();
        let receipts: Vec<&str> = receipts.filter_map(Value::as_str).collect();
        let mut named = Vec::new();
        for (index, receipt) in receipts.iter().enumerate() {
            let Some(found) = self.under(receipt) else {
                self.count("queues: stale receipts refused");
                let facts = json!({ "index": index, "receipt": receipt });
                return Expected::Refused("receipt_stale", facts);
            };
            named.push(found);
        }
        let count = named.len();
        match name {
            "queues.extend" => {
                let until = at.after(us(args, "visibility").unwrap_or(300_000));
                self.extend(&receipts, until);
                Expected::Done(json!({ "outcome": "extended", "visible_at": time(until) }))
            }
            "queues.nack" => {
                let from = at.after(us(args, "delay").unwrap_or(0));
                let back = |(place, attempts)| (place, State::Back { attempts, from });
                self.states.extend(named.into_iter().map(back));
                let visible_at = time(from);
                Expected::Done(json!({
                    "outcome": "given_back", "count": count, "visible_at": visible_at,
                }))
            }
            _ => {
                let (state, outcome) = match name {
                    "queues.ack" => (State::Done, "acked"),
                    _ => (State::Dead, "rejected"),
                };
                self.count(if outcome == "acked" { "queues: done" } else { "queues: rejected" });
                self.states.extend(named.into_iter().map(|(place, _)| (place, state.clone())));
                Expected::Done(json!({ "outcome": outcome, "count": count }))
            }
        }
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

    fn dead(&self) -> impl Iterator<Item = Place> {
        let dead = self.states.iter().filter(|(_, state)| **state == State::Dead);
        dead.map(|(place, _)| *place)
    }

    fn redrive(&mut self, at: Moment, limit: u64) -> Expected {
        let limit = usize::try_from(limit).expect("a page");
        let back: Vec<Place> = self.dead().take(limit).collect();
        for place in &back {
            self.count("queues: redriven");
            self.states.insert(*place, State::Back { attempts: 0, from: at.time });
        }
        let (count, dead) = (back.len(), self.dead().count());
        Expected::Done(json!({ "outcome": "redriven", "count": count, "dead": dead }))
    }

    /// What was given out as often as may be, and is over, may be dead.
    pub(super) fn without_dead(&mut self, at: Moment, said: &Said) {
        let letters = said.body["letters"].as_array().into_iter().flatten();
        for letter in letters.filter_map(|letter| letter["letter"].as_str()) {
            let Some(place) = place_of(letter) else { continue };
            let over = match self.states.get(&place) {
                Some(
                    State::Out { attempts, until: over, .. } | State::Back { attempts, from: over },
                ) => *attempts >= DELIVERIES_MAX && *over <= at.time,
                Some(State::Dead | State::Done) | None => false,
            };
            if over {
                self.count("queues: died of too many deliveries");
                self.states.insert(place, State::Dead);
            }
        }
    }

    /// The first of the dead letters, in their order.
    pub(super) fn letters(&self, limit: usize) -> Expected {
        let letter = |(partition, offset)| json!({ "letter": format!("{partition}-{offset}") });
        Expected::Done(
            json!({ "letters": self.dead().take(limit).map(letter).collect::<Vec<_>>() }),
        )
    }

    /// What `queues.get` shows; all that is nowhere is done.
    pub(super) fn shown(&self, messages: &[Vec<Message>]) -> Expected {
        let waiting = all(messages).filter(|place| !self.states.contains_key(place)).count();
        let out = self.states.values();
        let out = out.filter(|state| matches!(state, State::Out { .. } | State::Back { .. }));
        let (out, dead) = (out.count(), self.dead().count());
        Expected::Done(json!({ "waiting": waiting, "out": out, "dead": dead, "lost": 0 }))
    }
}

/// Every message there is.
fn all(messages: &[Vec<Message>]) -> impl Iterator<Item = Place> {
    let partitions = (0..).zip(messages);
    partitions.flat_map(|(partition, list)| {
        (1..=list.len() as u64).map(move |offset| (partition, offset))
    })
}

fn place_of(letter: &str) -> Option<Place> {
    let (partition, offset) = letter.split_once('-')?;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}
