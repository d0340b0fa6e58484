//! What a process that died left behind about the requests it was evaluating (P21).
//!
//! ```text
//! evaluating      "HFEVAL01" | count (u64) | fingerprints, 16 bytes each
//! suspects.json   {"format":1,"suspects":[{"fingerprint":"…","deaths":1}]}
//! ```
//!
//! The first is written in place, once per group of requests, and never synced:
//! what was written survives the process, and a loss of power is no evidence. The
//! second is replaced as a whole and synced, and changes only after a death.
//!
//! Neither is worth as much as a start: one that cannot be read is put aside with a
//! warning and written anew, and a partition that cannot write them runs without.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use holdfast_engine::{
    Fingerprint, Quarantine, Suspects, Witness,
    quarantine::{DEATHS_MAX, GROUP_MAX},
};
use holdfast_log::disk::{DirLock, Locking};
use serde::{Deserialize, Serialize};

use crate::{data_dir::DataDir, error::OpenError, node::disk_at};

const EVALUATING: &str = "evaluating";
const SUSPECTS: &str = "suspects.json";
const SUSPECTS_TEMPORARY: &str = "suspects.json.tmp";

const MAGIC: &[u8; 8] = b"HFEVAL01";
const HEADER_BYTES: usize = 16;
const FINGERPRINT_BYTES: usize = 16;
const BYTES_MAX: usize = HEADER_BYTES + GROUP_MAX * FINGERPRINT_BYTES;

/// Of the file of suspects.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Remembered {
    format: u32,
    suspects: Vec<RememberedSuspect>,
}

#[derive(Serialize, Deserialize)]
struct RememberedSuspect {
    fingerprint: String,
    deaths: u32,
}

/// Takes the evidence of the process before, and begins to leave some.
pub(crate) fn open(dir: &DataDir) -> Quarantine {
    let partition = dir.partition();
    let mut suspects = or_none(&partition.join(SUSPECTS), read_suspects(&partition));
    let named = or_none(&partition.join(EVALUATING), read_evaluating(&partition));
    if !named.is_empty() {
        tracing::warn!(
            fingerprints = %listed(&named),
            "the process before died while it evaluated these requests; each is evaluated alone \
             until it has proved harmless"
        );
    }
    if let Some(fingerprint) = suspects.accuse(&named) {
        tracing::error!(
            %fingerprint,
            deaths = DEATHS_MAX,
            "a request is in quarantine: whenever it was evaluated the process died; it is refused \
             until an operator lets it go with `holdfast quarantine clear`"
        );
    }
    let refused: Vec<_> = suspects.quarantined().collect();
    if !refused.is_empty() {
        tracing::warn!(fingerprints = %listed(&refused), "requests are in quarantine");
    }
    let mut witness = CrashFile { partition, evaluating: None };
    if !named.is_empty() {
        // Before the evidence is wiped, so that none is lost to a death in between.
        witness.remember(&suspects);
    }
    witness.evaluating = witness.create();
    Quarantine::new(suspects, Box::new(witness))
}

fn listed(fingerprints: &[Fingerprint]) -> String {
    fingerprints.iter().map(Fingerprint::to_string).collect::<Vec<_>>().join(" ")
}

/// What was read, or nothing where it cannot be read.
fn or_none<T: Default>(file: &Path, read: io::Result<T>) -> T {
    read.unwrap_or_else(|error| {
        if error.kind() != io::ErrorKind::NotFound {
            let file = file.display();
            tracing::warn!(%file, %error, "what the process before left here is not used");
        }
        T::default()
    })
}

fn read_evaluating(partition: &Path) -> io::Result<Vec<Fingerprint>> {
    let bytes = fs::read(partition.join(EVALUATING))?;
    parse_evaluating(&bytes).ok_or_else(|| bad("it does not name requests"))
}

fn parse_evaluating(bytes: &[u8]) -> Option<Vec<Fingerprint>> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (count, named) = rest.split_first_chunk::<8>()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let named = named.get(..count.checked_mul(FINGERPRINT_BYTES)?)?;
    let whole = magic == MAGIC && count <= GROUP_MAX;
    let (named, _) = named.as_chunks::<FINGERPRINT_BYTES>();
    whole.then(|| named.iter().copied().map(Fingerprint).collect())
}

