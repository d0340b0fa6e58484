//! The end of the log: where the next record goes, and how it gets there.
//!
//! Records gather in a buffer and reach the active segment in one write. The appender numbers and
//! chains them and knows which are durable; what they mean is the writer's business.

use std::num::NonZeroU64;
use std::sync::Arc;

use holdfast_planted::planted;

use super::identity_file::FileId;
use super::index::Slot;
use super::record::{self, Kind, Record};
use super::segment::{self, SegmentHeader};
use super::shared::FileLogStats;
use crate::disk::{Disk, DiskFile};
use crate::error::LogError;
use crate::position::Position;

/// A buffer that one large group made larger than this is given back.
const BUFFER_KEPT_BYTES: usize = 16 << 20;

/// Where the log ends. `offset` is where the next record goes in the active segment; records up to
/// `next_record - 1` exist, those up to `durable` are durable, those up to `marked` are said to be
/// by some record that was written: `marked <= durable < next_record`.
#[derive(Debug)]
pub(super) struct Tip {
    pub(super) identity: FileId,
    /// The active segment's number.
    pub(super) segment: NonZeroU64,
    pub(super) file: Arc<dyn DiskFile>,
    /// The active segment's size.
    pub(super) length: u64,
    pub(super) offset: u64,
    pub(super) next_record: u64,
    /// The header check of the last record.
    pub(super) previous: u64,
    pub(super) durable: u64,
    pub(super) marked: u64,
    /// Whether the last record is a seal.
    pub(super) sealed: bool,
}

/// Writes records at the tip.
pub(super) struct Appender {
    disk: Arc<dyn Disk>,
    tip: Tip,
    /// Records that end at `tip.offset` and are not written yet.
    buffer: Vec<u8>,
    counts: FileLogStats,
}

impl Appender {
    pub(super) fn new(disk: Arc<dyn Disk>, tip: Tip) -> Self {
        Self { disk, tip, buffer: Vec::new(), counts: FileLogStats::default() }
    }

    pub(super) fn identity(&self) -> FileId {
        self.tip.identity
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.tip.sealed
    }

    /// What it has written; the number of entries is the writer's to count.
    pub(super) fn counts(&self) -> FileLogStats {
        self.counts
    }

    /// Whether a record with this payload fits into the active segment, with room left for a mark
    /// and the segment's last record.
    pub(super) fn has_room(&self, payload_bytes: usize) -> bool {
        let size = record::size_of_record(payload_bytes).expect("entries are far below 4 GiB");
        self.tip.offset + size + record::END_RESERVE <= self.tip.length
    }

    /// Writes, without making it durable, which records are; unless a record said so already.
    pub(super) fn mark(&mut self) -> Result<(), LogError> {
        let last_record_follows = self.tip.offset + record::END_RESERVE <= self.tip.length;
        if self.tip.marked < self.tip.durable && last_record_follows {
            self.put(Kind::Mark, None, &[]);
        }
        self.write()
    }

    /// Adds a record to the buffer; it has room.
    pub(super) fn put(&mut self, kind: Kind, position: Option<Position>, payload: &[u8]) -> Slot {
        let record = Record {
            kind,
            number: self.tip.next_record,
            position,
            durable: self.tip.durable,
            identity: self.tip.identity,
            previous: self.tip.previous,
        };
        let before = self.buffer.len();
        self.tip.previous = record::encode(&mut self.buffer, &record, payload);
        let slot = Slot {
            segment: self.tip.segment,
            offset: u32::try_from(self.tip.offset).expect("segments are below 4 GiB"),
            length: u32::try_from(payload.len()).expect("entries are far below 4 GiB"),
        };
        self.tip.offset += (self.buffer.len() - before) as u64;
        assert!(self.tip.offset <= self.tip.length, "room was asked for before");
        self.tip.next_record += 1;
        self.tip.marked = self.tip.durable;
        self.tip.sealed = kind == Kind::Seal;
        self.counts.records += 1;
        slot
    }

    /// Writes the buffer, without making it durable.
    pub(super) fn write(&mut self) -> Result<(), LogError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes = self.buffer.len() as u64;
        let start = self.tip.offset - bytes;
        self.tip.file.write_at(start, &self.buffer).map_err(self.failed("writing"))?;
        self.counts.bytes += bytes;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT_BYTES);
        Ok(())
    }

    /// Makes every record durable.
    pub(super) fn sync(&mut self) -> Result<(), LogError> {
        self.write()?;
        if self.tip.durable + 1 < self.tip.next_record {
            if !planted!(SyncLeftOut) {
                self.tip.file.sync_data().map_err(self.failed("syncing"))?;
            }
            self.tip.durable = self.tip.next_record - 1;
            self.counts.syncs += 1;
        }
        Ok(())
    }

    /// Goes on in the next segment, made of `spare`; every record is durable before and after.
    ///
    /// The order matters. The new segment exists durably before the old one says that it does, so
    /// a missing one is always damage. The old segment is durable to its last record before the new
    /// one takes any, so only the newest segment that has records can end in a torn one.
    pub(super) fn roll(
        &mut self,
        spare: Arc<dyn DiskFile>,
        mark: Position,
        first_segment: u64,
    ) -> Result<(), LogError> {
        self.sync()?;
        let durable = self.tip.durable;
        self.put(Kind::Continue, None, &[]);
        let number = self.tip.segment.checked_add(1).expect("segments do not run out");
        let header = SegmentHeader {
            identity: self.tip.identity,
            number: number.get(),
            length: spare.len().map_err(LogError::io("asking the next segment's length"))?,
            first_record: self.tip.next_record,
            previous: self.tip.previous,
            durable,
            mark,
            first_segment,
        };
        segment::begin(&*self.disk, &*spare, &header)?;
        self.sync()?;
        self.tip.segment = number;
        self.tip.length = header.length;
        self.tip.offset = segment::HEADER_BYTES;
        self.tip.file = spare;
        self.counts.segments_begun += 1;
        Ok(())
    }

    /// The active segment, for those who read it.
    pub(super) fn active(&self) -> (u64, Arc<dyn DiskFile>) {
        (self.tip.segment.get(), Arc::clone(&self.tip.file))
    }

    fn failed(&self, what: &str) -> impl FnOnce(std::io::Error) -> LogError + use<> {
        let what = format!("{what} {}", segment::name(self.tip.segment.get()));
        LogError::io(what)
    }
}
