//! State as a stream: backup, and what a lost state is rebuilt from.
//!
//! ```text
//! stream := "HFSNAP" format (u16) | frame* | frame of kind END
//! frame  := kind (u8) | length (u32) | checksum (u64) | payload
//! HEADER payload := version (u64) | checkpoint length (u32) | checkpoint | meta
//! PAIRS  payload := (key length (u32) | key | value length (u32) | value)*
//! END    payload := number of pairs (u64) | number of frames before (u64)
//! ```
//!
//! All integers are little-endian. Each checksum is xxh3-64 over kind, length
//! and payload, seeded with the checksum before it, so frames cannot be left out,
//! swapped or taken from another stream without notice. A reader yields pairs
//! only of frames that check, and ends in an error unless the END frame was there
//! and agreed.

use std::io::{self, Read, Write};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use xxhash_rust::xxh3::Xxh3;

use crate::{
    store::{Mark, Scan, Snapshot, StoreError},
    version::Version,
};

const MAGIC: &[u8; 6] = b"HFSNAP";
const FORMAT: u16 = 1;
const HEADER: u8 = 1;
const PAIRS: u8 = 2;
const END: u8 = 3;

/// A frame is sent when it has grown to this many bytes.
const FRAME_BYTES: usize = 256 << 10;

/// No frame is larger: one pair may exceed [`FRAME_BYTES`], not this.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// Pairs read from the state at once.
const PAGE: usize = 1024;

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

/// Writes the state that `snapshot` holds.
///
/// # Errors
/// [`SnapshotError`]; what was written then has no END, and is refused when read.
pub fn write(
    snapshot: &dyn Snapshot,
    header: &SnapshotHeader,
    out: &mut impl Write,
) -> Result<(), SnapshotError> {
    let mut frames = FrameWriter { out, checksum: 0, frames: 0 };
    frames.out.write_all(MAGIC)?;
    frames.out.write_all(&FORMAT.to_le_bytes())?;
    let mut payload = BytesMut::new();
    payload.put_u64_le(header.mark.version.get());
    put_part(&mut payload, &header.mark.checkpoint);
    payload.put_slice(&header.meta);
    frames.write(HEADER, &payload)?;
    let pairs = write_pairs(snapshot, &mut frames)?;
    payload.clear();
    payload.put_u64_le(pairs);
    payload.put_u64_le(frames.frames);
    frames.write(END, &payload)
}

fn write_pairs<W: Write>(
    snapshot: &dyn Snapshot,
    frames: &mut FrameWriter<'_, W>,
) -> Result<u64, SnapshotError> {
    // Keys begin with a namespace: 32 bytes of FF are above every key.
    let (mut from, to) = (Vec::new(), [0xFF; 32]);
    let mut payload = BytesMut::with_capacity(FRAME_BYTES);
    let mut pairs = 0;
    loop {
        let page = snapshot.scan(&from, &to, Scan::up(PAGE))?;
        for (key, value) in &page {
            put_part(&mut payload, key);
            put_part(&mut payload, value);
            pairs += 1;
            if payload.len() >= FRAME_BYTES {
                frames.write(PAIRS, &payload)?;
                payload.clear();
            }
        }
        let Some((last, _)) = page.last().filter(|_| page.len() == PAGE) else { break };
        from = [last, &[0][..]].concat();
    }
    if !payload.is_empty() {
        frames.write(PAIRS, &payload)?;
    }
    Ok(pairs)
}

fn put_part(payload: &mut BytesMut, part: &[u8]) {
    payload.put_u32_le(u32::try_from(part.len()).expect("parts are bounded by a transaction"));
    payload.put_slice(part);
}

struct FrameWriter<'a, W> {
    out: &'a mut W,
    checksum: u64,
    frames: u64,
}

impl<W: Write> FrameWriter<'_, W> {
    fn write(&mut self, kind: u8, payload: &[u8]) -> Result<(), SnapshotError> {
        let length = u32::try_from(payload.len()).expect("a frame is bounded");
        self.checksum = checksum(self.checksum, kind, length, payload);
        self.out.write_all(&[kind])?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.checksum.to_le_bytes())?;
        self.out.write_all(payload)?;
        self.frames += 1;
        Ok(())
    }
}

