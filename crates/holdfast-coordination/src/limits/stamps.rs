//! When what was accepted: times and costs, as few bytes as can be.
//!
//! As bytes, each stamp is two numbers in base 128, the lowest digit first: microseconds
//! since the stamp before (since 1970 for the first), and the cost.

use holdfast_state::LogTime;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Something was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: LogTime,
    /// How much; more than zero.
    pub cost: u64,
}

/// Stamps, the earliest first, no two of one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamps(Vec<Stamp>);

impl Stamps {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The earliest.
    #[must_use]
    pub fn first(&self) -> Option<Stamp> {
        self.0.first().copied()
    }

    /// The latest.
    #[must_use]
    pub fn last(&self) -> Option<Stamp> {
        self.0.last().copied()
    }

    /// All of them, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = Stamp> {
        self.0.iter().copied()
    }

    /// What they cost together.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.0.iter().map(|stamp| stamp.cost).sum()
    }

    /// Adds the cost to the latest stamp if that is of this time.
    #[must_use]
    pub fn merge(&mut self, stamp: Stamp) -> bool {
        let last = self.0.last_mut().filter(|last| last.at == stamp.at);
        last.map(|last| last.cost += stamp.cost).is_some()
    }

    /// Adds stamps that are later than all there are.
    ///
    /// # Panics
    /// When they are not: log time never goes back.
    pub fn append(&mut self, later: Self) {
        let ordered = self.last().zip(later.first()).is_none_or(|(last, first)| last.at < first.at);
        assert!(ordered, "stamps come in the order of log time");
        self.0.extend(later.0);
    }

    /// Takes its cost out of the stamp of its time.
    ///
    /// # Panics
    /// When there is no such stamp, or it costs less.
    pub fn take(&mut self, stamp: Stamp) {
        let at = self.0.binary_search_by_key(&stamp.at, |other| other.at);
        let at = at.expect("who takes a stamp out has put it in");
        self.0[at].cost -= stamp.cost;
        if self.0[at].cost == 0 {
            self.0.remove(at);
        }
    }

    /// Removes the stamps up to this time, and says what they cost.
    pub fn drop_until(&mut self, until: LogTime) -> u64 {
        let over = self.0.iter().take_while(|stamp| stamp.at <= until).count();
        self.0.drain(..over).map(|stamp| stamp.cost).sum()
    }
}

impl From<Stamp> for Stamps {
    fn from(stamp: Stamp) -> Self {
        Self(vec![stamp])
    }
}

const DIGIT: u64 = 0x7f;
const MORE: u8 = 0x80;

fn push_number(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let digit = u8::try_from(number & DIGIT).expect("seven bits");
        number >>= 7;
        if number == 0 {
            return out.push(digit);
        }
        out.push(digit | MORE);
    }
}

/// The number that begins these bytes, and what follows it.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        let digit = u64::from(byte & !MORE);
        let shifted = digit << (7 * place);
        if shifted >> (7 * place) != digit {
            return None;
        }
        number |= shifted;
        if byte & MORE == 0 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}

fn stamps(mut bytes: &[u8]) -> Option<Stamps> {
    let (mut stamps, mut at) = (Vec::with_capacity(bytes.len() / 3), 0_u64);
    while !bytes.is_empty() {
        let (since, rest) = number(bytes)?;
        let (cost, rest) = number(rest)?;
        if since == 0 && !stamps.is_empty() {
            return None;
        }
        at = at.checked_add(since)?;
        stamps.push(Stamp { at: LogTime::from_us(at), cost });
        bytes = rest;
    }
    Some(Stamps(stamps))
}

impl<C> Encode<C> for Stamps {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let (mut bytes, mut before) = (Vec::with_capacity(8 + 5 * self.0.len()), LogTime::ZERO);
        for stamp in &self.0 {
            push_number(&mut bytes, stamp.at.since_us(before));
            push_number(&mut bytes, stamp.cost);
            before = stamp.at;
        }
        e.bytes(&bytes)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Stamps {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        stamps(d.bytes()?).ok_or_else(|| decode::Error::message("stamps do not decode"))
    }
}

#[cfg(test)]
mod tests {
    use holdfast_state::row::Row as _;
    use proptest::prelude::*;

    use super::*;

    fn list(list: &[(u64, u64)]) -> Stamps {
        let stamp = |(us, cost): &(u64, u64)| Stamp { at: LogTime::from_us(*us), cost: *cost };
        Stamps(list.iter().map(stamp).collect())
    }

    fn bytes_of(stamps: &Stamps) -> Vec<u8> {
        let mut bytes = Vec::new();
        stamps.write(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            gaps in prop::collection::vec((1..1_000_000_000_000_u64, 1..=u64::MAX), 0..40)
        ) {
            let mut at = 0_u64;
            let stamps = gaps.iter().map(|(gap, cost)| {
                at += gap;
                (at, *cost)
            });
            let stamps = list(&stamps.collect::<Vec<_>>());
            prop_assert_eq!(Stamps::parse(&bytes_of(&stamps)), Ok(stamps));
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(stamps) = stamps(&bytes) {
                prop_assert!(stamps.iter().zip(stamps.iter().skip(1)).all(|(a, b)| a.at <= b.at));
            }
        }
    }

    #[test]
    fn a_stamp_a_millisecond_later_takes_three_bytes() {
        let one = bytes_of(&list(&[(1_767_225_600_000_000, 1)])).len();
        let two = bytes_of(&list(&[(1_767_225_600_000_000, 1), (1_767_225_600_001_000, 1)])).len();
        assert_eq!(two - one, 3);
    }

    #[test]
    fn those_of_one_time_become_one_and_the_old_ones_go() {
        let mut stamps = list(&[(1, 5), (3, 1)]);
        let at = |us, cost| Stamp { at: LogTime::from_us(us), cost };
        assert!(stamps.merge(at(3, 2)) && !stamps.merge(at(4, 2)));
        stamps.append(at(4, 2).into());
        assert_eq!((stamps.cost(), stamps.len()), (10, 3));
        stamps.take(at(3, 2));
        assert_eq!(stamps.drop_until(LogTime::from_us(3)), 6);
        assert_eq!(stamps, list(&[(4, 2)]));
        stamps.take(at(4, 2));
        assert!(stamps.is_empty());
    }
}
