//! Reads one segment from end to end: which of its records are good, and what comes after.
//!
//! Records are good as long as each follows the one before: next number, right chain, true checks.
//! What comes after the last good one is looked at too: headers of later records, wherever they
//! lie, are evidence of what was durable when they were written. Whether the first record that is
//! not good was a tail or is damage, is for [`super::recovery`] to judge.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::identity_file::FileId;
use super::index::Slot;
use super::record::{self, Kind, NoRecord, ReadHeader};
use super::segment::{self, SegmentHeader};
use crate::disk::{Disk, DiskFile};
use crate::error::LogError;
use crate::position::Position;

/// What is found in a segment.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) header: SegmentHeader,
    /// Where each good record begins; the first has the number `header.first_record`.
    pub(super) offsets: Vec<u32>,
    /// The entries among them.
    pub(super) entries: Vec<(Position, Slot)>,
    /// The last trim among them: the mark and the first segment needed.
    pub(super) trim: Option<(Position, u64)>,
    /// The kind of the last good record.
    pub(super) last_kind: Option<Kind>,
    /// The header check of the last good record, or of the one before the segment.
    pub(super) previous: u64,
    /// The highest record number that anything in this segment says was durable.
    pub(super) evidence: u64,
    /// Where the good records end.
    pub(super) end: u64,
    /// What is there instead of the next record.
    pub(super) instead: &'static str,
    /// Whether everything from `end` on is zero.
    pub(super) blank: bool,
}

impl Scan {
    /// Reads segment `number`.
    pub(super) fn of(
        disk: &dyn Disk,
        number: NonZeroU64,
        identity: FileId,
    ) -> Result<Self, LogError> {
        let name = segment::name(number.get());
        let (file, bytes) = read_whole(disk, &name)?;
        let header = SegmentHeader::decode(&bytes, number.get(), identity)?;
        let mut scan = Self {
            file,
            header,
            offsets: Vec::new(),
            entries: Vec::new(),
            trim: None,
            last_kind: None,
            previous: header.previous,
            evidence: header.durable,
            end: segment::HEADER_BYTES,
            instead: "the segment ends",
            blank: false,
        };
        match scan.read_records(number, &bytes) {
            NoRecord::Blank => scan.instead = "there is nothing",
            NoRecord::Bad(what) => scan.instead = what,
            NoRecord::Format(found) => {
                let supported = record::FORMAT;
                return Err(LogError::UnsupportedFormat { file: name, found, supported });
            }
        }
        scan.look_beyond(&bytes);
        Ok(scan)
    }

    /// The number of the record that would come next.
    pub(super) fn next_record(&self) -> u64 {
        self.header.first_record + self.offsets.len() as u64
    }

    /// Whether the log goes on in the next segment.
    pub(super) fn is_continued(&self) -> bool {
        self.last_kind == Some(Kind::Continue)
    }

    /// Where the first record above this number begins; `None` if there is none.
    pub(super) fn first_above(&self, number: u64) -> Option<u64> {
        let at = (number + 1).saturating_sub(self.header.first_record);
        let at = usize::try_from(at).ok()?;
        self.offsets.get(at).map(|offset| u64::from(*offset))
    }

    /// Takes records as long as they are good; says why the next is not.
    fn read_records(&mut self, segment: NonZeroU64, bytes: &[u8]) -> NoRecord {
        loop {
            let rest = &bytes[index(self.end)..];
            let taken = record::decode_header(rest).and_then(|header| {
                self.check_place(&header)?;
                let payload = header.payload(rest)?;
                self.take(segment, &header, payload)
            });
            match taken {
                Ok(()) if self.is_continued() => return NoRecord::Blank,
                Ok(()) => {}
                Err(no_record) => return no_record,
            }
        }
    }

    fn check_place(&self, header: &ReadHeader) -> Result<(), NoRecord> {
        let record = header.record;
        if record.identity != self.header.identity {
            return Err(NoRecord::Bad("a record of another log"));
        }
        if record.number != self.next_record() || record.previous != self.previous {
            return Err(NoRecord::Bad("a record that does not follow the one before"));
        }
        Ok(())
    }

    fn take(
        &mut self,
        segment: NonZeroU64,
        header: &ReadHeader,
        payload: &[u8],
    ) -> Result<(), NoRecord> {
        let offset = u32::try_from(self.end).map_err(|_| NoRecord::Bad("a segment of 4 GiB"))?;
        match (header.record.kind, header.record.position) {
            (Kind::Entry, Some(position)) => {
                let slot = Slot { segment, offset, length: header.length };
                self.entries.push((position, slot));
            }
            (Kind::Trim, Some(mark)) => {
                let first = payload.try_into().map_err(|_| NoRecord::Bad("a malformed trim"))?;
                self.trim = Some((mark, u64::from_le_bytes(first)));
            }
            (Kind::Seal | Kind::Mark | Kind::Continue, None) => {}
            (Kind::Entry | Kind::Trim, None)
            | (Kind::Seal | Kind::Mark | Kind::Continue, Some(_)) => {
                return Err(NoRecord::Bad("a malformed record"));
            }
        }
        self.offsets.push(offset);
        self.evidence = self.evidence.max(header.record.durable);
        self.last_kind = Some(header.record.kind);
        self.previous = header.check;
        self.end += header.size() as u64;
        Ok(())
    }

    /// Looks for headers of later records, which tell what was durable when they were written.
    ///
    /// An entry's bytes could hold a copy of such a header only if a client knew the identity of
    /// these files and the number of a record to come; it would make an open refuse, never lose.
    fn look_beyond(&mut self, bytes: &[u8]) {
        let rest = &bytes[index(self.end)..];
        self.blank = rest.iter().all(|byte| *byte == 0);
        if self.blank {
            return;
        }
        let next = self.next_record();
        let most = next + (rest.len() / record::HEADER_BYTES) as u64;
        for at in (0..rest.len()).step_by(record::ALIGN) {
            let Ok(header) = record::decode_header(&rest[at..]) else { continue };
            let found = header.record;
            let is_later = found.identity == self.header.identity
                && (next..=most).contains(&found.number)
                && found.durable < found.number;
            if is_later {
                self.evidence = self.evidence.max(found.durable);
            }
        }
    }
}

fn read_whole(disk: &dyn Disk, name: &str) -> Result<(Arc<dyn DiskFile>, Vec<u8>), LogError> {
    let read = || {
        let file = disk.open(name)?;
        let length = usize::try_from(file.len()?).map_err(std::io::Error::other)?;
        let mut bytes = vec![0; length];
        file.read_at(0, &mut bytes)?;
        Ok((file, bytes))
    };
    read().map_err(LogError::io(format!("reading {name}")))
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("the segment is in memory")
}
