//! What an answer must be: what the log says, what was answered before, and not older than
//! what anybody had been told when it was asked.

use holdfast_engine::{Decision, Outcome};

use super::{client::Operation, naive::Came, truth::Truth, violation::Violation, workload::Op};

/// Does the log say what the answer says?
pub(super) fn borne_out(
    truth: &Truth,
    (operation, asked): (usize, &Operation),
    outcome: &Outcome,
) -> Result<(), Violation> {
    let version = outcome.version.get();
    let body = String::from_utf8_lossy(&outcome.body).into_owned();
    let wrong = |log: String| Violation::WrongAnswer { operation, answered: outcome.clone(), log };
    let refused = outcome.decision == Decision::Refused;
    if !(asked.keyed || (asked.op.writes() && !refused)) {
        let sum = truth.sum_at(version).ok_or_else(|| wrong("no such version".to_owned()))?;
        let tells_sum = matches!(asked.op, Op::Sum | Op::Look { .. });
        let is_so = !tells_sum || body == sum;
        return if is_so { Ok(()) } else { Err(wrong(format!("{sum} at {version}"))) };
    }
    if truth.placed(operation) != Some(version) {
        return Err(wrong(format!("it is at {:?}", truth.placed(operation))));
    }
    let transaction = truth.transaction(version).expect("it was placed there");
    let came = Some(Came { refused, body });
    if transaction.came != came || transaction.time != outcome.time {
        return Err(wrong(format!("{transaction:?}")));
    }
    Ok(())
}

/// A client learns an answer: it must not contradict what was known, and is known from now on.
pub(super) fn told(
    operation: usize,
    asked: &mut Operation,
    outcome: Outcome,
) -> Result<(), Violation> {
    let version = outcome.version.get();
    if version < asked.before {
        return Err(Violation::Stale { operation, before: asked.before, version });
    }
    match &asked.outcome {
        Some(first) => {
            let again = Outcome { replayed: first.replayed, ..outcome.clone() };
            if *first != again && asked.keyed {
                let first = first.clone();
                return Err(Violation::TwoAnswers { operation, first, second: outcome });
            }
        }
        None => asked.outcome = Some(outcome),
    }
    Ok(())
}
