//! Keys: tuples whose bytes sort as their parts do.
//!
//! Every part says where it ends, so a prefix of parts is a prefix of bytes and
//! a range scan over the first parts of a key is one byte range. Strings are
//! escaped (`00` becomes `00 FF`, the end is `00 01`), so that `"a"` sorts
//! before `"a\0"` whatever part follows; integers are big-endian, signed ones
//! with the sign bit flipped. The scheme is FoundationDB's tuple layer without
//! its type codes: a table's key type is fixed, so the codes would be waste.

use crate::{id::Id, version::Version};

/// A key or a prefix of one, while it is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyBuf(Vec<u8>);

impl KeyBuf {
    /// An empty key, in this buffer's memory.
    #[must_use]
    pub fn reusing(mut memory: Vec<u8>) -> Self {
        memory.clear();
        Self(memory)
    }

    /// Appends raw bytes that need no escape, because their length is fixed.
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends a part of variable length.
    pub fn terminated(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
            self.0.extend_from_slice(&rest[..=zero]);
            self.0.push(0xFF);
            rest = &rest[zero + 1..];
        }
        self.0.extend_from_slice(rest);
        self.0.extend_from_slice(&[0, 1]);
    }

    /// The bytes so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

/// The first key after all that begin with `prefix`; `None` when there is no
/// such key (the prefix is empty or all `FF`).
#[must_use]
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// A key of a table, or the first parts of one.
pub trait Key {
    /// Appends this key's parts.
    fn write(&self, key: &mut KeyBuf);
}

impl Key for () {
    fn write(&self, _: &mut KeyBuf) {}
}

impl Key for str {
    fn write(&self, key: &mut KeyBuf) {
        key.terminated(self.as_bytes());
    }
}

impl Key for [u8] {
    fn write(&self, key: &mut KeyBuf) {
        key.terminated(self);
    }
}

impl Key for u16 {
    fn write(&self, key: &mut KeyBuf) {
        key.fixed(&self.to_be_bytes());
    }
}

impl Key for u32 {
    fn write(&self, key: &mut KeyBuf) {
        key.fixed(&self.to_be_bytes());
    }
}

impl Key for u64 {
    fn write(&self, key: &mut KeyBuf) {
        key.fixed(&self.to_be_bytes());
    }
}

impl Key for i64 {
    fn write(&self, key: &mut KeyBuf) {
        key.fixed(&(self.cast_unsigned() ^ (1 << 63)).to_be_bytes());
    }
}

impl Key for Version {
    fn write(&self, key: &mut KeyBuf) {
        self.get().write(key);
    }
}

impl Key for crate::time::LogTime {
    fn write(&self, key: &mut KeyBuf) {
        self.as_us().write(key);
    }
}

impl Key for Id {
    fn write(&self, key: &mut KeyBuf) {
        self.as_str().write(key);
    }
}

impl<T: Key + ?Sized> Key for &T {
    fn write(&self, key: &mut KeyBuf) {
        (**self).write(key);
    }
}

impl<A: Key> Key for (A,) {
    fn write(&self, key: &mut KeyBuf) {
        self.0.write(key);
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn write(&self, key: &mut KeyBuf) {
        self.0.write(key);
        self.1.write(key);
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn write(&self, key: &mut KeyBuf) {
        self.0.write(key);
        self.1.write(key);
        self.2.write(key);
    }
}

impl<A: Key, B: Key, C: Key, D: Key> Key for (A, B, C, D) {
    fn write(&self, key: &mut KeyBuf) {
        self.0.write(key);
        self.1.write(key);
        self.2.write(key);
        self.3.write(key);
    }
}

/// Reads a key's parts back, in the order they were written.
#[derive(Clone, Debug)]
pub struct KeyReader<'a>(&'a [u8]);

/// The bytes of a key do not have the parts its table's keys have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key does not have the parts of its table's keys")]
pub struct BadKey;

impl<'a> KeyReader<'a> {
    /// Reads these bytes, which begin right after the table's prefix.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadKey> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(BadKey)?;
        self.0 = rest;
        Ok(*part)
    }

