//! Opens what a former process left: decides what counts, repairs what may be repaired, refuses
//! the rest.
//!
//! *Tail or damage.* Let record `b` be the first that is not good. If anything that was written
//! says that `b` was durable, its bytes have changed since and the log is damaged. If nothing says
//! so, `b` was not acknowledged as far as the bytes can tell: it and what follows are cut off.
//! Records say what was durable when they were written, segments say it when they are begun.
//!
//! What the bytes cannot tell: the writer leaves a mark after each sync and before the answers, but
//! nobody waits for the mark. After a power cut it may be missing, and then damage to the very last
//! group that was acknowledged looks like a tail. After anything less (a kill, a panic) it cannot.
//!
//! *What was only seen is written again.* Records that nothing proves durable may be in the page
//! cache alone, even after a sync that failed. They, and the zeros after an unsealed end, are
//! written anew and synced before anything is built upon them.
//!
//! Nothing here leaves a state that opening again would judge differently: every step can be
//! interrupted and repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use holdfast_planted::planted;

use super::appender::Tip;
use super::identity_file::{self, FileId};
use super::index::{Holds, Index};
use super::options::FileLogOptions;
use super::record::Kind;
use super::scan::Scan;
use super::segment::{self, SegmentHeader};
use super::shared::Segment;
use crate::disk::{Disk, DiskFile};
use crate::error::LogError;
use crate::position::Position;

/// The log as it goes on from here.
pub(super) struct Recovered {
    pub(super) index: Index,
    pub(super) segments: BTreeMap<u64, Segment>,
    pub(super) tip: Tip,
}

/// Opens the log in this directory, or begins one. The directory is ours.
pub(super) fn recover(disk: &dyn Disk, options: &FileLogOptions) -> Result<Recovered, LogError> {
    let mut files = Files::survey(disk)?;
    if !files.has_identity {
        files.check_never_used(disk)?;
        begin_log(disk, options.segment_len())?;
        files = Files::survey(disk)?;
    }
    let identity = identity_file::read(disk)?;
    let newest = files.newest()?;
    let newest = Scan::of(disk, newest, identity)?;
    let mut chain = Chain::new(newest, &files)?;
    chain.read_older(disk)?;
    chain.last().end.judge(chain.evidence)?;
    chain.repair()?;
    chain.remove_what_is_not_needed(disk, &files)?;
    Ok(chain.finish())
}

/// What is in the directory.
struct Files {
    segments: BTreeSet<NonZeroU64>,
    has_identity: bool,
    /// Files that were not completed.
    temporary: Vec<String>,
}

impl Files {
    fn survey(disk: &dyn Disk) -> Result<Self, LogError> {
        let mut files =
            Self { segments: BTreeSet::new(), has_identity: false, temporary: Vec::new() };
        for file in disk.list().map_err(LogError::io("listing the directory"))? {
            if let Some(number) = segment::number_of(&file).and_then(NonZeroU64::new) {
                files.segments.insert(number);
            } else if file == identity_file::NAME {
                files.has_identity = true;
            } else if file == identity_file::TEMPORARY_NAME || file == segment::SPARE_NAME {
                files.temporary.push(file);
            } else {
                return Err(LogError::ForeignFile { file });
            }
        }
        Ok(files)
    }

    fn newest(&self) -> Result<NonZeroU64, LogError> {
        self.segments.last().copied().ok_or_else(|| missing(1))
    }

    /// A log that was never complete has at most its first segment, without a record. Anything
    /// more has lost its identity file.
    fn check_never_used(&self, disk: &dyn Disk) -> Result<(), LogError> {
        let Some(newest) = self.segments.last() else { return Ok(()) };
        let lost = Err(identity_file::damaged("it is missing"));
        if newest.get() > 1 {
            return lost;
        }
        let name = segment::name(1);
        let read = || {
            let file = disk.open(&name)?;
            let length = file.len()?.saturating_sub(segment::HEADER_BYTES);
            let mut bytes = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
            file.read_at(segment::HEADER_BYTES.min(file.len()?), &mut bytes)?;
            Ok(bytes.iter().all(|byte| *byte == 0))
        };
        let is_blank = read().map_err(LogError::io(format!("reading {name}")))?;
        if is_blank { Ok(()) } else { lost }
    }
}

