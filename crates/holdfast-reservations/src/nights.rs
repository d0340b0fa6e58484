//! A stay: the nights from one date up to, and not with, another.

use std::ops::Range;

use holdfast_state::Date;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// The most nights that one request may be about.
pub const NIGHTS_MAX: u32 = 366;

/// The nights `from <= night < to`: one at least, and at most [`NIGHTS_MAX`]. Two
/// stays of which one ends on the day on which the other begins have none in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nights {
    from: Date,
    to: Date,
}

/// Why two dates are no [`Nights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNights {
    /// The stay ends before it has a night.
    Empty,
    /// It has more nights than a request may be about.
    TooLong {
        /// How many.
        nights: u32,
    },
}

impl Nights {
    /// The nights from one date up to, and not with, another.
    ///
    /// # Errors
    /// [`NotNights`]
    pub const fn new(from: Date, to: Date) -> Result<Self, NotNights> {
        match to.day().checked_sub(from.day()) {
            None | Some(0) => Err(NotNights::Empty),
            Some(nights) if nights > NIGHTS_MAX => Err(NotNights::TooLong { nights }),
            Some(_) => Ok(Self { from, to }),
        }
    }

    /// The first night.
    #[must_use]
    pub const fn from(self) -> Date {
        self.from
    }

    /// The day of departure.
    #[must_use]
    pub const fn to(self) -> Date {
        self.to
    }
}

/// The slots that a request takes: those of its nights, or the only one that a
/// resource without nights has.
#[must_use]
pub const fn slots(nights: Option<Nights>) -> Range<u32> {
    match nights {
        Some(nights) => nights.from.day()..nights.to.day(),
        None => 0..1,
    }
}

/// Have two ranges a slot in common?
#[must_use]
pub const fn overlap(a: &Range<u32>, b: &Range<u32>) -> bool {
    a.start < b.end && b.start < a.end
}

impl<C> Encode<C> for Nights {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.encode(self.from)?.u32(self.to.day() - self.from.day())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Nights {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bad = || decode::Error::message("not the nights of a stay");
        if d.array()? != Some(2) {
            return Err(bad());
        }
        let from: Date = d.decode()?;
        let to = from.day().checked_add(d.u32()?).and_then(|day| Date::from_day(day).ok());
        Self::new(from, to.ok_or_else(bad)?).map_err(|_| bad())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nights(from: &str, to: &str) -> Result<Nights, NotNights> {
        Nights::new(from.parse().unwrap(), to.parse().unwrap())
    }

    #[test]
    fn a_stay_has_nights_and_not_too_many() {
        assert_eq!(nights("2026-12-24", "2026-12-24"), Err(NotNights::Empty));
        assert_eq!(nights("2026-12-24", "2026-12-23"), Err(NotNights::Empty));
        assert_eq!(slots(nights("1970-01-02", "1970-01-04").ok()), 1..3);
        assert!(nights("2024-01-01", "2025-01-01").is_ok());
        assert_eq!(nights("2024-01-01", "2025-01-02"), Err(NotNights::TooLong { nights: 367 }));
    }

    #[test]
    fn the_day_of_departure_is_free_for_others() {
        let stay = |from, to| slots(nights(from, to).ok());
        let christmas = stay("2026-12-24", "2026-12-26");
        assert!(!overlap(&christmas, &stay("2026-12-26", "2026-12-27")));
        assert!(!overlap(&christmas, &stay("2026-12-20", "2026-12-24")));
        assert!(overlap(&christmas, &stay("2026-12-25", "2026-12-26")));
        assert!(overlap(&christmas, &stay("2026-12-01", "2027-01-01")));
    }

    #[test]
    fn bytes_that_are_no_stay_are_refused() {
        let stay = nights("2026-12-24", "2026-12-26").unwrap();
        let bytes = minicbor::to_vec(stay).unwrap();
        assert_eq!(decode::<Nights>(&bytes).unwrap(), stay);
        for bad in [(5_u32, 0_u32), (5, 367), (2_932_896, 1), (u32::MAX, 1)] {
            assert!(decode::<Nights>(&minicbor::to_vec(bad).unwrap()).is_err());
        }
    }
}
