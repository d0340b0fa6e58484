//! Fields that a later release added to a row.

use minicbor::{Decoder, Encoder, decode, encode};

/// The tail of a row's array that this release does not know, kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    count: u64,
    bytes: Vec<u8>,
}

impl Unknown {
    /// Begins an array of `known` fields with these after them.
    pub(super) fn begin<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        known: u64,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(known + self.count)?.ok()
    }

    /// Ends the array.
    pub(super) fn end<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
    ) -> Result<(), encode::Error<W::Error>> {
        e.writer_mut().write_all(&self.bytes).map_err(encode::Error::write)
    }

    /// Reads what follows `known` fields of an array of `fields`.
    pub(super) fn read(
        d: &mut Decoder<'_>,
        fields: u64,
        known: u64,
    ) -> Result<Self, decode::Error> {
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
pub(super) fn fields_of(d: &mut Decoder<'_>) -> Result<u64, decode::Error> {
    d.array()?.ok_or_else(|| decode::Error::message("a row states its number of fields"))
}

#[cfg(test)]
mod tests {
    use holdfast_state::row::Row as _;

    use crate::row::{AccountRow, TransferRow};

    /// A row's bytes with two more fields.
    fn with_more(bytes: &[u8]) -> Vec<u8> {
        let mut more = bytes.to_vec();
        assert!(more[0] & 0xE0 == 0x80 && more[0] & 0x1F < 21, "a short array");
        more[0] += 2;
        more.extend_from_slice(&minicbor::to_vec(("later", [1, 2])).unwrap()[1..]);
        more
    }

    #[test]
    fn fields_of_a_later_release_survive_a_rewrite() {
        let account = with_more(&minicbor::to_vec(AccountRow::example()).unwrap());
        let mut row = AccountRow::parse(&account).unwrap();
        assert_ne!(row, AccountRow::example());
        row.changes += 1;
        let mut rewritten = Vec::new();
        row.write(&mut rewritten);
        row.changes -= 1;
        let mut same = Vec::new();
        row.write(&mut same);
        assert_eq!(same, account);
        assert_eq!(rewritten.len(), account.len());
        let transfer = with_more(&minicbor::to_vec(TransferRow::example()).unwrap());
        let mut same = Vec::new();
        TransferRow::parse(&transfer).unwrap().write(&mut same);
        assert_eq!(same, transfer);
    }
}
