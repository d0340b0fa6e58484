//! Bookings made up from a seed: a few small hotels that fill up.

use std::collections::BTreeMap;

use super::{Booking, Bookings, Day, End};
use crate::random::Random;

/// The first day of arrivals: 2026-06-01.
const SEASON: i32 = 20_605;

/// Nights of the season.
const NIGHTS: u64 = 60;

const HOTELS: &[&str] = &["harbour", "garden", "station"];

const ROOMS: &[&str] = &["single", "double", "suite"];

/// About so many bookings are of one kind of room. What becomes free is offered in one step to no more
/// than 512 who wait, and to those behind them in the next, of which the model knows nothing.
const BOOKINGS_PER_KIND: usize = 256;

/// So many bookings, a tenth of which find no room at first; the more, the more hotels.
#[must_use]
pub fn bookings(count: usize, seed: u64) -> Bookings {
    let mut random = Random::new(seed);
    let streets = count.div_ceil(HOTELS.len() * ROOMS.len() * BOOKINGS_PER_KIND).max(1);
    let mut bookings: Vec<_> = (0..count).map(|_| booking(&mut random, streets)).collect();
    bookings.sort_by_key(|booking| booking.booked);
    let stock = Bookings::stock_for(&bookings, 90);
    Bookings { name: "demo".to_owned(), bookings, stock, rejected: BTreeMap::new() }
}

fn booking(random: &mut Random, streets: usize) -> Booking {
    let below = |random: &mut Random, bound: u64| {
        i32::try_from(random.below(bound)).expect("small numbers are asked for")
    };
    let street = random.below(streets as u64);
    let hotel = format!("{}-{street}", random.pick(HOTELS));
    let room = random.pick(ROOMS);
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
        hotel,
        from: Day(from),
        to: Day(to),
        cents: i64::from(to - from) * i64::from(8_000 + below(random, 10_000)),
        booked: Day(booked),
        ended: Day(ended),
        end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_there_are_nobody_waits_behind_more_than_one_look_goes_through() {
        for count in [1, 3_000, 30_000, 100_000] {
            let made = bookings(count, 1);
            let mut of_a_kind: BTreeMap<&str, usize> = BTreeMap::new();
            for booking in &made.bookings {
                *of_a_kind.entry(&booking.resource).or_default() += 1;
            }
            let most = of_a_kind.values().max();
            assert!(most.is_some_and(|most| *most < 512), "{most:?} of {count}");
        }
    }
}
