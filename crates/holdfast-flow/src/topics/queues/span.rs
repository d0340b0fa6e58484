//! The messages of a delivery: a stretch of offsets, less those that are settled.
//!
//! A bit for each offset, so that a delivery of a thousand messages is a row of some 150
//! bytes in whatever order they are settled, and of a few bytes until the first is.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// Offsets of a partition, side by side, of which some are settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    first: u64,
    count: u32,
    /// A bit for each offset, lowest first; empty when none is settled.
    settled: Vec<u8>,
}

impl Span {
    /// This many offsets from `first` on, none settled.
    #[must_use]
    pub const fn whole(first: u64, count: u32) -> Self {
        Self { first, count, settled: Vec::new() }
    }

    /// These offsets and no other; `None` when there are none. They rise, and lie within
    /// as many as a `u32` counts.
    #[must_use]
    pub fn only(offsets: &[u64]) -> Option<Self> {
        let (first, last) = (*offsets.first()?, *offsets.last()?);
        let count = u32::try_from(last - first + 1).expect("offsets of one delivery");
        let mut span = Self::whole(first, count);
        if offsets.len() as u64 <= last - first {
            span.settled = vec![0xFF; bytes(count)];
            for offset in offsets {
                let index = span.index(*offset).expect("it lies between the first and the last");
                span.settled[index / 8] &= !(1 << (index % 8));
            }
        }
        Some(span)
    }

    /// The lowest offset, settled or not.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The highest offset, settled or not.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first + u64::from(self.count) - 1
    }

    /// Is this offset one of them, and not settled?
    #[must_use]
    pub fn holds(&self, offset: u64) -> bool {
        self.index(offset).is_some_and(|index| !self.is_settled(index))
    }

    /// The offsets that are not settled, in order.
    pub fn offsets(&self) -> impl Iterator<Item = u64> + '_ {
        (self.first..).take(self.count as usize).filter(|offset| self.holds(*offset))
    }

    /// How many are not settled.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.offsets().count() as u64
    }

    /// Settles an offset. Returns whether it was one of them and not settled.
    pub fn settle(&mut self, offset: u64) -> bool {
        let Some(index) = self.index(offset).filter(|index| !self.is_settled(*index)) else {
            return false;
        };
        if self.settled.is_empty() {
            self.settled = vec![0; bytes(self.count)];
        }
        self.settled[index / 8] |= 1 << (index % 8);
        true
    }

    fn index(&self, offset: u64) -> Option<usize> {
        let index = offset.checked_sub(self.first).filter(|index| *index < self.count.into())?;
        usize::try_from(index).ok()
    }

    fn is_settled(&self, index: usize) -> bool {
        self.settled.get(index / 8).is_some_and(|bits| bits & (1 << (index % 8)) != 0)
    }
}

const fn bytes(count: u32) -> usize {
    count.div_ceil(8) as usize
}

impl<C> Encode<C> for Span {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(3)?.u64(self.first)?.u32(self.count)?.bytes(&self.settled)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Span {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bad = || decode::Error::message("a span has offsets and as many bits, or none");
        if d.array()? != Some(3) {
            return Err(bad());
        }
        let (first, count, settled) = (d.u64()?, d.u32()?, d.bytes()?.to_vec());
        let fits = first.checked_add(count.into()).is_some() && count > 0;
        if !fits || !(settled.is_empty() || settled.len() == bytes(count)) {
            return Err(bad());
        }
        Ok(Self { first, count, settled })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use holdfast_state::row::Row as _;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_span_is_a_set_of_offsets(
            offsets in prop::collection::btree_set(5..40_u64, 1..30),
            settled in prop::collection::vec(0..50_u64, 0..40),
        ) {
            let list: Vec<_> = offsets.iter().copied().collect();
            let (mut span, mut set) = (Span::only(&list).unwrap(), offsets);
            prop_assert_eq!((span.first(), span.last()), (list[0], list[list.len() - 1]));
            for offset in settled {
                prop_assert_eq!(span.settle(offset), set.remove(&offset));
                prop_assert_eq!(span.offsets().collect::<BTreeSet<_>>(), set.clone());
                prop_assert_eq!(span.open(), set.len() as u64);
                let again = Span::parse(&minicbor::to_vec(&span).unwrap()).unwrap();
                prop_assert_eq!(&span, &again);
            }
        }
    }

    #[test]
    fn a_whole_span_holds_all_and_is_short() {
        let span = Span::whole(7, 1000);
        assert_eq!(span.open(), 1000);
        assert!(span.holds(7) && span.holds(1006) && !span.holds(6) && !span.holds(1007));
        assert!(minicbor::to_vec(&span).unwrap().len() < 8);
        assert_eq!(Span::only(&(7..1007).collect::<Vec<_>>()), Some(span));
        assert_eq!(Span::only(&[]), None);
    }

    #[test]
    fn what_is_no_span_is_refused() {
        let decode = |bytes: &[u8]| Span::parse(bytes).is_ok();
        assert!(decode(&[0x83, 7, 9, 0x42, 0, 0]));
        assert!(decode(&[0x83, 7, 9, 0x40]));
        assert!(!decode(&[0x83, 7, 9, 0x41, 0]));
        assert!(!decode(&[0x83, 7, 0, 0x40]));
        assert!(!decode(&[0x82, 7, 9]));
    }
}
