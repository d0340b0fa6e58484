//! What a scenario asks, and what it is answered.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// How the outcomes of a request's operations hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One outcome for all.
    All,
    /// One for each.
    Each,
}

/// Operations to be run as one transaction.
#[derive(Clone, Debug)]
pub struct Request {
    /// Makes it repeatable; without one it only reads.
    pub key: Option<String>,
    /// What sort of request it is, for counts and the model.
    pub label: &'static str,
    /// All or none, or each for itself.
    pub mode: Mode,
    /// The operations.
    pub operations: Vec<Value>,
    /// How long it is held back before it is sent: its sender rests, or hangs, or the network is
    /// slow. Whoever asks has made up its mind before.
    pub held_back: Duration,
}

impl Request {
    /// A write, repeatable under this key.
    #[must_use]
    pub const fn write(key: String, label: &'static str, operations: Vec<Value>) -> Self {
        Self { key: Some(key), label, mode: Mode::All, operations, held_back: Duration::ZERO }
    }

    /// A look at the state.
    #[must_use]
    pub const fn look(label: &'static str, operations: Vec<Value>) -> Self {
        Self { key: None, label, mode: Mode::All, operations, held_back: Duration::ZERO }
    }

    /// The same, sent so much later.
    #[must_use]
    pub fn held_back(self, held_back: Duration) -> Self {
        Self { held_back, ..self }
    }

    /// The same with an outcome for each operation.
    #[must_use]
    pub fn each(self) -> Self {
        Self { mode: Mode::Each, ..self }
    }

    /// What goes over the wire.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let mode = match self.mode {
            Mode::All => "all",
            Mode::Each => "each",
        };
        json!({ "mode": mode, "operations": self.operations }).to_string().into()
    }
}

/// One operation.
#[must_use]
pub fn operation(op: &str, args: Value) -> Value {
    let mut operation = Map::new();
    operation.insert("op".to_owned(), op.into());
    operation.insert("args".to_owned(), args);
    Value::Object(operation)
}

/// An answer that counts: the request was done, or refused by the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its place in the one order.
    pub version: u64,
    /// The stored answer of an earlier try.
    pub replayed: bool,
    /// Why it was refused: the problem's code.
    pub refused: Option<String>,
    /// The outcome, or the problem.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none: the server never answers so.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("answers are JSON")
    }

    /// The results of the operations, of an answer that is no refusal.
    #[must_use]
    pub fn results(&self) -> Vec<Value> {
        match self.json()["results"].take() {
            Value::Array(results) => results,
            _ => Vec::new(),
        }
    }

    /// Was it done?
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.refused.is_none()
    }
}
