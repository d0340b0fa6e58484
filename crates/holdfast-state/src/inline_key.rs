//! A key that mostly lies in the tree's own nodes.
//!
//! A search in a map of `Bytes` follows one pointer per comparison, and each is
//! likely a cache miss. Here the first fifty-six bytes stand in the node as big-endian
//! words, which compare as the bytes do, and only what is longer hangs on a
//! pointer that is followed when fifty-six bytes were equal.

use std::{cmp::Ordering, fmt};

use bytes::Bytes;

const WORDS: usize = 7;
const HEAD: usize = WORDS * 8;

/// A key, ordered as its bytes are.
#[derive(Clone)]
pub(crate) struct InlineKey {
    /// The first bytes, padded with zeros.
    head: [u64; WORDS],
    /// `tail.is_some() == (length > HEAD)`
    length: usize,
    tail: Option<Box<[u8]>>,
}

impl InlineKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut padded = [[0; 8]; WORDS];
        let (head, tail) = key.split_at(key.len().min(HEAD));
        padded.as_flattened_mut()[..head.len()].copy_from_slice(head);
        let tail = (!tail.is_empty()).then(|| Box::from(tail));
        Self { head: padded.map(u64::from_be_bytes), length: key.len(), tail }
    }

    /// The key's bytes behind `prefix`.
    pub(crate) fn to_bytes(&self, prefix: &[u8]) -> Bytes {
        let end = prefix.len() + self.length;
        let mut bytes = Vec::with_capacity(prefix.len() + HEAD.max(self.length));
        bytes.extend_from_slice(prefix);
        bytes.extend_from_slice(self.head.map(u64::to_be_bytes).as_flattened());
        if let Some(tail) = &self.tail {
            bytes.extend_from_slice(tail);
        }
        bytes.truncate(end);
        bytes.into()
    }
}

impl Ord for InlineKey {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal heads: the padding cannot be told from zeros, so lengths decide
        // unless both go on.
        self.head.cmp(&other.head).then_with(|| match (&self.tail, &other.tail) {
            (Some(mine), Some(theirs)) => mine.cmp(theirs),
            (None, None) | (None, Some(_)) | (Some(_), None) => self.length.cmp(&other.length),
        })
    }
}

impl PartialOrd for InlineKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for InlineKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for InlineKey {}

impl fmt::Debug for InlineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_bytes(&[]).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        // Few distinct bytes and lengths around the head's, so that heads are often equal.
        let short = prop::collection::vec(prop_oneof![Just(0), Just(1), Just(255)], 0..4);
        let long = (Just(vec![7; HEAD - 2]), short.clone()).prop_map(|(a, b)| [a, b].concat());
        prop_oneof![short, long]
    }

    proptest! {
        #[test]
        fn sorts_as_bytes_and_gives_them_back(a in key(), b in key()) {
            prop_assert_eq!(InlineKey::new(&a).cmp(&InlineKey::new(&b)), a.cmp(&b));
            prop_assert_eq!(&InlineKey::new(&a).to_bytes(b"p")[1..], &a[..]);
        }
    }
}
