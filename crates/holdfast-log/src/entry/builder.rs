//! Builds an entry in one buffer, so that the largest thing in the system is copied once: into it.
//!
//! The header's room is kept in front of the body; [`EntryBuilder::seal`] fills it in when the
//! body is complete and the writer knows its place in the chain. The sealed bytes go to the log as
//! they are.

use bytes::Bytes;

use super::{
    Claim, EntryHeader, HEADER_BYTES, KIND_BATCH, KIND_CLAIM, KIND_RENEWAL, encode_header,
};
use crate::epoch::Epoch;

/// A batch entry in the making: a body that grows, behind room for its header.
#[derive(Clone, Debug)]
pub struct EntryBuilder {
    /// `HEADER_BYTES` of room, then the body.
    buffer: Vec<u8>,
}

impl EntryBuilder {
    /// An empty body, with room for `body_bytes` before the buffer has to grow.
    #[must_use]
    pub fn with_capacity(body_bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(HEADER_BYTES + body_bytes);
        buffer.resize(HEADER_BYTES, 0);
        Self { buffer }
    }

    /// A builder around a buffer that already has [`HEADER_BYTES`] of room in front and the body
    /// behind it, for a body that somebody else encodes.
    ///
    /// # Panics
    /// When the buffer has no room for the header.
    #[must_use]
    pub fn around(buffer: Vec<u8>) -> Self {
        assert!(buffer.len() >= HEADER_BYTES, "the header needs room in front of the body");
        Self { buffer }
    }

    /// Appends to the body.
    pub fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Lets an encoder append to the body in place. It may only append.
    ///
    /// # Panics
    /// If `encode` shortened the buffer: it holds the header's room and all that was put before.
    pub fn put_with<R>(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let before = self.buffer.len();
        let result = encode(&mut self.buffer);
        assert!(self.buffer.len() >= before, "an encoder may only append to the body");
        result
    }

    /// Takes back everything after the first `len` bytes of the body.
    ///
    /// # Panics
    /// If the body is shorter than that.
    pub fn truncate_body(&mut self, len: usize) {
        assert!(len <= self.body_len(), "cannot truncate a body to more than it is");
        self.buffer.truncate(HEADER_BYTES + len);
    }

    /// The body so far.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.buffer[HEADER_BYTES..]
    }

    /// The size of the body so far.
    #[must_use]
    pub fn body_len(&self) -> usize {
        self.buffer.len() - HEADER_BYTES
    }

    /// The size that the sealed entry would have now, to be held against
    /// [`Properties::max_entry_bytes`](crate::Properties::max_entry_bytes).
    #[must_use]
    pub fn entry_len(&self) -> usize {
        self.buffer.len()
    }

    /// The finished entry: a batch with this header. Copies nothing.
    ///
    /// # Panics
    /// If the header is not that of a batch (epoch and sequence are 1 or more), or the entry
    /// reaches 4 GiB.
    #[must_use]
    pub fn seal(mut self, header: &EntryHeader) -> Bytes {
        assert!(header.epoch > Epoch::NONE, "a batch is written in an epoch");
        assert!(header.sequence > 0, "sequence 0 is the claim's");
        encode_header(&mut self.buffer, KIND_BATCH, header);
        Bytes::from(self.buffer)
    }
}

impl Claim {
    /// The finished entry: this claim with this header.
    ///
    /// # Panics
    /// If the header is not that of a claim (epoch 1 or more, sequence and count 0), or a text of
    /// the claim exceeds [`super::CLAIM_TEXT_BYTES_MAX`].
    #[must_use]
    pub fn seal(&self, header: &EntryHeader) -> Bytes {
        assert!(header.epoch > Epoch::NONE, "a claim begins an epoch");
        assert!(header.sequence == 0 && header.count == 0, "a claim brings no versions");
        self.sealed_as(KIND_CLAIM, header)
    }

    /// The finished entry: what was claimed, said again later in the epoch, with this header.
    ///
    /// # Panics
    /// If the header is not that of a renewal (epoch and sequence 1 or more, count 0), or a text
    /// exceeds [`super::CLAIM_TEXT_BYTES_MAX`].
    #[must_use]
    pub fn seal_renewal(&self, header: &EntryHeader) -> Bytes {
        assert!(header.epoch > Epoch::NONE, "a renewal is written in an epoch");
        assert!(header.sequence > 0 && header.count == 0, "it is numbered and brings no versions");
        self.sealed_as(KIND_RENEWAL, header)
    }

    fn sealed_as(&self, kind: u8, header: &EntryHeader) -> Bytes {
        let mut entry = vec![0; HEADER_BYTES];
        self.encode(&mut entry);
        encode_header(&mut entry, kind, header);
        Bytes::from(entry)
    }
}
