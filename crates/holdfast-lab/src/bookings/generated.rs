//! Bookings made up from a seed: a few small hotels that fill up.

use std::collections::BTreeMap;

use super::{Booking, Bookings, Day, End};
use crate::random::Random;

/// The first day of arrivals: 2026-06-01.
const SEASON: i32 = 20_605;

/// Nights of the season.
const NIGHTS: u64 = 60;

/// So many bookings, a tenth of which find no room at first.
#[must_use]
pub fn bookings(count: usize, seed: u64) -> Bookings {
    let mut random = Random::new(seed);
    let mut bookings: Vec<_> = (0..count).map(|_| booking(&mut random)).collect();
    bookings.sort_by_key(|booking| booking.booked);
    let stock = Bookings::stock_for(&bookings, 90);
    Bookings { name: "demo".to_owned(), bookings, stock, rejected: BTreeMap::new() }
}

fn booking(random: &mut Random) -> Booking {
    let below = |random: &mut Random, bound: u64| {
        i32::try_from(random.below(bound)).expect("small numbers are asked for")
    };
    let hotel = random.pick(&["harbour", "garden", "station"]);
    let room = random.pick(&["single", "double", "suite"]);
    let from = SEASON + below(random, NIGHTS);
    let to = from + 1 + below(random, 5);
    let booked = from - below(random, 90);
    let end = match random.below(100) {
        0..30 => End::Cancel,
        30..33 => End::NoShow,
        _ => End::CheckOut,
    };
    let ended = match end {
        End::Cancel => booked + below(random, u64::try_from(from - booked + 1).unwrap_or(1)),
        End::CheckOut => to,
        End::NoShow => from,
    };
    Booking {
        resource: format!("{hotel}-{room}"),
        guest: format!("guest-{}", random.below(500)),
        hotel: hotel.to_owned(),
        from: Day(from),
        to: Day(to),
        cents: i64::from(to - from) * i64::from(8_000 + below(random, 10_000)),
        booked: Day(booked),
        ended: Day(ended),
        end,
    }
}
