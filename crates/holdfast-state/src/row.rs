//! Rows: values with numbered fields, as bytes.
//!
//! A row type derives `minicbor::Encode` and `Decode` with `#[cbor(map)]` or
//! array encoding and `#[n(…)]` numbers that are never given twice. Adding an
//! optional field keeps old bytes readable.

/// What a table holds. Implemented by every type that can be written and read
/// as CBOR.
pub trait Row: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> {
    /// This row's bytes, appended.
    fn write(&self, out: &mut Vec<u8>) {
        minicbor::encode(self, out).expect("writing to memory cannot fail");
    }

    /// The row these bytes are.
    ///
    /// # Errors
    /// [`BadRow`]: they are not one, or something follows.
    fn parse(bytes: &[u8]) -> Result<Self, BadRow> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let row = decoder.decode().map_err(|_| BadRow)?;
        if decoder.position() == bytes.len() { Ok(row) } else { Err(BadRow) }
    }
}

impl<T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>> Row for T {}

/// Bytes that are not a row of their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored bytes are not a row of their table")]
pub struct BadRow;
