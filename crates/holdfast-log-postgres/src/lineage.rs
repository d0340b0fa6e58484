//! Which PostgreSQL this is, and whether it can still hold what was acknowledged.
//!
//! After a failover there may be two servers that take writes: the standby that was promoted, and
//! the old primary that comes back. They share a system identifier; promotion began a new
//! *timeline*, so the old one has the lower number. A server restored from a backup of its disk
//! keeps its timeline and has less WAL than it had.
//!
//! The record of what was seen cannot live in the database, since a stale one would hold a stale
//! record. It lives with whoever writes: in this process, and across its lives in a small file
//! ([`Memo`]) beside its other data. What a node has never seen it cannot know: without a memo,
//! only servers that demand synchronous standbys keep an old primary from acknowledging.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Where a server's history stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The system identifier: drawn by `initdb`, shared by a primary and its standbys.
    pub system: u64,
    /// The timeline: one more after each promotion.
    pub timeline: u32,
    /// How much WAL the server had written to disk, in bytes since the beginning of time.
    pub wal: u64,
}

/// Why a server cannot be the one that holds the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LineageError {
    /// Another database cluster altogether.
    #[error("system identifier {found}, the log lives on {known}: this is another database")]
    OtherSystem {
        /// Known from before.
        known: u64,
        /// This server's.
        found: u64,
    },
    /// A primary from before a failover.
    #[error(
        "timeline {found}, the log has gone on to timeline {known}: this is an old primary \
         beside the promoted standby; stop it, and make it a standby (pg_rewind) or remove it"
    )]
    OldPrimary {
        /// The highest timeline seen.
        known: u32,
        /// This server's.
        found: u32,
    },
    /// A server that had more than it has.
    #[error(
        "it has WAL up to {found:#x} and had it up to {known:#x} on the same timeline: it was \
         restored from a copy, or reset"
    )]
    LostWal {
        /// How far it was seen to be.
        known: u64,
        /// How far it is.
        found: u64,
    },
}

impl Lineage {
    /// Whether a server found there can hold all that was acknowledged up to here.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn leads_to(&self, found: &Self) -> Result<(), LineageError> {
        if found.system != self.system {
            return Err(LineageError::OtherSystem { known: self.system, found: found.system });
        }
        if found.timeline < self.timeline {
            return Err(LineageError::OldPrimary { known: self.timeline, found: found.timeline });
        }
        if found.timeline == self.timeline && found.wal < self.wal {
            return Err(LineageError::LostWal { known: self.wal, found: found.wal });
        }
        Ok(())
    }
}

/// The file in which a process records the lineage for its next life.
#[derive(Clone, Debug)]
pub(crate) struct Memo {
    path: PathBuf,
}

const HEADING: &str = "holdfast postgres lineage, format 1";

impl Memo {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// What was recorded; `None` if nothing was.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a memo: it is never taken for nothing.
    pub(crate) fn read(&self) -> io::Result<Option<Lineage>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => parse(&text).map(Some).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "it is no record of a lineage")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Records a lineage, all or nothing, synced.
    ///
    /// # Errors
    /// When the system refuses; the former record then stands.
    pub(crate) fn write(&self, lineage: &Lineage) -> io::Result<()> {
        let Lineage { system, timeline, wal } = lineage;
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(
            format!("{HEADING}\nsystem={system}\ntimeline={timeline}\nwal={wal}\n").as_bytes(),
        )?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn parse(text: &str) -> Option<Lineage> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADING) {
        return None;
    }
    let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix('=');
    Some(Lineage {
        system: value("system")?.parse().ok()?,
        timeline: value("timeline")?.parse().ok()?,
        wal: value("wal")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: Lineage = Lineage { system: 7, timeline: 3, wal: 1000 };

    #[test]
    fn only_what_goes_on_from_what_was_seen_is_taken() {
        let leads = |system, timeline, wal| SEEN.leads_to(&Lineage { system, timeline, wal });
        assert_eq!(leads(7, 3, 1000), Ok(()));
        assert_eq!(leads(7, 3, 1001), Ok(()));
        assert_eq!(leads(7, 4, 900), Ok(()), "a promoted standby may have less, unacknowledged");
        assert_eq!(leads(8, 4, 2000), Err(LineageError::OtherSystem { known: 7, found: 8 }));
        assert_eq!(leads(7, 2, 2000), Err(LineageError::OldPrimary { known: 3, found: 2 }));
        assert_eq!(leads(7, 3, 999), Err(LineageError::LostWal { known: 1000, found: 999 }));
    }

    #[test]
    fn a_memo_is_read_back_and_a_damaged_one_is_not_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let memo = Memo::at(dir.path().join("lineage"));
        assert_eq!(memo.read().unwrap(), None);
        memo.write(&SEEN).unwrap();
        memo.write(&Lineage { timeline: 4, ..SEEN }).unwrap();
        assert_eq!(memo.read().unwrap(), Some(Lineage { timeline: 4, ..SEEN }));
        for damaged in ["", "something else\n", &format!("{HEADING}\nsystem=7\ntimeline=x\n")] {
            fs::write(memo.path(), damaged).unwrap();
            assert!(memo.read().is_err(), "{damaged:?}");
        }
    }
}
