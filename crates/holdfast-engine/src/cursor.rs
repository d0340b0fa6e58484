//! A file read or written from front to back, until it is abandoned.

use std::{io, sync::Arc};

use holdfast_log::disk::DiskFile;

use crate::aside::Abandon;

/// How much is read or written at once, in bytes: a buffer over a [`Cursor`] is as large.
pub(crate) const BUFFER_BYTES: usize = 256 << 10;

/// Where reading or writing has come to.
pub(crate) struct Cursor {
    file: Arc<dyn DiskFile>,
    offset: u64,
    abandon: Abandon,
}

impl Cursor {
    pub(crate) const fn new(file: Arc<dyn DiskFile>, abandon: Abandon) -> Self {
        Self { file, offset: 0, abandon }
    }
}

impl io::Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.abandon.check()?;
        let left = self.file.len()?.saturating_sub(self.offset);
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_at(self.offset, &mut buffer[..count])?;
        self.offset += count as u64;
        Ok(count)
    }
}

impl io::Write for Cursor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.abandon.check()?;
        self.file.write_at(self.offset, bytes)?;
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
