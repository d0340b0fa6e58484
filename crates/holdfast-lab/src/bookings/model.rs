//! What bookings must come to: a few maps, told of every request in version order.
//!
//! It knows nothing of how rooms are counted or money is kept; it does the simplest
//! thing that is right and compares outcome by outcome, then the whole state.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::{Booking, Bookings, Day, End, TOPIC, escrow};
use crate::{
    history::{History, Record},
    request::operation,
    scenario::{Counts, Look, Wrong, shown},
};

/// Nights that one look at a calendar shows.
const LOOK_NIGHTS: i32 = 300;

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Held,
    Waiting,
    Offered,
    Over,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Level {
    held: u64,
    sold: u64,
}

struct Model<'a> {
    scenario: &'a Bookings,
    levels: HashMap<(&'a str, i32), Level>,
    /// Who waits for a resource, in order.
    queues: HashMap<&'a str, Vec<usize>>,
    standing: HashMap<usize, Standing>,
    money: BTreeMap<String, i64>,
    told: i64,
    counts: BTreeMap<&'static str, i64>,
}

pub(super) fn judge(
    scenario: &Bookings,
    history: &History,
    look: &mut dyn Look,
) -> Result<Counts, Wrong> {
    let mut model = Model {
        scenario,
        levels: HashMap::new(),
        queues: HashMap::new(),
        standing: HashMap::new(),
        money: scenario.accounts().map(|account| (account, 0)).collect(),
        told: 0,
        counts: BTreeMap::new(),
    };
    for record in history.records() {
        model.take(record)?;
    }
    model.check_calendars(look)?;
    model.check_money(look)?;
    model.check_topic(look)?;
    let rejected = scenario.rejected.iter();
    let rejected = rejected.map(|(why, count)| {
        (format!("rejected: {why}"), i64::try_from(*count).unwrap_or(i64::MAX))
    });
    let counts = model.counts.into_iter().map(|(what, count)| (what.to_owned(), count));
    Ok(rejected.chain(counts).collect())
}