fn read_suspects(partition: &Path) -> io::Result<Suspects> {
    let text = fs::read_to_string(partition.join(SUSPECTS))?;
    let remembered: Remembered = serde_json::from_str(&text)?;
    if remembered.format != FORMAT {
        return Err(bad("it has another format"));
    }
    let suspects = remembered.suspects.iter().map(|suspect| {
        let fingerprint = suspect.fingerprint.parse().map_err(io::Error::other)?;
        Ok((fingerprint, suspect.deaths))
    });
    Ok(Suspects::remembered(suspects.collect::<io::Result<Vec<_>>>()?))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// In one step: the suspects before, or these.
fn write_suspects(partition: &Path, suspects: &Suspects) -> io::Result<()> {
    let suspects = suspects.iter().map(|(fingerprint, deaths)| RememberedSuspect {
        fingerprint: fingerprint.to_string(),
        deaths,
    });
    let remembered = Remembered { format: FORMAT, suspects: suspects.collect() };
    let temporary = partition.join(SUSPECTS_TEMPORARY);
    let mut file = File::create(&temporary)?;
    file.write_all(serde_json::to_string_pretty(&remembered)?.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&temporary, partition.join(SUSPECTS))?;
    File::open(partition)?.sync_all()
}

/// The witness of a partition with a directory.
#[derive(Debug)]
struct CrashFile {
    partition: PathBuf,
    /// `None` when it could not be made or written.
    evaluating: Option<File>,
}

impl CrashFile {
    /// A file that names nothing and need not grow.
    fn create(&self) -> Option<File> {
        let path = self.partition.join(EVALUATING);
        let create = || -> io::Result<File> {
            let file = File::options().create(true).truncate(true).write(true).open(&path)?;
            let mut bytes = [0; BYTES_MAX];
            bytes[..MAGIC.len()].copy_from_slice(MAGIC);
            file.write_all_at(&bytes, 0)?;
            Ok(file)
        };
        create().inspect_err(|error| self.without(error)).ok()
    }

    fn without(&self, error: &io::Error) {
        let partition = self.partition.display();
        tracing::error!(%partition, %error, "a request that kills the process will not be recognised");
    }
}

impl Witness for CrashFile {
    fn evaluating(&mut self, fingerprints: &[Fingerprint]) {
        assert!(fingerprints.len() <= GROUP_MAX, "a group is bounded");
        let Some(file) = &self.evaluating else { return };
        let mut bytes = [0; BYTES_MAX];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..HEADER_BYTES].copy_from_slice(&(fingerprints.len() as u64).to_le_bytes());
        let (places, _) = bytes[HEADER_BYTES..].as_chunks_mut::<FINGERPRINT_BYTES>();
        for (place, fingerprint) in places.iter_mut().zip(fingerprints) {
            *place = fingerprint.0;
        }
        let length = HEADER_BYTES + fingerprints.len() * FINGERPRINT_BYTES;
        if let Err(error) = file.write_all_at(&bytes[..length], 0) {
            self.without(&error);
            self.evaluating = None;
        }
    }

    fn remember(&mut self, suspects: &Suspects) {
        if let Err(error) = write_suspects(&self.partition, suspects) {
            self.without(&error);
        }
    }
}

/// The quarantine of a server that is stopped, for its operator.
#[derive(Debug)]
pub struct QuarantineFile {
    partition: PathBuf,
    suspects: Suspects,
    /// No server starts meanwhile.
    _lock: DirLock,
}

