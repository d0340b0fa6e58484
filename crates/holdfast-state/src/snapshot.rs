//! State as a stream: backup, and what a lost state is rebuilt from.
//!
//! ```text
//! stream := frames with magic "HFSNAP": one HEADER, any PAIRS, END
//! HEADER payload := version (u64) | checkpoint (part) | meta
//! PAIRS  payload := (key (part) | value (part))*
//! END    payload := number of pairs (u64) | number of frames before (u64)
//! ```
//!
//! [`frames`](crate::frames) says how frames are checked. A reader yields pairs
//! only of frames that check, and ends in an error unless the END frame was there
//! and agreed.

use std::io::{self, Read, Write};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use holdfast_planted::planted;

use crate::{
    frames::{FRAME_BYTES, FrameError, FrameReader, FrameWriter, put_part, take_part},
    store::{Mark, Snapshot, StoreError},
    version::Version,
};

const MAGIC: &[u8; 6] = b"HFSNAP";
const FORMAT: u16 = 1;
const HEADER: u8 = 1;
const PAIRS: u8 = 2;
const END: u8 = 3;

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// What the state reflects.
    pub mark: Mark,
    /// The writer's own words.
    pub meta: Bytes,
}

/// Why a snapshot could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The stream could not be written or read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The state could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not a snapshot, or of a format that this release does not read.
    #[error("not a snapshot of format {FORMAT}")]
    Format,
    /// The bytes are not those that were written.
    #[error("the snapshot is damaged in frame {frame}: {what}")]
    Damaged {
        /// Frames before the bad one.
        frame: u64,
        /// What does not fit.
        what: &'static str,
    },
}

impl From<FrameError> for SnapshotError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Io(source) => Self::Io(source),
            FrameError::Format => Self::Format,
            FrameError::Damaged { frame, what } => Self::Damaged { frame, what },
        }
    }
}

/// Writes the state that `snapshot` holds.
///
/// # Errors
/// [`SnapshotError`]; what was written then has no END, and is refused when read.
pub fn write(
    snapshot: &dyn Snapshot,
    header: &SnapshotHeader,
    out: &mut impl Write,
) -> Result<(), SnapshotError> {
    let mut frames = FrameWriter::begin(out, MAGIC, FORMAT)?;
    let mut payload = BytesMut::new();
    payload.put_u64_le(header.mark.version.get());
    put_part(&mut payload, &header.mark.checkpoint);
    payload.put_slice(&header.meta);
    frames.write(HEADER, &payload)?;
    let pairs = write_pairs(snapshot, &mut frames)?;
    payload.clear();
    payload.put_u64_le(pairs);
    payload.put_u64_le(frames.frames());
    Ok(frames.write(END, &payload)?)
}

fn write_pairs<W: Write>(
    snapshot: &dyn Snapshot,
    frames: &mut FrameWriter<W>,
) -> Result<u64, SnapshotError> {
    let mut payload = BytesMut::with_capacity(FRAME_BYTES);
    let mut pairs = 0;
    for pair in snapshot.pairs().skip(usize::from(planted!(SnapshotMissesAKey))) {
        let (key, value) = pair?;
        put_part(&mut payload, &key);
        put_part(&mut payload, &value);
        pairs += 1;
        if payload.len() >= FRAME_BYTES {
            frames.write(PAIRS, &payload)?;
            payload.clear();
        }
    }
    if !payload.is_empty() {
        frames.write(PAIRS, &payload)?;
    }
    Ok(pairs)
}

/// Reads a snapshot: its header, and its pairs in key order.
///
/// # Errors
/// [`SnapshotError`] when the header does not check.
pub fn read<R: Read>(input: R) -> Result<(SnapshotHeader, Pairs<R>), SnapshotError> {
    let mut frames = FrameReader::begin(input, MAGIC, FORMAT)?;
    let (kind, mut payload) = frames.read()?;
    if kind != HEADER || payload.len() < 8 {
        return Err(frames.damaged("it does not begin with a header").into());
    }
    let version = Version::new(payload.get_u64_le());
    let checkpoint =
        take_part(&mut payload).ok_or_else(|| frames.damaged("the header is short"))?;
    let header = SnapshotHeader { mark: Mark { version, checkpoint }, meta: payload };
    Ok((header, Pairs { frames, payload: Bytes::new(), pairs: 0, ended: false }))
}

/// The pairs of a snapshot in key order.
pub struct Pairs<R> {
    frames: FrameReader<R>,
    payload: Bytes,
    pairs: u64,
    ended: bool,
}

impl<R> std::fmt::Debug for Pairs<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pairs").field("pairs", &self.pairs).finish_non_exhaustive()
    }
}

impl<R: Read> Pairs<R> {
    fn advance(&mut self) -> Result<Option<(Bytes, Bytes)>, SnapshotError> {
        while self.payload.is_empty() {
            let before = self.frames.frames();
            let (kind, payload) = self.frames.read()?;
            match kind {
                PAIRS => self.payload = payload,
                END => return self.end(payload, before).map(|()| None),
                _ => return Err(self.frames.damaged("a frame of unknown kind").into()),
            }
        }
        let pair = take_part(&mut self.payload).zip(take_part(&mut self.payload));
        let pair = pair.ok_or_else(|| self.frames.damaged("a pair is short"))?;
        self.pairs += 1;
        Ok(Some(pair))
    }

    fn end(&mut self, mut payload: Bytes, before: u64) -> Result<(), SnapshotError> {
        if payload.len() != 16 || payload.get_u64_le() != self.pairs {
            return Err(self.frames.damaged("the number of pairs does not agree").into());
        }
        if payload.get_u64_le() != before {
            return Err(self.frames.damaged("the number of frames does not agree").into());
        }
        Ok(self.frames.end()?)
    }
}

impl<R: Read> Iterator for Pairs<R> {
    type Item = Result<(Bytes, Bytes), SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
