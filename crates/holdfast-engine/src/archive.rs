//! Where entries go before the log gives them up (P18).
//!
//! An archive is a directory of files, each of which holds the entries of
//! consecutive positions, byte for byte ([`Range`]). A file is written under a
//! temporary name, synced and read back; only then is it given its name, and only
//! then may the log be trimmed. Until the trim the same can be done any number of
//! times: what is there already is compared, not written again. It asks of a log
//! only what every log can do.
//!
//! It never deletes: how long entries are kept is for its owner to decide. An
//! archive that is switched on late, or was off for a while, begins late or has a
//! hole, and whoever reads it sees that from the ranges.

mod file;

use std::{
    io::{self, BufReader, BufWriter},
    sync::Arc,
};

use bytes::Bytes;
use holdfast_log::{
    Entry, EntryError, Log, LogError, LogId, Position, Read, blocking,
    disk::{DirLock, Disk, DiskFile, Locking},
};
use holdfast_state::frames::FrameError;

pub use self::file::Range;
use self::file::{PREFIX, Reader, SUFFIX, Writer};
use crate::{
    aside::{Abandon, Aside},
    cursor::{BUFFER_BYTES, Cursor},
};

const TEMPORARY: &str = "archive.tmp";

/// How much one read of the log brings, in bytes.
const READ_BYTES: usize = 4 << 20;

/// Why entries could not be archived, or read from the archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file, or the directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are not those that were written.
    #[error("{file}: {source}")]
    Bad {
        /// The file.
        file: String,
        /// What is wrong with them.
        source: FrameError,
    },
    /// A file that no archive has, or that holds what another one holds too.
    #[error("{file} does not belong in an archive: {what}")]
    Strange {
        /// The file.
        file: String,
        /// Why not.
        what: &'static str,
    },
    /// The archive was begun by another log, or by this one before it was restored.
    #[error("{file} holds another history than the log: name an empty directory")]
    OtherHistory {
        /// The file.
        file: String,
    },
    /// Somebody else writes to the archive.
    #[error("{dir} is in use by {}", holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Busy {
        /// The archive.
        dir: String,
        /// The other process, where it could be told.
        holder: Option<u32>,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log has nothing to archive where it should.
    #[error("position {0} of the log holds no entry")]
    NoEntry(Position),
    /// The log holds something that is no entry.
    #[error("position {position} of the log: {source}")]
    Undecodable {
        /// Where.
        position: Position,
        /// What is wrong with it.
        source: EntryError,
    },
}

/// A directory of archived entries.
#[derive(Clone, Debug)]
pub struct Archive {
    disk: Arc<dyn Disk>,
    abandon: Abandon,
}

