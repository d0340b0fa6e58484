//! What is taken of a slot.

use holdfast_state::unknown::{Unknown, fields_of};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::Stock;

/// A slot. `held + sold` is at most its stock, and the rest is available.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelRow {
    /// Its own stock, where it is not the resource's.
    pub stock: Option<Stock>,
    /// How many are held.
    pub held: u64,
    /// How many are sold.
    pub sold: u64,
    /// Fields of a later release.
    pub unknown: Unknown,
}

impl LevelRow {
    /// Its stock, where `default` is the resource's.
    #[must_use]
    pub fn stock(&self, default: Stock) -> u64 {
        self.stock.unwrap_or(default).get()
    }

    /// How many are held or sold.
    ///
    /// # Panics
    /// When the sum does not fit, which no two counts do.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.held.checked_add(self.sold).expect("both are at most a stock, of 53 bits")
    }

    /// How many are left, where `default` is the resource's stock.
    ///
    /// # Panics
    /// When more is taken than there is: that must stop whatever goes on.
    #[must_use]
    pub fn available(&self, default: Stock) -> u64 {
        let stock = self.stock(default);
        stock.checked_sub(self.taken()).expect("held and sold are at most the stock")
    }

    /// Does it say nothing? Then it has no row.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

const FIELDS: u64 = 3;

impl<C> Encode<C> for LevelRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, FIELDS)?;
        e.encode(self.stock)?.u64(self.held)?.u64(self.sold)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for LevelRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            stock: d.decode()?,
            held: d.u64()?,
            sold: d.u64()?,
            unknown: Unknown::read(d, fields, FIELDS)?,
        })
    }
}
