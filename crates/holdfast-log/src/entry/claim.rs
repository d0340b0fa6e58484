//! What a node says when it wants to lead.
//!
//! The epoch, the nonce and the place in the chain stand in the entry's header; the claim adds who
//! it is, for how long it may be believed alive, and which server the log was on. Its lease binds
//! everyone who reads it (P11). A renewal says the same again, so that whoever began to read behind the claim learns it too.

use super::{EntryError, array_at, u64_at};
use crate::provenance::Provenance;

/// The longest node name or address in a claim, in bytes of UTF-8.
pub const CLAIM_TEXT_BYTES_MAX: usize = 1024;

/// A node's wish to lead, taking effect if its entry is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The node's name, for people.
    pub node: String,
    /// Where clients and followers reach it.
    pub address: String,
    /// How long after they read an entry of this leader's others leave it alone, in milliseconds;
    /// 0 when it leads no more.
    pub lease_ms: u64,
    /// What the log said of itself.
    pub provenance: Provenance,
}

impl Claim {
    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.lease_ms.to_le_bytes());
        for text in [&self.node, &self.address] {
            assert!(text.len() <= CLAIM_TEXT_BYTES_MAX, "a claim's texts are bounded");
            let len = u16::try_from(text.len()).expect("the bound is below 64 KiB");
            into.extend_from_slice(&len.to_le_bytes());
            into.extend_from_slice(text.as_bytes());
        }
        let provenance = self.provenance.as_bytes();
        into.push(u8::try_from(provenance.len()).expect("its bound is below 256"));
        into.extend_from_slice(provenance);
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self, EntryError> {
        if body.len() < 8 {
            return Err(EntryError::Malformed { what: "a claim cut short" });
        }
        let (node, rest) = take_text(&body[8..])?;
        let (address, rest) = take_text(rest)?;
        let Some((len, rest)) = rest.split_first() else {
            return Err(EntryError::Malformed { what: "a claim cut short" });
        };
        if rest.len() != usize::from(*len) {
            return Err(EntryError::Malformed { what: "a claim does not end where it says" });
        }
        let provenance = Provenance::new(rest)
            .ok_or(EntryError::Malformed { what: "a claim's provenance is too long" })?;
        Ok(Self { node, address, lease_ms: u64_at(body, 0), provenance })
    }
}

fn take_text(bytes: &[u8]) -> Result<(String, &[u8]), EntryError> {
    let cut_short = EntryError::Malformed { what: "a claim cut short" };
    if bytes.len() < 2 {
        return Err(cut_short);
    }
    let len = usize::from(u16::from_le_bytes(array_at(bytes, 0)));
    let Some((text, rest)) = bytes[2..].split_at_checked(len) else {
        return Err(cut_short);
    };
    if len > CLAIM_TEXT_BYTES_MAX {
        return Err(EntryError::Malformed { what: "a text of a claim is too long" });
    }
    let text = std::str::from_utf8(text)
        .map_err(|_| EntryError::Malformed { what: "a text of a claim is not UTF-8" })?;
    Ok((text.to_owned(), rest))
}
