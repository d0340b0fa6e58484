//! Bookings of one lane, made and ended in the order of their days.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use super::{Booking, End, TOPIC, escrow};
use crate::{
    request::{Answer, Request, operation},
    scenario::Lane,
};

/// For how long a hold is held, and an offer open, if nothing else ends it: longer than
/// any run.
const HELD_FOR: &str = "P7D";

/// What a lane waits to be answered.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Book(usize),
    Join(usize),
    LookAtEntry(usize),
    Leave(usize),
    Settle,
}

/// A booking that is not over.
#[derive(Clone, Debug)]
enum Standing {
    /// It has its nights.
    Held,
    /// It waits for them.
    Waiting,
}

/// Bookings of one lane.
#[derive(Debug)]
pub(super) struct BookingLane {
    bookings: HashMap<usize, Booking>,
    /// What is still to come: a booking begins, or ends.
    events: VecDeque<(usize, bool)>,
    standing: HashMap<usize, Standing>,
    asked: Option<Asked>,
}

impl BookingLane {
    pub(super) fn new(bookings: impl Iterator<Item = (usize, Booking)>) -> Self {
        let bookings: HashMap<usize, Booking> = bookings.collect();
        let mut events: Vec<_> = bookings
            .iter()
            .flat_map(|(index, booking)| {
                [(booking.booked, true, *index), (booking.ended.max(booking.booked), false, *index)]
            })
            .collect();
        events.sort_by_key(|(day, begins, index)| (*day, !*begins, *index));
        let events = events.into_iter().map(|(_, begins, index)| (index, begins)).collect();
        Self { bookings, events, standing: HashMap::new(), asked: None }
    }

    /// What follows from an answer at once.
    fn follow(&mut self, asked: Asked, answer: &Answer) -> Option<(Asked, Request)> {
        match asked {
            Asked::Book(index) if answer.is_done() => {
                self.standing.insert(index, Standing::Held);
                None
            }
            Asked::Book(index) => Some((Asked::Join(index), self.join(index))),
            Asked::Join(index) => {
                if answer.is_done() {
                    self.standing.insert(index, Standing::Waiting);
                }
                None
            }
            Asked::LookAtEntry(index) => Some(self.after_look(index, answer)),
            // It was offered something meanwhile.
            Asked::Leave(index) if !answer.is_done() => {
                Some((Asked::LookAtEntry(index), look_at_entry(index)))
            }
            Asked::Leave(_) | Asked::Settle => None,
        }
    }

    fn after_look(&self, index: usize, answer: &Answer) -> (Asked, Request) {
        let entry = answer.results().into_iter().next().unwrap_or_default();
        match (entry["status"].as_str(), entry["hold"].as_str()) {
            (Some("offered"), Some(hold)) => {
                (Asked::Settle, self.settle(index, hold, Paid::Nothing))
            }
            _ => {
                let operations = vec![operation(
                    "reservations.leave_waitlist",
                    json!({ "id": entry_id(index) }),
                )];
                let request = Request::write(format!("b{index}-leave"), "leave", operations);
                (Asked::Leave(index), request)
            }
        }
    }

    fn event(&mut self, index: usize, begins: bool) -> Option<(Asked, Request)> {
        if begins {
            return Some((Asked::Book(index), self.book(index)));
        }
        match self.standing.remove(&index)? {
            Standing::Held => {
                Some((Asked::Settle, self.settle(index, &hold_id(index), Paid::ToEscrow)))
            }
            Standing::Waiting => Some((Asked::LookAtEntry(index), look_at_entry(index))),
        }
    }

    fn book(&self, index: usize) -> Request {
        let booking = &self.bookings[&index];
        let mut operations = vec![operation(
            "reservations.hold",
            json!({
                "id": hold_id(index),
                "resource": booking.resource,
                "from": booking.from.to_text(),
                "to": booking.to.to_text(),
                "expires_in": HELD_FOR,
                "price": { "amount": booking.cents, "asset": "EUR" },
            }),
        )];
        operations.extend(pay(booking, &booking.guest, &escrow(&booking.hotel)));
        operations.push(told("booking.held", index));
        Request::write(format!("b{index}-book"), "book", operations)
    }

    fn join(&self, index: usize) -> Request {
        let booking = &self.bookings[&index];
        let args = json!({
            "id": entry_id(index),
            "resource": booking.resource,
            "from": booking.from.to_text(),
            "to": booking.to.to_text(),
            "offer_expires_in": HELD_FOR,
        });
        let operations = vec![operation("reservations.join_waitlist", args)];
        Request::write(format!("b{index}-join"), "join", operations)
    }

    fn settle(&self, index: usize, hold: &str, paid: Paid) -> Request {
        let booking = &self.bookings[&index];
        let from = match paid {
            Paid::ToEscrow => escrow(&booking.hotel),
            Paid::Nothing => booking.guest.clone(),
        };
        let (op, to, kind, label) = match booking.end {
            End::CheckOut => ("confirm", &booking.hotel, "booking.completed", "check out"),
            End::NoShow => ("confirm", &booking.hotel, "booking.missed", "no-show"),
            End::Cancel => ("release", &booking.guest, "booking.cancelled", "cancel"),
        };
        let mut operations = vec![operation(&format!("reservations.{op}"), json!({ "id": hold }))];
        if from != *to {
            operations.extend(pay(booking, &from, to));
        }
        operations.push(told(kind, index));
        Request::write(format!("b{index}-settle"), label, operations)
    }
}

/// Where the money of a booking that ends is.
#[derive(Clone, Copy, Debug)]
enum Paid {
    /// It was paid when the nights were held.
    ToEscrow,
    /// It is the guest's: the nights were offered later.
    Nothing,
}

fn hold_id(index: usize) -> String {
    format!("b{index}")
}

fn entry_id(index: usize) -> String {
    format!("w{index}")
}

/// Nothing is paid for what costs nothing.
fn pay(booking: &Booking, from: &str, to: &str) -> Option<Value> {
    let args = json!({ "debit_account": from, "credit_account": to, "amount": booking.cents });
    (booking.cents > 0).then(|| operation("ledger.transfer", args))
}

fn told(kind: &str, index: usize) -> Value {
    let key = hold_id(index);
    let args = json!({ "topic": TOPIC, "key": key, "type": kind, "data": { "booking": index } });
    operation("topics.append", args)
}

fn look_at_entry(index: usize) -> Request {
    let args = json!({ "id": entry_id(index) });
    Request::look("look at entry", vec![operation("reservations.get_waitlist_entry", args)])
}

impl Lane for BookingLane {
    fn next(&mut self, last: Option<&Answer>) -> Option<Request> {
        let mut following =
            self.asked.take().zip(last).and_then(|(asked, answer)| self.follow(asked, answer));
        while following.is_none() {
            let (index, begins) = self.events.pop_front()?;
            following = self.event(index, begins);
        }
        following.map(|(asked, request)| {
            self.asked = Some(asked);
            request
        })
    }
}