impl Archive {
    /// The archive in this directory. Nothing is read or written yet.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, abandon: Abandon::default() }
    }

    /// Archives all that the log still has below `below`. When this returns `Ok`, the
    /// log may be trimmed there. Blocks while files are written and read back.
    ///
    /// # Errors
    /// [`ArchiveError`]; the log may not be trimmed then, and trying again is safe.
    pub fn take(&self, log: &dyn Log, below: Position) -> Result<(), ArchiveError> {
        let _lock = self.lock()?;
        let archived = self.ranges()?;
        self.check_history(log, &archived, below)?;
        let from = first_missing(log, &archived, below)?;
        let Some(last) = below.previous().filter(|last| *last >= from) else { return Ok(()) };
        let identity = identity_at(log, from)?;
        if let Some(newest) = archived.last()
            && self.open(&newest.file(), *newest)?.log != identity
        {
            return Err(ArchiveError::OtherHistory { file: self.path(&newest.file()) });
        }
        self.write(log, Range { first: from, last }, identity)
    }

    /// The same beside the calling thread; `then` is called when the log may be trimmed.
    pub(crate) fn take_beside(
        &self,
        log: Arc<dyn Log>,
        below: Position,
        then: impl FnOnce() + Send + 'static,
    ) -> Aside {
        let disk = Arc::clone(&self.disk);
        Aside::start("archive", move |abandon| {
            let archive = Self { disk, abandon: abandon.clone() };
            match archive.take(log.as_ref(), below) {
                Ok(()) => then(),
                Err(_) if abandon.check().is_err() => {}
                Err(error) => tracing::error!(
                    %error, %below,
                    "the log is not trimmed: its entries could not be archived"
                ),
            }
        })
    }

    /// What it holds, in order of positions; there may be holes between.
    ///
    /// # Errors
    /// [`ArchiveError::Strange`], [`ArchiveError::Io`]
    pub fn ranges(&self) -> Result<Vec<Range>, ArchiveError> {
        let names = self.disk.list().map_err(|source| self.io("", source))?;
        let mut ranges: Vec<Range> = Vec::new();
        for name in names.iter().filter(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX)) {
            let strange = |what| ArchiveError::Strange { file: self.path(name), what };
            let range = Range::of(name).ok_or_else(|| strange("its name says no positions"))?;
            if ranges.last().is_some_and(|before| before.last >= range.first) {
                return Err(strange("the file before it holds some of its positions"));
            }
            ranges.push(range);
        }
        Ok(ranges)
    }

    /// The entries of a range, in order. They end in an error unless all of them were
    /// there.
    ///
    /// # Errors
    /// [`ArchiveError::Bad`], [`ArchiveError::Io`]
    pub fn entries(&self, range: Range) -> Result<Entries, ArchiveError> {
        let file = range.file();
        let reader = self.open(&file, range)?;
        Ok(Entries { file: self.path(&file), reader, ended: false })
    }

    fn write(&self, log: &dyn Log, range: Range, identity: LogId) -> Result<(), ArchiveError> {
        let (file, io) = (range.file(), |source| self.io(TEMPORARY, source));
        let target = self.disk.create(TEMPORARY).map_err(io)?;
        let out = BufWriter::with_capacity(BUFFER_BYTES, self.cursor(Arc::clone(&target)));
        let mut writer = Writer::begin(out, identity, range.first).map_err(io)?;
        let mut next = range.first;
        while next <= range.last {
            for bytes in read(log, next)? {
                if next <= range.last {
                    writer.add(&bytes).map_err(io)?;
                    next = next.next();
                }
            }
        }
        let written = writer.end().map_err(io)?;
        target.sync_data().map_err(io)?;
        // Before it has its name: one that does not read back never counts.
        self.read_back(range, written)?;
        self.disk.rename(TEMPORARY, &file).map_err(|source| self.io(&file, source))?;
        self.disk.sync_dir().map_err(|source| self.io(&file, source))?;
        tracing::info!(file, "entries are archived");
        Ok(())
    }

    fn read_back(&self, range: Range, written: u64) -> Result<(), ArchiveError> {
        let bad = |source| ArchiveError::Bad { file: self.path(TEMPORARY), source };
        let mut reader = self.open(TEMPORARY, range)?;
        while reader.next().map_err(bad)?.is_some() {}
        if reader.checksum() == written {
            return Ok(());
        }
        Err(bad(FrameError::Damaged { frame: 0, what: "it is another file than was written" }))
    }

    /// Where log and archive both have an entry, it is the same one.
    fn check_history(
        &self,
        log: &dyn Log,
        archived: &[Range],
        below: Position,
    ) -> Result<(), ArchiveError> {
        let Some(newest) = archived.last() else { return Ok(()) };
        let both = below.previous().map_or(newest.last, |last| last.min(newest.last));
        let Some(range) = archived.iter().find(|range| range.has(both)) else { return Ok(()) };
        let logged = match at(log, both)? {
            Read::Trimmed => return Ok(()),
            Read::Entry(bytes) => Some(bytes),
            Read::Empty => None,
        };
        for entry in self.entries(*range)? {
            let (position, archived) = entry?;
            if position == both && Some(&archived) != logged.as_ref() {
                return Err(ArchiveError::OtherHistory { file: self.path(&range.file()) });
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<DirLock, ArchiveError> {
        match self.disk.lock().map_err(|source| self.io("", source))? {
            Locking::Ours(lock) => Ok(lock),
            Locking::Busy { holder } => {
                Err(ArchiveError::Busy { dir: self.disk.location(), holder })
            }
        }
    }

    fn open(&self, file: &str, range: Range) -> Result<FileReader, ArchiveError> {
        let source = self.disk.open(file).map_err(|source| self.io(file, source))?;
        let input = BufReader::with_capacity(BUFFER_BYTES, self.cursor(source));
        Reader::begin(input, range)
            .map_err(|source| ArchiveError::Bad { file: self.path(file), source })
    }

    fn cursor(&self, file: Arc<dyn DiskFile>) -> Cursor {
        Cursor::new(file, self.abandon.clone())
    }

    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.disk.location())
    }

    fn io(&self, file: &str, source: io::Error) -> ArchiveError {
        ArchiveError::Io { file: self.path(file), source }
    }
}

type FileReader = Reader<BufReader<Cursor>>;

/// Entries read from one file.
pub struct Entries {
    file: String,
    reader: FileReader,
    ended: bool,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Iterator for Entries {
    type Item = Result<(Position, Bytes), ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.reader.next().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        let bad = |source| ArchiveError::Bad { file: self.file.clone(), source };
        next.map(|entry| entry.map_err(bad))
    }
}

/// The first position below `below` that the log has and the archive has not; `below`
/// or more when there is none.
fn first_missing(
    log: &dyn Log,
    archived: &[Range],
    below: Position,
) -> Result<Position, ArchiveError> {
    let end = archived.last().map_or(Position::first(), |newest| newest.last.next());
    if end >= below || at(log, end)? != Read::Trimmed {
        return Ok(end);
    }
    // What is trimmed is a prefix. `kept` is not trimmed, or nothing below it is asked for.
    let (mut trimmed, mut kept) = (end, below);
    while trimmed.next() < kept {
        let middle = trimmed.plus((kept.get() - trimmed.get()) / 2);
        if at(log, middle)? == Read::Trimmed {
            trimmed = middle;
        } else {
            kept = middle;
        }
    }
    tracing::warn!(from = %end, to = %kept, "entries were trimmed that the archive never had");
    Ok(kept)
}

fn at(log: &dyn Log, position: Position) -> Result<Read, ArchiveError> {
    let found = blocking::read(log, position, 1)?.into_iter().next();
    Ok(found.expect("a log answers at least one element"))
}

fn identity_at(log: &dyn Log, position: Position) -> Result<LogId, ArchiveError> {
    let Read::Entry(bytes) = at(log, position)? else {
        return Err(ArchiveError::NoEntry(position));
    };
    let entry = Entry::decode(&bytes);
    let entry = entry.map_err(|source| ArchiveError::Undecodable { position, source })?;
    Ok(entry.header.log)
}

/// Entries from a position on, at least one.
fn read(log: &dyn Log, from: Position) -> Result<Vec<Bytes>, ArchiveError> {
    let found = blocking::read(log, from, READ_BYTES)?;
    let entries: Vec<Bytes> = found
        .into_iter()
        .map_while(|read| match read {
            Read::Entry(bytes) => Some(bytes),
            Read::Empty | Read::Trimmed => None,
        })
        .collect();
    if entries.is_empty() { Err(ArchiveError::NoEntry(from)) } else { Ok(entries) }
}
