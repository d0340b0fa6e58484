//! Text under one key: get, put, append. Keys do not touch each other, so a history of
//! many is judged key by key.

use super::Specification;

/// The text under a key; empty to begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValue(String);

/// What is asked of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Its text.
    Get,
    /// To have this text.
    Put(String),
    /// To have this text behind what it has.
    Append(String),
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To a get.
    Text(String),
    /// To a put or an append.
    Written,
}

impl Specification for KeyValue {
    type Asked = Asked;
    type Answer = Answer;

    fn ask(&mut self, asked: &Asked) -> Answer {
        match asked {
            Asked::Get => return Answer::Text(self.0.clone()),
            Asked::Put(text) => self.0.clone_from(text),
            Asked::Append(text) => self.0.push_str(text),
        }
        Answer::Written
    }
}
