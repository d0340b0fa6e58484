//! Dead letters of a queue as they must be: looked at, edited, put back, and purged.
//!
//! A letter is a copy. It outlives its message in the topic, says what it was edited to say,
//! also when it is given out again, and goes on where it was when it dies again.

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::expected::{Expected, Moment, text, time},
    partition::{Message, TYPE},
    queue::{Place, Queue, State},
};

/// A message that is a dead letter, or was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    reason: &'static str,
    /// How often it was given out, over all its lives.
    attempts: u64,
    died_at: LogTime,
    edited_at: Option<LogTime>,
    redriven: u64,
    /// The message as it was appended, but for what it says.
    message: Value,
    data: Value,
}

impl Letter {
    /// A message dies: of this, and given out so often in this life.
    pub(super) fn of(
        (message, offset): (&Message, u64),
        before: Option<Self>,
        at: Moment,
        (reason, attempts): (&'static str, u64),
    ) -> Self {
        let fresh = || Self {
            reason,
            attempts: 0,
            died_at: at.time,
            edited_at: None,
            redriven: 0,
            message: message.shown(offset),
            data: message.data.clone(),
        };
        let before = before.unwrap_or_else(fresh);
        Self { reason, attempts: before.attempts + attempts, died_at: at.time, ..before }
    }

    /// The message as it is given out.
    pub(super) fn given(&self) -> Value {
        let mut given = self.message.clone();
        given["data"] = self.data.clone();
        given
    }

    fn shown(&self, place: Place) -> Value {
        let mut shown = self.given();
        shown["letter"] = json!(name(place));
        shown["partition"] = json!(place.0);
        shown["reason"] = json!(self.reason);
        shown["attempts"] = json!(self.attempts);
        shown["died_at"] = time(self.died_at);
        shown["edited_at"] = json!(self.edited_at.map(time));
        shown["redriven"] = json!(self.redriven);
        shown["type"] = json!(TYPE);
        shown
    }
}

fn name((partition, offset): Place) -> String {
    format!("{partition}-{offset}")
}

/// The place that a letter's name is of.
pub(super) fn place_of(letter: &str) -> Option<Place> {
    let (partition, offset) = letter.split_once('-')?;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}

impl Queue {
    fn dead(&self) -> impl Iterator<Item = (Place, &Letter)> {
        self.states.iter().filter_map(|(place, state)| match state {
            State::Dead(letter) => Some((*place, letter)),
            State::Back { .. } | State::Out { .. } | State::Done | State::Lost => None,
        })
    }

    pub(super) fn dead_count(&self) -> usize {
        self.dead().count()
    }

    fn letter(&self, name: &str) -> Option<(Place, &Letter)> {
        let place = place_of(name)?;
        self.dead().find(|(there, _)| *there == place)
    }

    /// The first of the dead letters, in their order.
    pub(super) fn letters(&self, limit: usize) -> Expected {
        let letters = self.dead().take(limit).map(|(place, letter)| letter.shown(place));
        Expected::Done(json!({ "letters": letters.collect::<Vec<_>>() }))
    }

    /// What is asked of dead letters: of one, of some that are named, of all, or of the first.
    pub(super) fn of_letters(&mut self, at: Moment, (name, args): (&str, &Value)) -> Expected {
        match name {
            "queues.dead_letters" => self.letters(100),
            "queues.dead_letter" | "queues.edit" => self.one_letter(at, (name, args)),
            _ => {
                let named = args["letters"].as_array().map(|letters| self.named(letters));
                match named {
                    Some(Err(refused)) => refused,
                    Some(Ok(named)) => self.leave(at, name, &named),
                    None => {
                        let limit = args["limit"].as_u64().map(usize::try_from);
                        let most = limit.map_or(100, |limit| limit.expect("a page"));
                        let most = if name == "queues.redrive" { most } else { usize::MAX };
                        let first: Vec<_> = self.dead().take(most).map(|(at, _)| at).collect();
                        self.leave(at, name, &first)
                    }
                }
            }
        }
    }

    fn one_letter(&mut self, at: Moment, (name, args): (&str, &Value)) -> Expected {
        let asked = text(args, "letter").unwrap_or_default();
        let Some((place, letter)) = self.letter(&asked) else {
            return Expected::Refused("dead_letter_not_found", json!({ "letter": asked }));
        };
        let mut letter = letter.clone();
        if name == "queues.edit" {
            letter.data = args["data"].clone();
            letter.edited_at = Some(at.time);
            self.states.insert(place, State::Dead(letter.clone()));
            self.count("queues: letters edited");
        }
        let mut shown = letter.shown(place);
        if name == "queues.edit" {
            shown["outcome"] = json!("edited");
        }
        Expected::Done(shown)
    }

    /// These letters; one that is not there refuses them all.
    fn named(&self, letters: &[Value]) -> Result<Vec<Place>, Expected> {
        let found = |(index, name): (usize, &Value)| {
            let name = name.as_str().unwrap_or_default();
            let facts = json!({ "index": index, "letter": name });
            let missing = || Expected::Refused("dead_letter_not_found", facts);
            self.letter(name).map(|(place, _)| place).ok_or_else(missing)
        };
        letters.iter().enumerate().map(found).collect()
    }

    /// Letters go back into the queue, or for good.
    fn leave(&mut self, at: Moment, name: &str, letters: &[Place]) -> Expected {
        let redriven = name == "queues.redrive";
        for place in letters {
            let left = match self.states.remove(place) {
                Some(State::Dead(letter)) if redriven => {
                    let edited = letter.edited_at.is_some();
                    self.count(if edited {
                        "queues: redriven, edited"
                    } else {
                        "queues: redriven"
                    });
                    let copy = Some(Letter { redriven: letter.redriven + 1, ..letter });
                    State::Back { attempts: 0, from: at.time, copy }
                }
                _ => {
                    self.count("queues: letters purged");
                    State::Done
                }
            };
            self.states.insert(*place, left);
        }
        let outcome = if redriven { "redriven" } else { "purged" };
        let (count, dead) = (letters.len(), self.dead_count());
        Expected::Done(json!({ "outcome": outcome, "count": count, "dead": dead }))
    }
}
