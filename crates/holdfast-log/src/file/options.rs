//! What can be chosen when a file log is opened.
//!
//! Segment size and limits may differ from one open to the next: a segment remembers its own size,
//! and limits bind only what is appended.

use super::record;
use super::segment;
use crate::error::LogError;

/// When the next segment is filled with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spare {
    /// Before it is needed, by a thread of its own, so that appends do not wait.
    Ahead,
    /// When it is needed, by the writer: all writing happens on one thread, in one order, which
    /// makes a run on a simulated disk repeatable.
    OnDemand,
}

/// How a file log behaves.
#[derive(Clone, Debug)]
pub struct FileLogOptions {
    /// The size of new segments, in bytes; rounded up to whole pages of 4 KiB. Below 4 GiB.
    pub segment_bytes: u64,
    /// The largest entry that is taken, in bytes. A segment must have room for one.
    pub max_entry_bytes: usize,
    /// How far beyond the first hole an append may go, in positions.
    pub max_positions_ahead: u64,
    /// How many bytes of appends may wait for the writer.
    pub max_queued_bytes: usize,
    /// When the next segment is prepared.
    pub spare: Spare,
}

impl Default for FileLogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            max_entry_bytes: 16 << 20,
            max_positions_ahead: 1024,
            max_queued_bytes: 128 << 20,
            spare: Spare::Ahead,
        }
    }
}

impl FileLogOptions {
    /// The size of a new segment.
    pub(super) fn segment_len(&self) -> u64 {
        self.segment_bytes.next_multiple_of(segment::HEADER_BYTES)
    }

    pub(super) fn check(&self) -> Result<(), LogError> {
        let bad = |what: String| Err(LogError::BadOptions { what });
        if self.segment_bytes >= u64::from(u32::MAX) - segment::HEADER_BYTES {
            return bad(format!("segment_bytes {} is not below 4 GiB", self.segment_bytes));
        }
        let room = self.segment_len().saturating_sub(segment::HEADER_BYTES);
        let Some(largest) = record::size_of_record(self.max_entry_bytes)
            .and_then(|size| size.checked_add(record::END_RESERVE))
        else {
            return bad(format!("max_entry_bytes {} is not below 4 GiB", self.max_entry_bytes));
        };
        if largest > room {
            return bad(format!(
                "an entry of max_entry_bytes {} does not fit into a segment of {} bytes",
                self.max_entry_bytes, self.segment_bytes
            ));
        }
        Ok(())
    }
}
