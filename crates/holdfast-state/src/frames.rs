//! Frames: how files are written that are read from front to back and must be whole.
//!
//! ```text
//! stream := magic (6 bytes) format (u16) | frame*
//! frame  := kind (u8) | length (u32) | checksum (u64) | payload
//! part   := length (u32) | bytes
//! ```
//!
//! All integers are little-endian. Each checksum is xxh3-64 over kind, length
//! and payload, seeded with the checksum before it, so frames cannot be left out,
//! swapped or taken from another stream without notice. What kinds there are, and
//! that the last frame says how many came before it, is up to the stream.

use std::io::{self, Read, Write};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use xxhash_rust::xxh3::Xxh3;

/// A frame is best sent when it has grown to this many bytes.
pub const FRAME_BYTES: usize = 256 << 10;

/// No frame is larger: one part may exceed [`FRAME_BYTES`], not this.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// Why frames could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It begins with another magic, or has a format that this release does not read.
    #[error("it is of another kind or format")]
    Format,
    /// The bytes are not those that were written.
    #[error("it is damaged in frame {frame}: {what}")]
    Damaged {
        /// Frames before the bad one.
        frame: u64,
        /// What does not fit.
        what: &'static str,
    },
}

/// Writes frames.
#[derive(Debug)]
pub struct FrameWriter<W> {
    out: W,
    checksum: u64,
    frames: u64,
}

impl<W: Write> FrameWriter<W> {
    /// Begins a stream.
    ///
    /// # Errors
    /// What `out` says.
    pub fn begin(mut out: W, magic: &[u8; 6], format: u16) -> io::Result<Self> {
        out.write_all(magic)?;
        out.write_all(&format.to_le_bytes())?;
        Ok(Self { out, checksum: 0, frames: 0 })
    }

    /// Writes a frame.
    ///
    /// # Errors
    /// What `out` says; the stream is of no use then.
    ///
    /// # Panics
    /// When the payload is longer than 4 GiB.
    pub fn write(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).expect("a frame is bounded");
        self.checksum = checksum(self.checksum, kind, length, payload);
        self.out.write_all(&[kind])?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.checksum.to_le_bytes())?;
        self.out.write_all(payload)?;
        self.frames += 1;
        Ok(())
    }

    /// Frames written so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// The last frame's checksum, which stands for all of them.
    pub const fn checksum(&self) -> u64 {
        self.checksum
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// What `out` says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn checksum(previous: u64, kind: u8, length: u32, payload: &[u8]) -> u64 {
    let mut hash = Xxh3::with_seed(previous);
    hash.update(&[kind]);
    hash.update(&length.to_le_bytes());
    hash.update(payload);
    hash.digest()
}

/// Reads frames.
#[derive(Debug)]
pub struct FrameReader<R> {
    input: R,
    checksum: u64,
    frames: u64,
}

impl<R: Read> FrameReader<R> {
    /// Begins to read a stream.
    ///
    /// # Errors
    /// [`FrameError::Format`], [`FrameError::Io`]
    pub fn begin(mut input: R, magic: &[u8; 6], format: u16) -> Result<Self, FrameError> {
        let mut start = [0; 8];
        input.read_exact(&mut start)?;
        if start[..6] != *magic || start[6..] != format.to_le_bytes() {
            return Err(FrameError::Format);
        }
        Ok(Self { input, checksum: 0, frames: 0 })
    }

    /// The next frame: its kind and what it holds.
    ///
    /// # Errors
    /// [`FrameError::Damaged`], also when the stream ends; [`FrameError::Io`]
    pub fn read(&mut self) -> Result<(u8, Bytes), FrameError> {
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

    /// Checks that nothing follows.
    ///
    /// # Errors
    /// [`FrameError::Damaged`], [`FrameError::Io`]
    pub fn end(&mut self) -> Result<(), FrameError> {
        let mut more = [0; 1];
        match self.input.read(&mut more)? {
            0 => Ok(()),
            _ => Err(self.damaged("something follows the end")),
        }
    }

    /// An error that names the present frame.
    pub const fn damaged(&self, what: &'static str) -> FrameError {
        FrameError::Damaged { frame: self.frames, what }
    }

    /// Frames read so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// The last frame's checksum, which stands for all of them.
    pub const fn checksum(&self) -> u64 {
        self.checksum
    }

    fn ended_early(&self, error: io::Error) -> FrameError {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            self.damaged("the stream ends early")
        } else {
            error.into()
        }
    }
}

/// Adds a part to a payload.
///
/// # Panics
/// When it is longer than 4 GiB.
pub fn put_part(payload: &mut BytesMut, part: &[u8]) {
    payload.put_u32_le(u32::try_from(part.len()).expect("a part is bounded"));
    payload.put_slice(part);
}

/// Takes a part off a payload; `None` when it is not all there.
pub fn take_part(payload: &mut Bytes) -> Option<Bytes> {
    if payload.len() < 4 {
        return None;
    }
    let length = usize::try_from(payload.get_u32_le()).ok()?;
    (length <= payload.len()).then(|| payload.split_to(length))
}
