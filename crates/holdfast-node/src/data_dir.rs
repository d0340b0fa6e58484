//! The layout of a data directory.
//!
//! ```text
//! DIR/holdfast.json            what this is, and which layout: {"format":1}
//! DIR/partition-0/log/         the log: all that matters
//! DIR/partition-0/state/       the state, a cache of the log
//! DIR/partition-0/snapshots/   what the log may be trimmed below
//! DIR/partition-0/evaluating   what the process evaluates, for when it dies of it
//! DIR/partition-0/suspects.json  what it may have died of before
//! ```
//!
//! The directory is made readable for its owner only. A directory that holds
//! anything else and no marker is refused: nobody's files are mixed with ours.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use crate::error::OpenError;

/// The file that marks a data directory.
pub const MARKER: &str = "holdfast.json";
const MARKER_TEMPORARY: &str = "holdfast.json.tmp";

/// The layout that this build reads and writes.
const FORMAT: u32 = 1;

#[derive(serde::Serialize, serde::Deserialize)]
struct Marker {
    format: u32,
}

/// A data directory whose marker was checked.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The data directory at this path, made if there is nothing.
    ///
    /// # Errors
    /// [`OpenError::NotOurs`], [`OpenError::Marker`], [`OpenError::Io`]
    pub fn open_or_create(root: &Path) -> Result<Self, OpenError> {
        let root = std::path::absolute(root).map_err(OpenError::io(shown("finding", root)))?;
        if !root.is_dir() {
            create_private(&root).map_err(OpenError::io(shown("creating", &root)))?;
        }
        let marker = root.join(MARKER);
        if !marker.exists() {
            if holds_foreign_files(&root).map_err(OpenError::io(shown("listing", &root)))? {
                return Err(OpenError::NotOurs { dir: root, marker: MARKER });
            }
            write_marker(&root).map_err(OpenError::io(shown("writing", &marker)))?;
        }
        check_marker(&marker)?;
        Ok(Self { root })
    }

    /// The data directory at this path, which must be one already.
    ///
    /// # Errors
    /// [`OpenError::NoData`], [`OpenError::Marker`], [`OpenError::Io`]
    pub fn existing(root: &Path) -> Result<Self, OpenError> {
        let root = std::path::absolute(root).map_err(OpenError::io(shown("finding", root)))?;
        let marker = root.join(MARKER);
        if !marker.exists() {
            return Err(OpenError::NoData { dir: root });
        }
        check_marker(&marker)?;
        Ok(Self { root })
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the partition's log is.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.partition().join("log")
    }

    /// Where the partition is.
    #[must_use]
    pub fn partition(&self) -> PathBuf {
        self.root.join("partition-0")
    }

    /// Where the partition's state is.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.partition().join("state")
    }

    /// Where the partition's snapshots are.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.partition().join("snapshots")
    }
}

fn shown(doing: &str, path: &Path) -> String {
    format!("{doing} {}", path.display())
}

fn create_private(root: &Path) -> io::Result<()> {
    if let Some(parent) = root.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(root) {
        // Somebody made it in between; the log's lock decides between us.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn holds_foreign_files(root: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(root)? {
        if entry?.file_name() != MARKER_TEMPORARY {
            return Ok(true);
        }
    }
    Ok(false)
}

/// In one step, so that a crash leaves a whole marker or none.
fn write_marker(root: &Path) -> io::Result<()> {
    let temporary = root.join(MARKER_TEMPORARY);
    let mut file = File::create(&temporary)?;
    file.write_all(serde_json::to_string(&Marker { format: FORMAT })?.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&temporary, root.join(MARKER))?;
    File::open(root)?.sync_all()
}

fn check_marker(file: &Path) -> Result<(), OpenError> {
    let text = fs::read_to_string(file).map_err(OpenError::io(shown("reading", file)))?;
    let bad = |what: String| OpenError::Marker { file: file.to_owned(), what };
    let marker: Marker = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if marker.format == FORMAT {
        Ok(())
    } else {
        Err(bad(format!("it has format {}, this build reads {FORMAT}", marker.format)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_made_for_its_owner_only_and_found_again() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("a/data");
        DataDir::open_or_create(&root).unwrap();
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
        DataDir::open_or_create(&root).unwrap();
        DataDir::existing(&root).unwrap();
    }

    #[test]
    fn a_directory_of_somebody_else_is_refused_and_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("thesis.tex"), "").unwrap();
        let refused = DataDir::open_or_create(temporary.path());
        assert!(matches!(refused, Err(OpenError::NotOurs { .. })), "{refused:?}");
        assert!(!temporary.path().join(MARKER).exists());
        let refused = DataDir::existing(temporary.path());
        assert!(matches!(refused, Err(OpenError::NoData { .. })), "{refused:?}");
    }

    #[test]
    fn a_crash_before_the_marker_was_whole_is_no_obstacle() {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join(MARKER_TEMPORARY), "{\"for").unwrap();
        DataDir::open_or_create(temporary.path()).unwrap();
    }

    #[test]
    fn a_marker_of_another_format_or_of_none_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        for marker in ["{\"format\":2}", "", "{}", "\u{0}\u{0}"] {
            fs::write(temporary.path().join(MARKER), marker).unwrap();
            let refused = DataDir::open_or_create(temporary.path());
            assert!(matches!(refused, Err(OpenError::Marker { .. })), "{marker:?}: {refused:?}");
        }
    }
}
