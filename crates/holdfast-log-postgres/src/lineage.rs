//! Which PostgreSQL this is, and whether it can still hold what was acknowledged.
//!
//! After a failover there may be two servers that take writes: the standby that was promoted, and
//! the old primary that comes back. They share a system identifier; promotion began a new
//! *timeline*, so the old one has the lower number. A server restored from a backup of its disk
//! keeps its timeline and has less WAL than it had.
//!
//! A record of what was seen that lived in the database alone would be as stale as the database. It
//! lives with whoever writes: in this process, across its lives in a small file ([`Memo`]) beside its
//! other data, and, as system identifier and timeline, in every claim and renewal ([`Provenance`]).
//! Those who read them keep the latest in their state and in snapshots, so that a node that begins
//! with any of these knows what the log has gone on to. What a node has never seen it cannot know:
//! one that has nothing is held off an old primary only by servers that demand synchronous standbys.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use holdfast_log::Provenance;
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
    /// Nothing that this build records.
    #[error("its claims tell of another kind of log, or a newer Holdfast wrote them")]
    Foreign,
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

/// The first byte of a provenance of ours: what follows is a system identifier and a timeline.
const PROVENANCE_FORMAT: u8 = 1;

impl Lineage {
    /// What claims record of it: not how far its WAL is, which is never the same twice.
    pub(crate) fn provenance(&self) -> Provenance {
        let mut bytes = vec![PROVENANCE_FORMAT];
        bytes.extend_from_slice(&self.system.to_le_bytes());
        bytes.extend_from_slice(&self.timeline.to_le_bytes());
        Provenance::new(&bytes).expect("thirteen bytes fit")
    }

    /// What a claim recorded.
    ///
    /// # Errors
    /// [`LineageError::Foreign`]
    pub(crate) fn recorded(provenance: &Provenance) -> Result<Self, LineageError> {
        let bytes = provenance.as_bytes();
        let parts = match bytes.split_first() {
            Some((&PROVENANCE_FORMAT, rest)) => rest.split_first_chunk::<8>(),
            Some(_) | None => None,
        };
        let parts =
            parts.and_then(|(system, rest)| Some((system, <&[u8; 4]>::try_from(rest).ok()?)));
        let (system, timeline) = parts.ok_or(LineageError::Foreign)?;
        let (system, timeline) = (u64::from_le_bytes(*system), u32::from_le_bytes(*timeline));
        Ok(Self { system, timeline, wal: 0 })
    }

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
    fn what_a_claim_records_is_read_back_and_nothing_else_is() {
        let recorded = Lineage::recorded(&SEEN.provenance());
        assert_eq!(recorded, Ok(Lineage { wal: 0, ..SEEN }));
        let bytes = SEEN.provenance().as_bytes().to_vec();
        let long = [&bytes[..], &[0]].concat();
        let newer = [&[2], &bytes[1..]].concat();
        for foreign in [&b"x"[..], &bytes[..12], &long, &newer] {
            let foreign = Provenance::new(foreign).unwrap();
            assert_eq!(Lineage::recorded(&foreign), Err(LineageError::Foreign), "{foreign:?}");
        }
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
