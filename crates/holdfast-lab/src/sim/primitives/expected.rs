//! What a naive primitive says that an answer must have been, and how answers are held to it.

use holdfast_state::{Lifetime, LogTime};
use serde_json::{Value, json};

use super::Said;

/// When something happens: the version of its transaction, and log time.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Moment {
    pub(in crate::sim) version: u64,
    pub(in crate::sim) time: LogTime,
}

impl Moment {
    /// So much later.
    pub(super) const fn after(self, us: u64) -> LogTime {
        self.time.plus_us(us)
    }
}

/// What an answer must have been. Of objects only the fields that are named are compared, and
/// null stands for one that must not be there.
#[derive(Clone, Debug)]
pub(in crate::sim) enum Expected {
    Done(Value),
    /// This refusal, with these facts.
    Refused(&'static str, Value),
}

/// An answer is not what it must have been.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Wrong {
    pub(in crate::sim) expected: String,
    pub(in crate::sim) found: String,
}

impl Wrong {
    /// What was found breaks this rule.
    pub(super) fn rule(rule: &str, found: &Value) -> Self {
        Self { expected: rule.to_owned(), found: found.to_string() }
    }
}

pub(in crate::sim) type Judged = Result<(), Wrong>;

impl Expected {
    /// Compares with what was said; `None` when only that it was done is known.
    pub(super) fn compare(&self, said: Option<&Said>) -> Judged {
        let same = match (self, said) {
            (Self::Done(_), None) => true,
            (Self::Done(expected), Some(said)) => !said.refused && is_in(expected, &said.body),
            (Self::Refused(..), None) => false,
            (Self::Refused(code, facts), Some(said)) => {
                said.refused && said.body["code"] == *code && is_in(facts, &said.body["facts"])
            }
        };
        let found = || said.map_or("done".to_owned(), |said| said.body.to_string());
        if same { Ok(()) } else { Err(Wrong { expected: self.to_string(), found: found() }) }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(body) => body.fmt(f),
            Self::Refused(code, facts) => write!(f, "{code} {facts}"),
        }
    }
}

/// Does `found` have every field of `expected`, and none that is null there?
fn is_in(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), found) => expected
            .iter()
            .all(|(name, expected)| is_in(expected, found.get(name).unwrap_or(&Value::Null))),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(expected, found)| is_in(expected, found))
        }
        (expected, found) => expected == found,
    }
}

/// A log time as answers write it.
pub(super) fn time(time: LogTime) -> Value {
    json!(time)
}

/// A length of time among arguments, in microseconds.
pub(super) fn us(args: &Value, name: &str) -> Option<u64> {
    let text = args[name].as_str()?;
    let span: Lifetime = text.parse().expect("commands are made of good spans");
    Some(span.as_us())
}

/// A text among arguments, if it is there.
pub(super) fn text(args: &Value, name: &str) -> Option<String> {
    args[name].as_str().map(str::to_owned)
}

/// An id among arguments that must be there.
pub(super) fn id(args: &Value, name: &str) -> String {
    text(args, name).expect("commands are made with it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_must_be_there_and_what_is_null_must_not() {
        let said = |refused, body| Said { refused, body };
        let expected = Expected::Done(json!({ "a": 1, "b": null, "c": [{ "d": 2 }] }));
        let good = said(false, json!({ "a": 1, "c": [{ "d": 2, "e": 3 }], "f": 4 }));
        assert!(expected.compare(Some(&good)).is_ok() && expected.compare(None).is_ok());
        for bad in [
            said(false, json!({ "a": 2, "c": [{ "d": 2 }] })),
            said(false, json!({ "a": 1, "b": 0, "c": [{ "d": 2 }] })),
            said(false, json!({ "a": 1, "c": [] })),
            said(true, good.body.clone()),
        ] {
            assert!(expected.compare(Some(&bad)).is_err(), "{bad:?}");
        }
        let refused = Expected::Refused("x", json!({ "n": 1 }));
        let told = said(true, json!({ "code": "x", "facts": { "n": 1, "m": 2 } }));
        assert!(refused.compare(Some(&told)).is_ok());
        assert!(refused.compare(Some(&good)).is_err() && refused.compare(None).is_err());
    }
}
