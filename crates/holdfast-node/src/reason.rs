//! A refusal of any command, as plain data.
//!
//! Refusals of primitives are typed and are written, never read. A program whose own
//! refusal says why one of them refused keeps the reason in it, and has it back when
//! the stored answer is given again.

use holdfast_state::command::{Refusal, Refused};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a command refused: what a problem over HTTP says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable name, such as `sold_out`; the page about it is in `docs/errors/`.
    pub code: String,
    /// JSON Pointer to the field of the command's spec that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What was found: the refusal's fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

impl Reason {
    /// What this refusal says.
    #[must_use]
    pub fn of<R: Refusal>(refusal: &R) -> Self {
        let refused = Refused::new(refusal);
        Self {
            code: refused.info.code.to_owned(),
            pointer: refused.pointer.map(Into::into),
            facts: refused.facts,
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_ledger::account::ShowAccountRefusal;
    use holdfast_state::Id;

    use super::*;

    #[test]
    fn a_reason_is_read_as_it_was_written() {
        let account = Id::new("guest").unwrap();
        let reason = Reason::of(&ShowAccountRefusal::AccountNotFound { account });
        let text = serde_json::to_string(&reason).unwrap();
        let found = r#"{"code":"account_not_found","pointer":"/id","facts":{"account":"guest"}}"#;
        assert_eq!(text, found);
        assert_eq!(serde_json::from_str::<Reason>(&text).unwrap(), reason);
    }
}