fn missing(segment: u64) -> LogError {
    let what = "the segment is missing".to_owned();
    LogError::Damaged { file: segment::name(segment), offset: 0, what }
}

/// Makes the first segment, then the identity file that says that the log is complete.
fn begin_log(disk: &dyn Disk, segment_len: u64) -> Result<(), LogError> {
    let id = disk.fresh_id().map_err(LogError::io("drawing an identity"))?;
    let identity = FileId::from_bytes(id);
    let spare = segment::prepare(disk, segment_len, || true)
        .map_err(LogError::io("preparing the first segment"))?
        .expect("nobody asked it to leave off");
    let header = SegmentHeader {
        identity,
        number: 1,
        length: segment_len,
        first_record: 1,
        previous: 0,
        durable: 0,
        mark: Position::first(),
        first_segment: 1,
    };
    segment::begin(disk, &*spare, &header)?;
    identity_file::write(disk, identity)
}

/// Where the good records of a segment end.
struct End {
    segment: u64,
    offset: u64,
    last_kind: Option<Kind>,
    /// The number of the record that would come next.
    next_record: u64,
    /// The header check of the last good record.
    previous: u64,
    /// What is there instead of the next record.
    instead: &'static str,
    /// Whether everything behind is zero.
    is_blank: bool,
}

impl End {
    fn of(scan: &Scan) -> Self {
        Self {
            segment: scan.header.number,
            offset: scan.end,
            last_kind: scan.last_kind,
            next_record: scan.next_record(),
            previous: scan.previous,
            instead: scan.instead,
            is_blank: scan.blank,
        }
    }

    /// Decides, for a segment with none behind it, whether what is missing was ever durable.
    fn judge(&self, evidence: u64) -> Result<(), LogError> {
        if self.last_kind == Some(Kind::Continue) {
            return Err(missing(self.segment + 1));
        }
        if evidence < self.next_record || planted!(DamageIsTail) {
            return Ok(());
        }
        Err(LogError::Damaged {
            file: segment::name(self.segment),
            offset: self.offset,
            what: format!("record {} was durable; now: {}", self.next_record, self.instead),
        })
    }

    fn is_sealed(&self) -> bool {
        self.last_kind == Some(Kind::Seal)
    }
}

/// What a segment amounts to once its records are in the index.
struct Link {
    header: SegmentHeader,
    file: Arc<dyn DiskFile>,
    highest: Option<Position>,
    /// Records from here on may be in the page cache alone.
    unproven: Option<u64>,
    end: End,
}

/// The segments from the first needed to the newest, and what their records say.
///
/// The newest is read first. It knows the trim mark and with it which segments are needed; and
/// since a segment is begun when everything before it is durable (but the record that says so), no
/// older one can have more evidence of what was durable.
struct Chain {
    identity: FileId,
    evidence: u64,
    /// The segments still to be read, in order.
    older: Vec<NonZeroU64>,
    /// The newest, until the others are read.
    newest: Option<Scan>,
    links: Vec<Link>,
    index: Index,
}

impl Chain {
    fn new(newest: Scan, files: &Files) -> Result<Self, LogError> {
        let header = newest.header;
        // Before anything is believed of it: if its end is damaged, its last trim may be lost.
        End::of(&newest).judge(newest.evidence)?;
        let (mark, first) = newest.trim.unwrap_or((header.mark, header.first_segment));
        let first = NonZeroU64::new(first).filter(|first| first.get() <= header.number);
        let Some(first) = first else {
            let file = segment::name(header.number);
            let what = "it says that the first segment needed comes after it".to_owned();
            return Err(LogError::Damaged { file, offset: 0, what });
        };
        let older: Vec<_> = (first.get()..header.number).filter_map(NonZeroU64::new).collect();
        if let Some(lost) = older.iter().find(|number| !files.segments.contains(number)) {
            return Err(missing(lost.get()));
        }
        Ok(Self {
            identity: header.identity,
            evidence: newest.evidence,
            older,
            newest: Some(newest),
            links: Vec::new(),
            index: Index::new(mark),
        })
    }

