//! One file of an archive: entries of consecutive positions, byte for byte.
//!
//! ```text
//! stream := frames with magic "HFARCH": HEADER, ENTRIES and more ENTRIES, END
//! HEADER  payload := log's identity (16 bytes) | first position (u64)
//! ENTRIES payload := entry (part)*
//! END     payload := number of entries (u64) | number of frames before (u64)
//! ```
//!
//! [`holdfast_state::frames`] says how frames are checked. The name says which
//! positions it holds; a name that does not agree with the content is damage.

use std::io::{self, Read, Write};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use holdfast_log::{LogId, Position};
use holdfast_state::frames::{
    FRAME_BYTES, FrameError, FrameReader, FrameWriter, put_part, take_part,
};

const MAGIC: &[u8; 6] = b"HFARCH";
const FORMAT: u16 = 1;
const HEADER: u8 = 1;
const ENTRIES: u8 = 2;
const END: u8 = 3;

pub(super) const PREFIX: &str = "entries-";
pub(super) const SUFFIX: &str = ".hfa";

/// The positions that a file holds, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first.
    pub first: Position,
    /// The last.
    pub last: Position,
}

impl Range {
    /// The file's name; names sort as positions do.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{PREFIX}{:020}-{:020}{SUFFIX}", self.first.get(), self.last.get())
    }

    /// What a file of this name holds.
    pub(super) fn of(file: &str) -> Option<Self> {
        let numbers = file.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (first, last) = numbers.split_once('-')?;
        let position = |text: &str| Position::new(text.parse().ok()?);
        let range = Self { first: position(first)?, last: position(last)? };
        (range.first <= range.last && range.file() == file).then_some(range)
    }

    pub(super) fn has(&self, position: Position) -> bool {
        (self.first..=self.last).contains(&position)
    }

    const fn count(&self) -> u64 {
        self.last.get() - self.first.get() + 1
    }
}

/// Writes a file.
pub(super) struct Writer<W> {
    frames: FrameWriter<W>,
    payload: BytesMut,
    entries: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(out: W, log: LogId, first: Position) -> io::Result<Self> {
        let mut frames = FrameWriter::begin(out, MAGIC, FORMAT)?;
        let mut payload = BytesMut::new();
        payload.put_slice(&log.to_bytes());
        payload.put_u64_le(first.get());
        frames.write(HEADER, &payload)?;
        payload.clear();
        Ok(Self { frames, payload, entries: 0 })
    }

    pub(super) fn add(&mut self, entry: &[u8]) -> io::Result<()> {
        put_part(&mut self.payload, entry);
        self.entries += 1;
        if self.payload.len() >= FRAME_BYTES { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> io::Result<()> {
        self.frames.write(ENTRIES, &self.payload)?;
        self.payload.clear();
        Ok(())
    }

    /// Ends the file, and gives the checksum that stands for all of it.
    pub(super) fn end(mut self) -> io::Result<u64> {
        if !self.payload.is_empty() {
            self.send()?;
        }
        self.payload.put_u64_le(self.entries);
        self.payload.put_u64_le(self.frames.frames());
        self.frames.write(END, &self.payload)?;
        self.frames.flush()?;
        Ok(self.frames.checksum())
    }
}

/// Reads a file.
pub(super) struct Reader<R> {
    frames: FrameReader<R>,
    pub(super) log: LogId,
    range: Range,
    payload: Bytes,
    read: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn begin(input: R, range: Range) -> Result<Self, FrameError> {
        let mut frames = FrameReader::begin(input, MAGIC, FORMAT)?;
        let (kind, mut payload) = frames.read()?;
        if kind != HEADER || payload.len() != 24 {
            return Err(frames.damaged("it does not begin with a header"));
        }
        let mut log = [0; 16];
        payload.copy_to_slice(&mut log);
        if payload.get_u64_le() != range.first.get() {
            return Err(frames.damaged("it begins with another position than its name says"));
        }
        let log = LogId::from_bytes(log);
        Ok(Self { frames, log, range, payload: Bytes::new(), read: 0 })
    }

    /// The next entry; `None` when all of them were there.
    pub(super) fn next(&mut self) -> Result<Option<(Position, Bytes)>, FrameError> {
        while self.payload.is_empty() {
            let before = self.frames.frames();
            let (kind, payload) = self.frames.read()?;
            match kind {
                ENTRIES => self.payload = payload,
                END => return self.end(payload, before).map(|()| None),
                _ => return Err(self.frames.damaged("a frame of unknown kind")),
            }
        }
        let entry = take_part(&mut self.payload);
        let entry = entry.ok_or_else(|| self.frames.damaged("an entry is short"))?;
        let position = self.range.first.plus(self.read);
        self.read += 1;
        Ok(Some((position, entry)))
    }

    /// What stands for all that was read.
    pub(super) const fn checksum(&self) -> u64 {
        self.frames.checksum()
    }

    fn end(&mut self, mut payload: Bytes, before: u64) -> Result<(), FrameError> {
        if payload.len() != 16 || payload.get_u64_le() != self.read {
            return Err(self.frames.damaged("the number of entries does not agree"));
        }
        if payload.get_u64_le() != before {
            return Err(self.frames.damaged("the number of frames does not agree"));
        }
        if self.read != self.range.count() {
            return Err(self.frames.damaged("it ends with another position than its name says"));
        }
        self.frames.end()
    }
}