fn checksum(previous: u64, kind: u8, length: u32, payload: &[u8]) -> u64 {
    let mut hash = Xxh3::with_seed(previous);
    hash.update(&[kind]);
    hash.update(&length.to_le_bytes());
    hash.update(payload);
    hash.digest()
}

/// Reads a snapshot: its header, and its pairs in key order.
///
/// # Errors
/// [`SnapshotError`] when the header does not check.
pub fn read<R: Read>(input: R) -> Result<(SnapshotHeader, Pairs<R>), SnapshotError> {
    let mut frames = FrameReader { input, checksum: 0, frames: 0 };
    let mut start = [0; 8];
    frames.input.read_exact(&mut start)?;
    if start[..6] != *MAGIC || start[6..] != FORMAT.to_le_bytes() {
        return Err(SnapshotError::Format);
    }
    let (kind, mut payload) = frames.read()?;
    if kind != HEADER || payload.len() < 8 {
        return Err(frames.damaged("it does not begin with a header"));
    }
    let version = Version::new(payload.get_u64_le());
    let checkpoint =
        take_part(&mut payload).ok_or_else(|| frames.damaged("the header is short"))?;
    let header = SnapshotHeader { mark: Mark { version, checkpoint }, meta: payload };
    Ok((header, Pairs { frames, payload: Bytes::new(), pairs: 0, ended: false }))
}

fn take_part(payload: &mut Bytes) -> Option<Bytes> {
    if payload.len() < 4 {
        return None;
    }
    let length = usize::try_from(payload.get_u32_le()).ok()?;
    (length <= payload.len()).then(|| payload.split_to(length))
}

struct FrameReader<R> {
    input: R,
    checksum: u64,
    frames: u64,
}

impl<R: Read> FrameReader<R> {
    const fn damaged(&self, what: &'static str) -> SnapshotError {
        SnapshotError::Damaged { frame: self.frames, what }
    }

    fn read(&mut self) -> Result<(u8, Bytes), SnapshotError> {
        let mut head = [0; 13];
        self.input.read_exact(&mut head).map_err(|error| self.ended_early(error))?;
        let mut fields = &head[..];
        let (kind, length, stated) = (fields.get_u8(), fields.get_u32_le(), fields.get_u64_le());
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > FRAME_BYTES_MAX {
            return Err(self.damaged("a frame is longer than frames are"));
        }
        let mut payload = BytesMut::zeroed(size);
        self.input.read_exact(&mut payload).map_err(|error| self.ended_early(error))?;
        self.checksum = checksum(self.checksum, kind, length, &payload);
        if self.checksum != stated {
            return Err(self.damaged("its checksum does not hold"));
        }
        self.frames += 1;
        Ok((kind, payload.freeze()))
    }

    fn ended_early(&self, error: io::Error) -> SnapshotError {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            self.damaged("the stream ends early")
        } else {
            error.into()
        }
    }
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
            let before = self.frames.frames;
            let (kind, payload) = self.frames.read()?;
            match kind {
                PAIRS => self.payload = payload,
                END => return self.end(payload, before).map(|()| None),
                _ => return Err(self.frames.damaged("a frame of unknown kind")),
            }
        }
        let pair = take_part(&mut self.payload).zip(take_part(&mut self.payload));
        let pair = pair.ok_or_else(|| self.frames.damaged("a pair is short"))?;
        self.pairs += 1;
        Ok(Some(pair))
    }

    fn end(&mut self, mut payload: Bytes, before: u64) -> Result<(), SnapshotError> {
        if payload.len() != 16 || payload.get_u64_le() != self.pairs {
            return Err(self.frames.damaged("the number of pairs does not agree"));
        }
        if payload.get_u64_le() != before {
            return Err(self.frames.damaged("the number of frames does not agree"));
        }
        let mut more = [0; 1];
        match self.frames.input.read(&mut more)? {
            0 => Ok(()),
            _ => Err(self.frames.damaged("something follows the end")),
        }
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
