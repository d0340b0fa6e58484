//! Scenarios as text: commands and what comes of them, for people to read and
//! for tests to check.
//!
//! ```text
//! # A line is a command of the registry with its fields, and its outcome.
//! open_account id=A asset=EUR                              -> opened
//! transfer id=1 debit_account=A credit_account=B amount=60 -> posted
//! transfer_linked {"transfers": [ … ]}                     -> made
//! account id=A [balance changes]                           -> balance=-60 changes=1
//! advance 15m                                              -> fired ledger.expire_pending
//! ```
//!
//! A command may leave out the part before the dot where no other ends alike. It
//! takes fields as text, as a query string would give them, or a JSON object. An
//! outcome prints as its `outcome`; fields named in brackets follow, and a result
//! without `outcome` prints whole. Lists print a line for each element, behind a
//! bar. A command that begins a line with a space goes on from the line before.
//!
//! [`play`] writes the outcomes that a script has here and now, [`check`] compares
//! or rewrites the files of a directory. The world is a [`MemoryStore`](crate::MemoryStore) that gets
//! each transaction as a batch of its own. Every command that may write is run
//! twice, the first run thrown away: both must answer alike, as warming demands.
//! Every query is run on a view and in a transaction.

mod answer;
mod line;
mod world;

use std::{fs, io, path::Path};

pub use world::{Look, Vocabulary, World};

use line::{Line, lines};

use crate::instrument::{Instrument, Shown};

/// What a script's files and this release disagree about.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file could not be read or written.
    #[error("{file}: {source}")]
    Io {
        /// Which.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// An outcome is not the one written down.
    #[error("{file}:{line}\n  expected {expected}\n  found    {found}")]
    Differs {
        /// In which file.
        file: String,
        /// The first line that differs, from 1.
        line: usize,
        /// As it is written.
        expected: String,
        /// As it came out.
        found: String,
    },
    /// There is no scenario at all.
    #[error("{dir} holds no scenario")]
    Nothing {
        /// Where.
        dir: String,
    },
}

/// Whether [`check`] only compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A file that differs is an error.
    Compare,
    /// A file that differs is rewritten; the diff is the review.
    Rewrite,
}

/// The script with the outcomes that it has now, from an empty world.
#[must_use]
pub fn play(script: &str, vocabulary: &Vocabulary<'_>) -> String {
    let mut world = World::default();
    let mut played = String::new();
    for paragraph in lines(script) {
        let done: Vec<(Line, Option<String>)> = paragraph
            .into_iter()
            .map(|line| {
                let outcome = line.command().map(|command| world.run(command, vocabulary));
                (line, outcome)
            })
            .collect();
        line::print(&mut played, &done);
    }
    played
}

/// What instruments read, a line for each reading: `jobs/work queue_ready=2`, its names and
/// what of it is not zero. Ages are in seconds.
#[must_use]
pub fn readings(world: &World, instruments: &[Instrument]) -> String {
    let mut lines = Vec::new();
    for instrument in instruments {
        for reading in world.read(instrument) {
            let families = instrument.families.iter().zip(reading.values);
            let values =
                families.filter(|(_, value)| *value > 0).map(|(family, value)| {
                    match family.shown {
                        Shown::Counter | Shown::Level => format!("{}={value}", family.name),
                        Shown::Age => format!("{}={}s", family.name, value as f64 / 1e6),
                    }
                });
            let names = (!reading.names.is_empty()).then(|| reading.names.join("/"));
            let words: Vec<_> = names.into_iter().chain(values).collect();
            lines.push(words.join(" "));
        }
    }
    lines.join("\n")
}

/// Plays every `*.txt` file of a directory. Returns how many there are.
///
/// # Errors
/// [`ScenarioError`]: the first thing that is not as written.
pub fn check(dir: &Path, vocabulary: &Vocabulary<'_>, mode: Mode) -> Result<usize, ScenarioError> {
    let failed =
        |file: &Path, source| ScenarioError::Io { file: file.display().to_string(), source };
    let entries = fs::read_dir(dir).map_err(|error| failed(dir, error))?;
    let paths: Result<Vec<_>, io::Error> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths.map_err(|error| failed(dir, error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    for path in &paths {
        let script = fs::read_to_string(path).map_err(|error| failed(path, error))?;
        let played = play(&script, vocabulary);
        match mode {
            Mode::Rewrite if played != script => {
                fs::write(path, played).map_err(|error| failed(path, error))?;
            }
            Mode::Rewrite => {}
            Mode::Compare => compare(path, &script, &played)?,
        }
    }
    if paths.is_empty() {
        return Err(ScenarioError::Nothing { dir: dir.display().to_string() });
    }
    Ok(paths.len())
}

fn compare(path: &Path, script: &str, played: &str) -> Result<(), ScenarioError> {
    if script == played {
        return Ok(());
    }
    let (mut expected, mut found) = (script.lines(), played.lines());
    for line in 1.. {
        let (expected, found) = (expected.next(), found.next());
        if expected != found || expected.is_none() {
            let shown = |text: Option<&str>| text.unwrap_or("the end of the file").to_owned();
            return Err(ScenarioError::Differs {
                file: path.display().to_string(),
                line,
                expected: shown(expected),
                found: shown(found),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_its_line() {
        let error =
            compare(Path::new("a.txt"), "x -> 1\ny -> 2\n", "x -> 1\ny -> 3\n").unwrap_err();
        assert_eq!(error.to_string(), "a.txt:2\n  expected y -> 2\n  found    y -> 3");
        let error = compare(Path::new("a.txt"), "x", "x\n").unwrap_err();
        assert!(error.to_string().starts_with("a.txt:2"), "{error}");
        assert!(compare(Path::new("a.txt"), "x\n", "x\n").is_ok());
    }

    #[test]
    fn a_directory_without_scenarios_is_no_success() {
        let dir = tempfile::tempdir().unwrap();
        let nothing = check(dir.path(), &Vocabulary::default(), Mode::Compare);
        assert!(matches!(nothing, Err(ScenarioError::Nothing { .. })));
    }

    #[test]
    fn rewriting_makes_comparing_pass() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        fs::write(&path, "# Time\nadvance 15m\nadvance  PT1S -> nonsense\n  | left over\nfly\n")
            .unwrap();
        let check = |mode| check(dir.path(), &Vocabulary::default(), mode);
        assert!(matches!(check(Mode::Compare), Err(ScenarioError::Differs { line: 2, .. })));
        assert_eq!(check(Mode::Rewrite).unwrap(), 1);
        assert_eq!(check(Mode::Compare).unwrap(), 1);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "# Time\n\
             advance 15m   -> 2026-01-01T00:15:00.000Z\n\
             advance  PT1S -> 2026-01-01T00:15:01.000Z\n\
             fly           -> unknown command\n"
        );
    }
}
