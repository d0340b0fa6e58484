//! What callers saw, held against what the log holds and what one copy would have answered.
//!
//! The checks are those of every other run ([`crate::check`]). Answers to sessions are compared
//! at their versions, as all are, but stand outside of real time: that they never go back is
//! all that a session is promised.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use holdfast_log::{Log, LogError, Position, Read, blocking};
use holdfast_state::Version;

use super::load::{Seen, SessionStep};
use crate::{
    check::{
        Belief, Heard, Operation, Place, Reply, acknowledged, exactly_once,
        log::{self, Logged},
        operations,
        real_time::Span,
        specification::{
            Ledger,
            ledger::{Answer, Asked},
        },
        witness::{self, Placed},
    },
    scenario::{Counts, Wrong},
};

/// What one read of the log brings, in bytes.
const READ_BYTES: usize = 4 << 20;

/// Every entry of a log that was never trimmed.
///
/// # Errors
/// What the log says.
pub(super) fn entries(log: &dyn Log) -> Result<Vec<(Position, Bytes)>, LogError> {
    let mut found: Vec<(Position, Bytes)> = Vec::new();
    loop {
        let next = found.last().map_or(Position::first(), |(last, _)| last.next());
        for (index, read) in (0..).zip(blocking::read(log, next, READ_BYTES)?) {
            match read {
                Read::Entry(bytes) => found.push((next.plus(index), bytes)),
                Read::Empty => return Ok(found),
                Read::Trimmed => {
                    return Err(LogError::Refused { reason: format!("{next} is trimmed") });
                }
            }
        }
    }
}

/// Judges what was seen; what is to be told besides the verdict.
///
/// # Errors
/// What is wrong.
pub(super) fn judge(
    seen: &Seen,
    entries: impl IntoIterator<Item = (Position, Bytes)>,
) -> Result<Counts, Wrong> {
    let logged = log::read(None, entries).map_err(wrong)?;
    let effects = effects(&logged)?;
    let once = exactly_once::answers(&seen.calls).map_err(wrong)?;
    let operations = operations(&seen.calls);
    let told = acknowledged::check(&operations, &effects).map_err(wrong)?;
    let mut placed = witness::place(&operations, &effects);
    placed.extend(seen.sessions.iter().filter_map(unanchored));
    let witnessed = witness::check(&mut Ledger::default(), placed).map_err(wrong)?;
    never_back(&seen.sessions)?;
    let mut counts = counts_of_writes(&operations, &told);
    counts.extend(counts_of_tries(seen));
    counts.extend([
        counted("answers beyond a key's first", once.repeated),
        counted("answers compared with the model", witnessed.compared),
        counted("answers to sessions", seen.sessions.len() as u64),
    ]);
    counts.extend(counts_of_entries(&logged));
    Ok(counts)
}

fn counted(what: &str, count: u64) -> (String, i64) {
    (what.to_owned(), i64::try_from(count).unwrap_or(i64::MAX))
}

fn counts_of_writes(
    operations: &[Operation<'_, Asked, Answer>],
    told: &acknowledged::Counted,
) -> Counts {
    let keyed = || operations.iter().filter(|operation| operation.key.is_some());
    let settled = keyed().filter(|operation| matches!(operation.belief, Belief::Settled { .. }));
    let settled = settled.count() as u64;
    vec![
        counted("writes asked, keys", keyed().count() as u64),
        counted("writes acknowledged, in the log", told.acknowledged),
        counted("acknowledged and lost", settled - told.acknowledged),
        counted("never answered, done", told.unknown_there),
        counted("never answered, not done", told.unknown_absent),
    ]
}

fn counts_of_tries(seen: &Seen) -> Counts {
    let tries = |heard: fn(&Heard<Reply<Answer>>) -> bool| {
        seen.calls.iter().filter(|call| call.key.is_some() && heard(&call.heard)).count() as u64
    };
    vec![
        counted("tries that were told they did nothing", tries(|heard| *heard == Heard::Nothing)),
        counted("tries that nobody answered", tries(|heard| *heard == Heard::Unknown)),
    ]
}

fn counts_of_entries(logged: &Logged) -> Counts {
    let claims = logged.entries.iter().filter(|entry| matches!(entry.kind, log::Kind::Claim));
    let dead = logged.entries.iter().filter(|entry| !entry.counts);
    vec![
        counted("entries in the log", logged.entries.len() as u64),
        counted("of these, claims", claims.count() as u64),
        counted("of these, dead", dead.count() as u64),
    ]
}

fn wrong(violation: impl std::fmt::Display) -> Wrong {
    Wrong(violation.to_string())
}

fn effects(logged: &Logged) -> Result<BTreeMap<String, Version>, Wrong> {
    let keys = logged.keys().map_err(wrong)?;
    exactly_once::effects(keys.into_iter().map(|(_, key, version)| (key, version))).map_err(wrong)
}

/// A session's read, with its place and no times. Its writes are calls.
fn unanchored(step: &SessionStep) -> Option<Placed<'_, Asked, Answer>> {
    let Place::Saw(_) = step.place else { return None };
    let span = Span { name: "a session", place: step.place, sent: Duration::ZERO, answered: None };
    Some(Placed { span, asked: &step.asked, answer: Some(&step.answer) })
}

/// Every answer to a session has seen what it was told before.
fn never_back(steps: &[SessionStep]) -> Result<(), Wrong> {
    let back = steps.iter().find(|step| step.place.version() < step.token);
    back.map_or(Ok(()), |SessionStep { session, token, node, asked, place, .. }| {
        let what = format!(
            "session {session} had seen version {token}, asked node {node} for {asked:?}, and was answered at {place}"
        );
        Wrong::because(what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(token: u64, seen: u64) -> SessionStep {
        SessionStep {
            session: 0,
            token: Version::new(token),
            node: 2,
            asked: Asked::Balance { account: 1 },
            place: Place::Saw(Version::new(seen)),
            answer: Answer::Amount(5),
        }
    }

    #[test]
    fn a_session_that_goes_back_is_named_with_its_token_and_node() {
        assert_eq!(never_back(&[step(0, 3), step(3, 3), step(3, 9)]), Ok(()));
        let wrong = never_back(&[step(0, 3), step(3, 2)]).unwrap_err();
        assert!(wrong.0.starts_with("session 0 had seen version 3, asked node 2"), "{wrong}");
    }

    #[test]
    fn an_answer_that_the_log_does_not_hold_is_lost() {
        let mut seen = Seen::default();
        let answer =
            Reply { place: Place::Is(Version::new(1)), replayed: false, body: Answer::Done };
        let (sent, at) = (Duration::ZERO, Duration::from_millis(1));
        let asked = Asked::Open { account: 1, balance: 5 };
        let heard = Heard::Answered { at, answer };
        seen.calls.push(crate::check::Call { key: Some("a".to_owned()), asked, sent, heard });
        let wrong = judge(&seen, []).unwrap_err();
        assert!(wrong.0.contains("the log lost it"), "{wrong}");
    }

    #[test]
    fn what_a_session_is_told_is_the_models_answer_at_that_version() {
        let told = Seen { sessions: vec![step(0, 3)], ..Seen::default() };
        let wrong = judge(&told, []).unwrap_err();
        assert!(wrong.0.contains("should be NoAccount"), "{wrong}");
    }
}
