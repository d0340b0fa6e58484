//! The file that a scenario leaves (`--history FILE`), judged without the scenario.
//!
//! Each line is one write with its key, what it was answered, and when. Judged is what
//! needs no model: one answer for a key, one key for a version, and versions that respect
//! real time. That the answers themselves are right is the scenario's own part.

use std::{io::BufRead, time::Duration};

use holdfast_state::Version;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    call::{Call, Heard, Place, Reply},
    exactly_once, oracle,
    real_time::{self, Span},
};

/// A line of the file. Fields that are not judged are left out.
#[derive(Debug, Deserialize)]
struct Line {
    label: String,
    key: String,
    sent_us: u64,
    answered_us: u64,
    tries: u32,
    version: u64,
    replayed: bool,
    refused: Option<String>,
    outcome: Box<RawValue>,
}

/// A write: its label, and what it was answered.
pub type Write = Call<String, Reply<Answer>>;

/// What a write was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The code of the refusal, if it was one.
    pub refused: Option<String>,
    /// The outcome, or the problem, as JSON.
    pub outcome: String,
}

/// A recorded history.
#[derive(Debug, Default)]
pub struct Recorded {
    /// What was asked and answered.
    pub writes: Vec<Write>,
    /// How often requests were sent beyond the first time.
    pub repeated: u64,
}

/// The file is not what a scenario writes.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be read.
    #[error("line {line}: {source}")]
    Io {
        /// Where, counted from 1.
        line: usize,
        /// The system's words.
        source: std::io::Error,
    },
    /// A line is no record.
    #[error("line {line}: {source}")]
    NoRecord {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The history is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// More than one effect for a key, or answer to it.
    #[error(transparent)]
    ExactlyOnce(#[from] exactly_once::Violation),
    /// An order that cannot be.
    #[error(transparent)]
    Order(#[from] real_time::Violation),
}

/// What a history came to that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Writes.
    pub writes: u64,
    /// Writes that were refused, and are in the order all the same.
    pub refused: u64,
    /// Sent again for want of an answer.
    pub repeated: u64,
    /// Answers that were those of an earlier try.
    pub replayed: u64,
    /// The lowest and the highest version; `None` of a history without writes.
    pub versions: Option<(Version, Version)>,
    /// Versions up to the highest that nobody in this history has: what came before it
    /// began, timers, and work of the engine's own.
    pub versions_unseen: u64,
}

/// Reads a history, line by line.
///
/// # Errors
/// [`Unreadable`]
pub fn read(from: impl BufRead) -> Result<Recorded, Unreadable> {
    let mut recorded = Recorded::default();
    for (line, text) in (1..).zip(from.lines()) {
        let text = text.map_err(|source| Unreadable::Io { line, source })?;
        let found: Line =
            serde_json::from_str(&text).map_err(|source| Unreadable::NoRecord { line, source })?;
        recorded.repeated += u64::from(found.tries.saturating_sub(1));
        recorded.writes.push(found.into());
    }
    Ok(recorded)
}

impl From<Line> for Write {
    fn from(line: Line) -> Self {
        let at = Duration::from_micros(line.answered_us);
        let body = Answer { refused: line.refused, outcome: line.outcome.get().to_owned() };
        let place = Place::Is(Version::new(line.version));
        Self {
            key: Some(line.key),
            asked: line.label,
            sent: Duration::from_micros(line.sent_us),
            heard: Heard::Answered { at, answer: Reply { place, replayed: line.replayed, body } },
        }
    }
}

impl Recorded {
    /// Judges it.
    ///
    /// # Errors
    /// [`Violation`]
    pub fn judge(&self) -> Result<Judged, Violation> {
        let writes = &self.writes;
        exactly_once::answers(writes)?;
        let operations = oracle::operations(writes);
        let mut spans: Vec<Span<'_>> = operations.iter().filter_map(Span::of).collect();
        real_time::check(&mut spans)?;
        let versions = spans.first().zip(spans.last());
        let replies = || {
            writes.iter().filter_map(|write| match &write.heard {
                Heard::Answered { answer, .. } => Some(answer),
                Heard::Nothing | Heard::Unknown => None,
            })
        };
        Ok(Judged {
            writes: spans.len() as u64,
            refused: replies().filter(|reply| reply.body.refused.is_some()).count() as u64,
            repeated: self.repeated,
            replayed: replies().filter(|reply| reply.replayed).count() as u64,
            versions: versions.map(|(one, last)| (one.place.version(), last.place.version())),
            versions_unseen: real_time::versions_unseen(&spans),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(key: &str, version: u64, (sent_us, answered_us): (u64, u64)) -> String {
        let line = json!({
            "label": "book", "key": key, "operations": [], "sent_us": sent_us,
            "answered_us": answered_us, "tries": 2, "version": version, "replayed": false,
            "refused": null, "outcome": { "results": [] },
        });
        line.to_string()
    }

    fn judge(lines: &[String]) -> Result<Judged, Violation> {
        read(lines.join("\n").as_bytes()).unwrap().judge()
    }

    #[test]
    fn a_history_is_judged_by_keys_versions_and_times() {
        let lines = [line("a", 3, (0, 10)), line("b", 2, (5, 9)), line("c", 7, (20, 30))];
        let judged = judge(&lines).unwrap();
        assert_eq!((judged.writes, judged.repeated, judged.versions_unseen), (3, 3, 4));
        assert_eq!(judged.versions, Some((Version::new(2), Version::new(7))));
        assert_eq!(judge(&[]).unwrap().versions, None);
    }

    #[test]
    fn two_keys_of_one_version_and_versions_against_time_are_found() {
        let shared = judge(&[line("a", 3, (0, 10)), line("b", 3, (5, 9))]).unwrap_err();
        assert!(matches!(shared, Violation::ExactlyOnce(_)), "{shared}");
        let backwards = judge(&[line("a", 3, (0, 10)), line("b", 2, (11, 12))]).unwrap_err();
        assert!(matches!(backwards, Violation::Order(_)), "{backwards}");
    }

    #[test]
    fn what_is_no_history_is_told_by_its_line() {
        let text = [line("a", 1, (0, 1)), "{}".to_owned()].join("\n");
        let error = read(text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("line 2: missing field `label`"), "{error}");
    }
}
