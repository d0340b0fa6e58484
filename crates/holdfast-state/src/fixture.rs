//! Fixtures: rows of every format that was ever released stay readable, and are written
//! as they were.
//!
//! A file of fixtures has one row a line, `name: bytes in hexadecimal`. It is never edited,
//! only added to; a test says in today's types what each row is.
//!
//! ```text
//! account empty: 86635f6f6e65…
//! ```
//!
//! For tests: whatever does not fit panics, and says what the bytes are now.

use std::fmt::Debug;

use crate::row::Row;

/// The fixtures of one format.
#[derive(Clone, Copy, Debug)]
pub struct Fixtures(&'static str);

impl Fixtures {
    /// The fixtures in this text: a file of theirs, as `include_str!` brings it.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// The bytes of a fixture; none when there is no such fixture.
    ///
    /// # Panics
    /// When they are not in hexadecimal.
    #[must_use]
    pub fn bytes(self, name: &str) -> Vec<u8> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let byte = |two: &[u8]| {
            let digits = str::from_utf8(two).ok();
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            byte.unwrap_or_else(|| panic!("{name} is not in hexadecimal"))
        };
        line.unwrap_or_default().as_bytes().chunks(2).map(byte).collect()
    }

    /// The fixture reads as this row, and this release still writes the same bytes.
    ///
    /// # Panics
    /// When it does not.
    pub fn check<R: Row + PartialEq + Debug>(self, name: &str, row: &R) {
        let (bytes, written) = (self.bytes(name), written(row));
        let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(written, bytes, "it is written otherwise:\n{name}: {hex}");
        assert_eq!(read::<R>(name, &bytes), *row, "{name}");
    }

    /// As [`check`](Self::check), of a row that is rewritten: a field that a later release
    /// added survives.
    ///
    /// # Panics
    /// When it does not.
    pub fn check_kept<R: Row + PartialEq + Debug>(self, name: &str, row: &R) {
        self.check(name, row);
        let mut later = self.bytes(name);
        // One more element of a short array, which RFC 8949 counts in the first byte.
        assert!(later[0] & 0xE0 == 0x80 && later[0] & 0x1F < 22, "{name} is not a short array");
        later[0] += 1;
        later.extend_from_slice(b"\x65later");
        assert_eq!(written(&read::<R>(name, &later)), later, "{name}");
    }
}

fn written<R: Row>(row: &R) -> Vec<u8> {
    let mut bytes = Vec::new();
    row.write(&mut bytes);
    bytes
}

fn read<R: Row>(name: &str, bytes: &[u8]) -> R {
    R::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, minicbor::Encode, minicbor::Decode)]
    struct Short {
        #[n(0)]
        number: u8,
    }

    const SHORT: Fixtures = Fixtures::new("# rows\nshort seven: 8107\n");

    #[test]
    fn a_row_that_reads_and_writes_as_ever_passes() {
        SHORT.check("short seven", &Short { number: 7 });
        assert!(SHORT.bytes("short eight").is_empty());
    }

    #[test]
    #[should_panic(expected = "short seven: 8108")]
    fn another_row_does_not() {
        SHORT.check("short seven", &Short { number: 8 });
    }

    #[test]
    #[should_panic(expected = "short seven")]
    fn a_row_that_drops_what_it_does_not_know_is_not_kept() {
        SHORT.check_kept("short seven", &Short { number: 7 });
    }
}
