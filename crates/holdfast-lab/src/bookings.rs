//! Bookings of room nights: hold and pay, then check out, cancel or stay away; a
//! waitlist where nothing is left.
//!
//! Each booking is one transaction: hold the nights, move the money from the guest to
//! escrow. So is each end: confirm the hold and pay the hotel (also for a no-show, who
//! pays for what was kept free), or release it and pay the guest back. Who finds no room
//! waits, and is offered what others give up.
//!
//! Bookings come from [`hotel`] (a published data set) or are [`generated`]; `lane` asks,
//! `model` judges.

pub mod generated;
pub mod hotel;
mod lane;
mod model;

use std::collections::BTreeMap;

use serde_json::json;

use self::lane::BookingLane;
use crate::{
    history::History,
    request::{Request, operation},
    scenario::{Counts, Lane, Look, Scenario, Wrong},
};

/// A booking as it was made and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// What is booked: a hotel's rooms of one type.
    pub resource: String,
    /// Who pays.
    pub guest: String,
    /// Who is paid.
    pub hotel: String,
    /// The first night.
    pub from: Day,
    /// The day of departure.
    pub to: Day,
    /// What all of it costs, in cents; may be nothing.
    pub cents: i64,
    /// When it was made.
    pub booked: Day,
    /// When it ended.
    pub ended: Day,
    /// How.
    pub end: End,
}

/// How a booking ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The guest came; the hotel is paid.
    CheckOut,
    /// The guest called off; the nights and the money go back.
    Cancel,
    /// The guest did not come; the hotel is paid all the same.
    NoShow,
}

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    /// This day of the calendar.
    #[must_use]
    pub fn of(date: jiff::civil::Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = (date - epoch).get_days();
        Self(days)
    }

    /// As text: 2026-12-24.
    ///
    /// # Panics
    /// Beyond the years that have four digits.
    #[must_use]
    pub fn to_text(self) -> String {
        let epoch = jiff::civil::date(1970, 1, 1);
        let span = jiff::Span::new().days(self.0);
        epoch.checked_add(span).expect("a day of our time").to_string()
    }
}

/// Bookings to be made in this order, and how many rooms there are.
#[derive(Clone, Debug)]
pub struct Bookings {
    /// What people call it.
    pub name: String,
    /// In the order in which they are made.
    pub bookings: Vec<Booking>,
    /// Rooms of each resource.
    pub stock: BTreeMap<String, u64>,
    /// Rows that are no bookings, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
}

/// The topic of what happens to bookings.
const TOPIC: &str = "bookings";

impl Bookings {
    /// Rooms for this share of the most that were booked at one time, in percent: less
    /// than all, so that some find no room.
    pub fn stock_for(bookings: &[Booking], percent: u64) -> BTreeMap<String, u64> {
        let mut events: Vec<(Day, bool, &Booking)> = Vec::new();
        for booking in bookings {
            events.push((booking.booked, true, booking));
            if booking.end == End::Cancel {
                events.push((booking.ended, false, booking));
            }
        }
        events.sort_by_key(|(day, begins, _)| (*day, !*begins));
        let mut booked: BTreeMap<(&str, i32), u64> = BTreeMap::new();
        let mut peaks: BTreeMap<String, u64> = BTreeMap::new();
        for (_, begins, booking) in events {
            for night in booking.from.0..booking.to.0 {
                let count = booked.entry((&booking.resource, night)).or_default();
                if begins {
                    *count += 1;
                    let peak = peaks.entry(booking.resource.clone()).or_default();
                    *peak = (*peak).max(*count);
                } else {
                    *count -= 1;
                }
            }
        }
        peaks.values_mut().for_each(|peak| *peak = (*peak * percent / 100).max(1));
        peaks
    }

    /// Everybody who pays or is paid.
    fn accounts(&self) -> impl Iterator<Item = String> {
        let mut accounts: Vec<String> = Vec::new();
        for booking in &self.bookings {
            accounts.extend([booking.guest.clone(), booking.hotel.clone(), escrow(&booking.hotel)]);
        }
        accounts.sort();
        accounts.dedup();
        accounts.into_iter()
    }
}

/// The account where money waits until it is known whose it is.
fn escrow(hotel: &str) -> String {
    format!("escrow-{hotel}")
}

impl Scenario for Bookings {
    fn name(&self) -> &str {
        &self.name
    }

    fn prepare(&self) -> Vec<Request> {
        let accounts = self
            .accounts()
            .map(|id| operation("ledger.open_account", json!({ "id": id, "asset": "EUR" })));
        let rooms = self.stock.iter().map(|(id, stock)| {
            let args = json!({ "id": id, "kind": "nights", "stock": stock });
            operation("reservations.create_resource", args)
        });
        let topic = operation("topics.create", json!({ "id": TOPIC }));
        let operations: Vec<_> = accounts.chain(rooms).chain([topic]).collect();
        let pieces = operations.chunks(100).enumerate();
        pieces
            .map(|(number, piece)| {
                Request::write(format!("prepare-{number}"), "prepare", piece.to_vec())
            })
            .collect()
    }

    fn lanes(&self, count: usize) -> Vec<Box<dyn Lane>> {
        let lane = |number| -> Box<dyn Lane> {
            let own = self.bookings.iter().enumerate();
            let own = own.filter(|(index, _)| index % count == number);
            Box::new(BookingLane::new(own.map(|(index, booking)| (index, booking.clone()))))
        };
        (0..count).map(lane).collect()
    }

    fn expected(&self) -> u64 {
        self.bookings.len() as u64 * 2
    }

    fn judge(&self, history: &History, look: &mut dyn Look) -> Result<Counts, Wrong> {
        model::judge(self, history, look)
    }
}
