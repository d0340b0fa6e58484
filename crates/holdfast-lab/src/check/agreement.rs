//! One state at one version, on whichever node.
//!
//! State is a function of the log up to a version, so two nodes that say they are at one
//! version must have the same rows, whatever they went through on the way there. What the
//! nodes say is compared as digests: of every row, or of the same range of them.

use std::collections::BTreeMap;

use holdfast_log::Hash;
use holdfast_state::{Scan, Source, StoreError, Version};

/// What a node said its state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Who.
    pub node: String,
    /// At which version.
    pub version: Version,
    /// The hash of its rows, as [`rows`] makes it.
    pub hash: Hash,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Versions of which there is a digest.
    pub versions: u64,
    /// Digests that were compared with another of their version: zero means that nothing
    /// was put to the test.
    pub compared: u64,
}

/// Two nodes have different states at one version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at version {version} the state of {one} is {first}, and that of {other} is {second}")]
pub struct Differ {
    /// The version.
    pub version: Version,
    /// A node.
    pub one: String,
    /// What it has.
    pub first: Hash,
    /// Another, or the same at another time.
    pub other: String,
    /// What that has.
    pub second: Hash,
}

/// Compares digests of one version with each other.
///
/// # Errors
/// [`Differ`]
pub fn check(digests: &[Digest]) -> Result<Compared, Differ> {
    let mut first: BTreeMap<Version, &Digest> = BTreeMap::new();
    let mut compared = 0;
    for digest in digests {
        let known = *first.entry(digest.version).or_insert(digest);
        if known.hash != digest.hash {
            return Err(Differ {
                version: digest.version,
                one: known.node.clone(),
                first: known.hash,
                other: digest.node.clone(),
                second: digest.hash,
            });
        }
        compared += u64::from(!std::ptr::eq(known, digest));
    }
    Ok(Compared { versions: first.len() as u64, compared })
}

/// Rows hashed at once.
const PAGE: usize = 1_000;

/// The hash of all rows of a state, keys and values, in key order.
///
/// # Errors
/// [`StoreError`]
pub fn rows(state: &(impl Source + ?Sized)) -> Result<Hash, StoreError> {
    let mut hash = Hash::ZERO;
    each_page(state, |rows| {
        let mut bytes = hash.to_bytes().to_vec();
        for part in rows.iter().flat_map(|(key, value)| [key, value]) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        hash = Hash::of(&bytes);
    })?;
    Ok(hash)
}

/// Shows every row of a state, page by page, in key order.
pub(super) fn each_page(
    state: &(impl Source + ?Sized),
    mut page: impl FnMut(&[(bytes::Bytes, bytes::Bytes)]),
) -> Result<(), StoreError> {
    // Longer than any namespace and table, so above every stored key.
    let end = [0xFF; 8];
    let mut from = Vec::new();
    loop {
        let rows = state.scan(&from, &end, Scan::up(PAGE))?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        from = [&last[..], &[0]].concat();
        page(&rows);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use holdfast_state::{Mark, MemoryStore};

    use super::*;

    fn digest(node: &str, version: u64, hash: &[u8]) -> Digest {
        Digest { node: node.to_owned(), version: Version::new(version), hash: Hash::of(hash) }
    }

    #[test]
    fn states_of_one_version_are_compared() {
        let digests = [digest("a", 1, b"x"), digest("a", 2, b"y"), digest("b", 2, b"y")];
        assert_eq!(check(&digests), Ok(Compared { versions: 2, compared: 1 }));
    }

    #[test]
    fn another_state_at_one_version_is_found_and_both_are_named() {
        let digests = [digest("a", 2, b"y"), digest("a", 3, b"x"), digest("b", 2, b"z")];
        let differ = check(&digests).unwrap_err();
        assert_eq!((differ.version, &*differ.one, &*differ.other), (Version::new(2), "a", "b"));
        // A node that differs from itself is no better.
        assert!(check(&[digest("a", 2, b"y"), digest("a", 2, b"z")]).is_err());
    }

    fn store(rows: impl IntoIterator<Item = (String, String)>) -> MemoryStore {
        let rows = rows.into_iter().map(|(key, value)| (Bytes::from(key), Bytes::from(value)));
        MemoryStore::from_pairs(rows, Mark::default())
    }

    #[test]
    fn every_row_counts_beyond_the_first_page_too() {
        let all = || (0..2_500).map(|n| (format!("k{n:05}"), format!("v{n}")));
        let whole = rows(&store(all())).unwrap();
        assert_eq!(rows(&store(all())).unwrap(), whole);
        for other in [0, 999, 1_000, 2_499] {
            let changed = all().enumerate().map(|(index, (key, value))| {
                (key, if index == other { "another".to_owned() } else { value })
            });
            assert_ne!(rows(&store(changed)).unwrap(), whole, "row {other} does not count");
        }
        // A byte that moves from key to value is another row.
        let [one, other] =
            [("ab", "c"), ("a", "bc")].map(|(key, value)| (key.into(), value.into()));
        assert_ne!(rows(&store([one])).unwrap(), rows(&store([other])).unwrap());
    }
}