    /// A `u16` part.
    ///
    /// # Errors
    /// [`BadKey`], as for every part: the bytes end too soon.
    pub fn u16(&mut self) -> Result<u16, BadKey> {
        self.take().map(u16::from_be_bytes)
    }

    /// A `u32` part.
    ///
    /// # Errors
    /// [`BadKey`]
    pub fn u32(&mut self) -> Result<u32, BadKey> {
        self.take().map(u32::from_be_bytes)
    }

    /// A `u64` part.
    ///
    /// # Errors
    /// [`BadKey`]
    pub fn u64(&mut self) -> Result<u64, BadKey> {
        self.take().map(u64::from_be_bytes)
    }

    /// An `i64` part.
    ///
    /// # Errors
    /// [`BadKey`]
    pub fn i64(&mut self) -> Result<i64, BadKey> {
        self.u64().map(|bits| (bits ^ (1 << 63)).cast_signed())
    }

    /// A part of variable length.
    ///
    /// # Errors
    /// [`BadKey`]: it has no end, or an escape that none writes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, BadKey> {
        let mut part = Vec::new();
        loop {
            let zero = self.0.iter().position(|byte| *byte == 0).ok_or(BadKey)?;
            part.extend_from_slice(&self.0[..zero]);
            let mark = *self.0.get(zero + 1).ok_or(BadKey)?;
            self.0 = &self.0[zero + 2..];
            match mark {
                0x01 => return Ok(part),
                0xFF => part.push(0),
                _ => return Err(BadKey),
            }
        }
    }

    /// A text part.
    ///
    /// # Errors
    /// [`BadKey`], also when it is not UTF-8.
    pub fn str(&mut self) -> Result<String, BadKey> {
        String::from_utf8(self.bytes()?).map_err(|_| BadKey)
    }

    /// A text part that is an id.
    ///
    /// # Errors
    /// [`BadKey`], also when it is none.
    pub fn id(&mut self) -> Result<Id, BadKey> {
        Id::new(&self.str()?).map_err(|_| BadKey)
    }

    /// Nothing is left?
    ///
    /// # Errors
    /// [`BadKey`] when something is.
    pub const fn end(&self) -> Result<(), BadKey> {
        if self.0.is_empty() { Ok(()) } else { Err(BadKey) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(key: &impl Key) -> Vec<u8> {
        let mut buf = KeyBuf::default();
        key.write(&mut buf);
        buf.into_vec()
    }

    /// Texts that share prefixes and contain the bytes the escape is about.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFF), any::<u8>()], 0..5)
    }

    proptest! {
        #[test]
        fn bytes_sort_as_the_parts_do(
            a in (text(), any::<u64>(), any::<i64>(), text()),
            b in (text(), any::<u64>(), any::<i64>(), text()),
        ) {
            let key = |k: &(Vec<u8>, u64, i64, Vec<u8>)| {
                bytes_of(&(&k.0[..], k.1, k.2, &k.3[..]))
            };
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
        }

        #[test]
        fn what_was_written_is_read(a in text(), n in any::<u64>(), i in any::<i64>(), s in ".{0,8}") {
            let key = bytes_of(&(&a[..], n, i, &s[..]));
            let mut reader = KeyReader::new(&key);
            prop_assert_eq!(reader.bytes(), Ok(a));
            prop_assert_eq!(reader.u64(), Ok(n));
            prop_assert_eq!(reader.i64(), Ok(i));
            prop_assert_eq!(reader.str(), Ok(s));
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn foreign_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let mut reader = KeyReader::new(&bytes);
            while reader.bytes().is_ok() {}
            prop_assert!(KeyReader::new(&bytes[..bytes.len().min(7)]).u64().is_err());
        }

        #[test]
        fn a_prefix_ends_before_its_successor(prefix in text(), tail in text()) {
            let mut key = prefix.clone();
            key.extend_from_slice(&tail);
            match after_prefix(&prefix) {
                Some(end) => prop_assert!(key < end && end > prefix),
                None => prop_assert!(prefix.iter().all(|byte| *byte == 0xFF)),
            }
        }
    }
}
