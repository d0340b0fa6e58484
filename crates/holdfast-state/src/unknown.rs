//! Fields that a later release added to a row.
//!
//! A row that is rewritten keeps them, so that a release that knows fewer fields
//! loses nothing that a later one wrote. Such a row is a CBOR array that begins
//! with [`Unknown::begin`] and ends with [`Unknown::end`].

use minicbor::{Decoder, Encoder, decode, encode};

/// The tail of a row's array that this release does not know, kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    count: u64,
    bytes: Vec<u8>,
}

impl Unknown {
    /// Begins an array of `known` fields with these after them.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn begin<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        known: u64,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(known + self.count)?.ok()
    }

    /// Ends the array.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn end<W: encode::Write>(&self, e: &mut Encoder<W>) -> Result<(), encode::Error<W::Error>> {
        e.writer_mut().write_all(&self.bytes).map_err(encode::Error::write)
    }

    /// Reads what follows `known` fields of an array of `fields`.
    ///
    /// # Errors
    /// The array has fewer, or what follows is no CBOR.
    pub fn read(d: &mut Decoder<'_>, fields: u64, known: u64) -> Result<Self, decode::Error> {
        let count = fields
            .checked_sub(known)
            .ok_or_else(|| decode::Error::message("a row has fewer fields than its format"))?;
        let start = d.position();
        for _ in 0..count {
            d.skip()?;
        }
        Ok(Self { count, bytes: d.input()[start..d.position()].to_vec() })
    }
}

/// The number of fields of a row.
///
/// # Errors
/// What follows is not an array that states its length.
pub fn fields_of(d: &mut Decoder<'_>) -> Result<u64, decode::Error> {
    d.array()?.ok_or_else(|| decode::Error::message("a row states its number of fields"))
}

#[cfg(test)]
mod tests {
    use minicbor::{Decode, Encode};

    use super::*;
    use crate::row::Row as _;

    /// A row of one known field.
    #[derive(Debug, PartialEq)]
    struct Counter {
        count: u64,
        unknown: Unknown,
    }

    impl<C> Encode<C> for Counter {
        fn encode<W: encode::Write>(
            &self,
            e: &mut Encoder<W>,
            _: &mut C,
        ) -> Result<(), encode::Error<W::Error>> {
            self.unknown.begin(e, 1)?;
            e.u64(self.count)?;
            self.unknown.end(e)
        }
    }

    impl<'b, C> Decode<'b, C> for Counter {
        fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
            let fields = fields_of(d)?;
            Ok(Self { count: d.u64()?, unknown: Unknown::read(d, fields, 1)? })
        }
    }

    #[test]
    fn fields_of_a_later_release_survive_a_rewrite() {
        let later = minicbor::to_vec((7_u64, "later", [1_u8, 2])).unwrap();
        let mut row = Counter::parse(&later).unwrap();
        row.count += 1;
        let mut rewritten = Vec::new();
        row.write(&mut rewritten);
        assert_eq!(rewritten, minicbor::to_vec((8_u64, "later", [1_u8, 2])).unwrap());
        let plain = minicbor::to_vec((7_u64,)).unwrap();
        let row = Counter::parse(&plain).unwrap();
        assert_eq!(row, Counter { count: 7, unknown: Unknown::default() });
        assert!(Counter::parse(&minicbor::to_vec([0_u8; 0]).unwrap()).is_err());
    }
}