impl QuarantineFile {
    /// The quarantine in this data directory.
    ///
    /// # Errors
    /// [`OpenError::NoData`] when there is none, [`OpenError::InUse`] while a server
    /// runs on it, [`OpenError::Io`]
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let dir = DataDir::existing(root)?;
        let locking = disk_at(&dir.log())?.lock();
        let lock = match locking.map_err(OpenError::io("locking the data directory"))? {
            Locking::Ours(lock) => lock,
            Locking::Busy { holder } => {
                return Err(OpenError::InUse { dir: dir.root().to_owned(), holder });
            }
        };
        let partition = dir.partition();
        let suspects = match read_suspects(&partition) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::io(format!("reading {SUSPECTS}"))(error));
            }
            read => read.unwrap_or_default(),
        };
        Ok(Self { partition, suspects, _lock: lock })
    }

    /// Requests that may have killed the process, those in quarantine among them.
    #[must_use]
    pub const fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// Lets a request go: it is evaluated again. False when it was not there.
    ///
    /// # Errors
    /// [`OpenError::Io`]
    pub fn clear(&mut self, fingerprint: Fingerprint) -> Result<bool, OpenError> {
        let found = self.suspects.acquit(fingerprint);
        write_suspects(&self.partition, &self.suspects)
            .map_err(OpenError::io(format!("writing {SUSPECTS}")))?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(number: u8) -> Fingerprint {
        Fingerprint([number; 16])
    }

    fn data() -> (tempfile::TempDir, DataDir) {
        let temporary = tempfile::tempdir().unwrap();
        let dir = DataDir::open_or_create(temporary.path()).unwrap();
        fs::create_dir_all(dir.log()).unwrap();
        (temporary, dir)
    }

    /// A process that dies while it evaluates these.
    fn die(dir: &DataDir, named: &[u8]) {
        let mut quarantine = open(dir);
        quarantine.begin(named.iter().map(|number| Some(print(*number))));
    }

    fn suspects(dir: &DataDir) -> Vec<(Fingerprint, u32)> {
        open(dir).suspects().iter().collect()
    }

    #[test]
    fn p21_what_was_named_when_the_process_died_is_suspected_in_the_next() {
        let (_temporary, dir) = data();
        die(&dir, &[]);
        assert_eq!(suspects(&dir), []);
        die(&dir, &[1, 2]);
        assert_eq!(suspects(&dir), [(print(1), 0), (print(2), 0)]);
        assert_eq!(suspects(&dir).len(), 2, "also in the one after");
        die(&dir, &[1]);
        die(&dir, &[1]);
        let mut quarantine = open(&dir);
        assert_eq!(quarantine.refuses(Some(print(1))), Some(print(1)));
        quarantine.survived(Some(print(2)));
        assert_eq!(suspects(&dir), [(print(1), 2)], "what is acquitted is forgotten");
    }

    #[test]
    fn p21_an_orderly_end_leaves_nothing() {
        let (_temporary, dir) = data();
        let mut quarantine = open(&dir);
        quarantine.begin([Some(print(1)); 16].into_iter());
        quarantine.end();
        drop(quarantine);
        assert_eq!(suspects(&dir), []);
    }

    #[test]
    fn p21_garbage_never_stops_a_start_and_is_written_anew() {
        for file in [EVALUATING, SUSPECTS] {
            let whole = [MAGIC, &[1, 0, 0, 0, 0, 0, 0, 0][..], &[5; 16]].concat();
            let torn = whole[..31].to_vec();
            let many = [MAGIC, &[17, 0, 0, 0, 0, 0, 0, 0][..], &[5; 16 * 17]].concat();
            let huge = [MAGIC, &[0xFF; 8][..], &[5; 16]].concat();
            let newer = br#"{"format":2,"suspects":[]}"#.to_vec();
            let odd = br#"{"format":1,"suspects":[{"fingerprint":"+1","deaths":1}]}"#.to_vec();
            for garbage in [vec![], vec![0; 4096], vec![0xFF; 300], torn, many, huge, newer, odd] {
                let (_temporary, dir) = data();
                fs::write(dir.partition().join(file), &garbage).unwrap();
                assert_eq!(suspects(&dir), [], "{file}: {garbage:?}");
                die(&dir, &[7]);
                assert_eq!(suspects(&dir), [(print(7), 1)], "{file}: {garbage:?}");
            }
        }
    }

    #[test]
    fn p21_without_a_place_for_its_files_a_partition_runs_all_the_same() {
        let (_temporary, dir) = data();
        for file in [EVALUATING, SUSPECTS, SUSPECTS_TEMPORARY] {
            fs::create_dir(dir.partition().join(file)).unwrap();
        }
        let mut quarantine = open(&dir);
        assert_eq!(quarantine.begin([Some(print(1)); 3].into_iter()), 3);
        quarantine.end();
    }

    #[test]
    fn an_operator_lets_a_request_go_while_no_server_runs() {
        let (_temporary, dir) = data();
        die(&dir, &[1]);
        die(&dir, &[1]);
        drop(open(&dir));
        let mut file = QuarantineFile::open(dir.root()).unwrap();
        let busy = QuarantineFile::open(dir.root());
        assert!(matches!(busy, Err(OpenError::InUse { .. })), "{busy:?}");
        assert_eq!(file.suspects().quarantined().collect::<Vec<_>>(), [print(1)]);
        assert!(!file.clear(print(2)).unwrap());
        assert!(file.clear(print(1)).unwrap());
        assert_eq!(suspects(&dir), []);
    }
}