    /// Reads the other segments; stops where the log does.
    fn read_older(&mut self, disk: &dyn Disk) -> Result<(), LogError> {
        for number in std::mem::take(&mut self.older) {
            let scan = Scan::of(disk, number, self.identity)?;
            if !self.add(scan)? {
                return Ok(());
            }
        }
        let newest = self.newest.take().expect("it was read first");
        self.add(newest).map(|_| ())
    }

    /// Adds the next segment; says whether the log goes on behind it.
    fn add(&mut self, mut scan: Scan) -> Result<bool, LogError> {
        if let Some(before) = self.links.last() {
            let header = scan.header;
            let end = &before.end;
            if header.first_record != end.next_record || header.previous != end.previous {
                let file = segment::name(header.number);
                let what = "the segment does not follow the one before".to_owned();
                return Err(LogError::Damaged { file, offset: 48, what });
            }
        }
        if planted!(TornTailCutTooFar) {
            scan.entries.pop();
        }
        let highest = scan.entries.iter().map(|(position, _)| *position).max();
        for (position, slot) in std::mem::take(&mut scan.entries) {
            if matches!(self.index.holds(position), Holds::Entry(_)) {
                let file = segment::name(scan.header.number);
                let what = format!("position {position} is written a second time");
                return Err(LogError::Damaged { file, offset: u64::from(slot.offset), what });
            }
            self.index.insert(position, slot);
        }
        let is_continued = scan.is_continued();
        self.links.push(Link::of(&scan, highest, self.evidence));
        Ok(is_continued)
    }

    fn last(&self) -> &Link {
        self.links.last().expect("the newest segment was added, or one before it")
    }

    /// Makes durable what was only seen, and blank what is cut off.
    fn repair(&self) -> Result<(), LogError> {
        for link in &self.links {
            let is_last = link.header.number == self.last().header.number;
            let name = segment::name(link.header.number);
            link.repair(is_last).map_err(LogError::io(format!("repairing {name}")))?;
        }
        Ok(())
    }

    /// Removes unfinished files, trimmed segments, and segments behind the end, which were begun
    /// but took no record that counts.
    fn remove_what_is_not_needed(&self, disk: &dyn Disk, files: &Files) -> Result<(), LogError> {
        let needed = self.links[0].header.number..=self.last().header.number;
        let segments = files.segments.iter().map(|number| number.get());
        let unneeded = segments.filter(|number| !needed.contains(number)).map(segment::name);
        for name in unneeded.chain(files.temporary.iter().cloned()) {
            disk.remove(&name).map_err(LogError::io(format!("removing {name}")))?;
        }
        disk.sync_dir().map_err(LogError::io("syncing the directory"))
    }

    fn finish(self) -> Recovered {
        let last = self.last();
        let durable = last.end.next_record - 1;
        let sealed = last.end.is_sealed();
        let number = last.header.number;
        let tip = Tip {
            identity: self.identity,
            segment: NonZeroU64::new(number).expect("segments count from 1"),
            file: Arc::clone(&last.file),
            length: last.header.length,
            offset: last.end.offset,
            next_record: last.end.next_record,
            previous: last.end.previous,
            durable,
            // A seal needs no record that says that it is durable: it holds nothing.
            marked: if sealed { durable } else { self.evidence },
            sealed,
        };
        let segments = self
            .links
            .into_iter()
            .map(|link| (link.header.number, Segment { file: link.file, highest: link.highest }));
        Recovered { segments: segments.collect(), index: self.index, tip }
    }
}

impl Link {
    fn of(scan: &Scan, highest: Option<Position>, evidence: u64) -> Self {
        Self {
            header: scan.header,
            file: Arc::clone(&scan.file),
            highest,
            unproven: scan.first_above(evidence),
            end: End::of(scan),
        }
    }

    fn repair(&self, is_last: bool) -> std::io::Result<()> {
        let end = self.end.offset;
        let to_blank = is_last && !(self.end.is_sealed() && self.end.is_blank);
        if to_blank {
            segment::write_zeros(&*self.file, end, self.header.length, || Ok(()))?;
        }
        if let Some(from) = self.unproven {
            let length = usize::try_from(end - from).map_err(std::io::Error::other)?;
            let mut bytes = vec![0; length];
            self.file.read_at(from, &mut bytes)?;
            self.file.write_at(from, &bytes)?;
        }
        if to_blank || self.unproven.is_some() {
            self.file.sync_data()?;
        }
        Ok(())
    }
}