impl<'a> Model<'a> {
    fn take(&mut self, record: &Record) -> Result<(), Wrong> {
        let index = index_of(&record.key).ok_or_else(|| Wrong(shown(record)))?;
        let booking = &self.scenario.bookings[index];
        let expected = match record.label {
            "book" => self.book(index, booking),
            "join" => self.join(index, booking),
            "leave" => self.leave(index, booking),
            _ => self.settle(index, booking),
        };
        let refused = record.answer.refused.as_deref();
        if refused == expected {
            return Ok(());
        }
        let (found, expected) = (refused.unwrap_or("done"), expected.unwrap_or("done"));
        Wrong::because(format!("{} was {found}, and should be {expected}", shown(record)))
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn fits(&self, booking: &'a Booking) -> bool {
        let stock = self.scenario.stock[&booking.resource];
        (booking.from.0..booking.to.0).all(|night| {
            let level = self.levels.get(&(&booking.resource, night)).copied().unwrap_or_default();
            level.held + level.sold < stock
        })
    }

    fn each_level(&mut self, booking: &'a Booking, change: impl Fn(&mut Level)) {
        for night in booking.from.0..booking.to.0 {
            change(self.levels.entry((&booking.resource, night)).or_default());
        }
    }

    fn pay(&mut self, from: &str, to: &str, cents: i64) {
        *self.money.entry(from.to_owned()).or_default() -= cents;
        *self.money.entry(to.to_owned()).or_default() += cents;
    }

    fn book(&mut self, index: usize, booking: &'a Booking) -> Option<&'static str> {
        if !self.fits(booking) {
            self.count("found no room");
            return Some("sold_out");
        }
        self.each_level(booking, |level| level.held += 1);
        self.standing.insert(index, Standing::Held);
        self.pay(&booking.guest, &escrow(&booking.hotel), booking.cents);
        self.told += 1;
        self.count("held and paid");
        None
    }

    fn join(&mut self, index: usize, booking: &'a Booking) -> Option<&'static str> {
        if self.fits(booking) {
            self.offer(index, booking);
        } else {
            self.standing.insert(index, Standing::Waiting);
            self.queues.entry(&booking.resource).or_default().push(index);
        }
        None
    }

    fn offer(&mut self, index: usize, booking: &'a Booking) {
        self.each_level(booking, |level| level.held += 1);
        self.standing.insert(index, Standing::Offered);
        self.count("offered from the waitlist");
    }

    /// Nights became free: whoever waits and fits now is offered them, in order.
    fn freed(&mut self, freed: &'a Booking) {
        let waiting = self.queues.remove(&*freed.resource).unwrap_or_default();
        let mut left = Vec::with_capacity(waiting.len());
        for index in waiting {
            let booking = &self.scenario.bookings[index];
            let touched = booking.from < freed.to && freed.from < booking.to;
            if touched && self.fits(booking) {
                self.offer(index, booking);
            } else {
                left.push(index);
            }
        }
        self.queues.insert(&freed.resource, left);
    }

    fn leave(&mut self, index: usize, booking: &'a Booking) -> Option<&'static str> {
        if self.standing.get(&index) != Some(&Standing::Waiting) {
            return Some("entry_offered");
        }
        self.standing.insert(index, Standing::Over);
        let queue = self.queues.entry(&booking.resource).or_default();
        queue.retain(|waiting| *waiting != index);
        self.count("left the waitlist");
        None
    }

    fn settle(&mut self, index: usize, booking: &'a Booking) -> Option<&'static str> {
        let from = match self.standing.insert(index, Standing::Over) {
            Some(Standing::Held) => escrow(&booking.hotel),
            Some(Standing::Offered) => booking.guest.clone(),
            Some(Standing::Waiting | Standing::Over) | None => {
                return Some("a booking that stands");
            }
        };
        self.told += 1;
        match booking.end {
            End::CheckOut | End::NoShow => {
                self.each_level(booking, |level| {
                    level.held -= 1;
                    level.sold += 1;
                });
                self.pay(&from, &booking.hotel, booking.cents);
                let is_stay = booking.end == End::CheckOut;
                self.count(if is_stay { "checked out" } else { "did not come" });
            }
            End::Cancel => {
                self.each_level(booking, |level| level.held -= 1);
                self.pay(&from, &booking.guest, booking.cents);
                self.count("cancelled");
                self.freed(booking);
            }
        }
        None
    }

    fn check_calendars(&self, look: &mut dyn Look) -> Result<(), Wrong> {
        let Some(first) = self.scenario.bookings.iter().map(|booking| booking.from.0).min() else {
            return Ok(());
        };
        let last = self.scenario.bookings.iter().map(|booking| booking.to.0).max();
        let last = last.unwrap_or(first);
        let mut windows = Vec::new();
        for resource in self.scenario.stock.keys() {
            for from in (first..last).step_by(usize::try_from(LOOK_NIGHTS).expect("a few hundred"))
            {
                windows.push((resource.as_str(), from, (from + LOOK_NIGHTS).min(last)));
            }
        }
        let operations = windows.iter().map(|(resource, from, to)| {
            let (from, to) = (Day(*from).to_text(), Day(*to).to_text());
            let args = json!({ "resource": resource, "from": from, "to": to });
            operation("reservations.availability", args)
        });
        let shown = asked(look, operations.collect())?;
        for ((resource, from, to), shown) in windows.into_iter().zip(shown) {
            for (night, found) in (from..to).zip(shown["levels"].as_array().into_iter().flatten()) {
                let level = self.levels.get(&(resource, night)).copied().unwrap_or_default();
                let stock = self.scenario.stock[resource];
                let available = stock - level.held - level.sold;
                let same = found["held"] == level.held
                    && found["sold"] == level.sold
                    && found["available"] == available
                    && found["stock"] == stock;
                if !same {
                    let night = Day(night).to_text();
                    let what = format!(
                        "{resource} on {night} is {found}, and should be {level:?} of {stock}"
                    );
                    return Wrong::because(what);
                }
            }
        }
        Ok(())
    }

    fn check_money(&self, look: &mut dyn Look) -> Result<(), Wrong> {
        let accounts = self.money.keys();
        let operations =
            accounts.map(|account| operation("ledger.account", json!({ "id": account })));
        let found = asked(look, operations.collect())?;
        for ((account, balance), found) in self.money.iter().zip(found) {
            if found["balance"] != *balance {
                let what = format!("{account} has {}, and should have {balance}", found["balance"]);
                return Wrong::because(what);
            }
        }
        Ok(())
    }

    fn check_topic(&self, look: &mut dyn Look) -> Result<(), Wrong> {
        let found = asked(look, vec![operation("topics.get", json!({ "id": TOPIC }))])?;
        let messages = &found[0]["last_offsets"][0];
        if *messages != self.told {
            let what = format!("the topic has {messages} messages, and should have {}", self.told);
            return Wrong::because(what);
        }
        Ok(())
    }
}

fn asked(look: &mut dyn Look, operations: Vec<Value>) -> Result<Vec<Value>, Wrong> {
    look.look(operations)
        .map_err(|error| Wrong(format!("the state cannot be looked at: {error:#}")))
}

fn index_of(key: &str) -> Option<usize> {
    key.strip_prefix('b')?.split('-').next()?.parse().ok()
}
