//! `queues.dead_letter`: a dead letter, looked at.

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Query, Refusal, RefusalInfo},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{letters::Letter, receipt::LetterId, standing::Name};
use crate::topics::refusals::{LETTER_NOT_FOUND, QUEUE_NOT_FOUND};

/// The command.
#[derive(Debug)]
pub struct GetDeadLetter;

/// Which letter of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetDeadLetterSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The letter.
    pub letter: LetterId,
}

/// Why a dead letter is not found, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum LetterRefusal {
    /// The queue was never created.
    QueueNotFound {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
    },
    /// It is no dead letter: it never was one, or was redriven or purged.
    DeadLetterNotFound {
        /// Which of the letters, from 0; absent where one is asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        index: Option<usize>,
        /// The letter.
        letter: LetterId,
    },
}

impl LetterRefusal {
    pub(super) fn no_queue<T>(name: Name<'_>) -> Result<T, Stop<Self>> {
        let (topic, queue) = (name.topic.clone(), name.queue.clone());
        Err(Stop::Refused(Self::QueueNotFound { topic, queue }))
    }
}

impl Refusal for LetterRefusal {
    const ALL: &'static [RefusalInfo] = &[QUEUE_NOT_FOUND, LETTER_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::QueueNotFound { .. } => QUEUE_NOT_FOUND.code,
            Self::DeadLetterNotFound { .. } => LETTER_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::QueueNotFound { .. } => Some("/queue"),
            Self::DeadLetterNotFound { index: None, .. } => Some("/letter"),
            Self::DeadLetterNotFound { index: Some(_), .. } => None,
        }
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::DeadLetterNotFound { index: Some(index), .. } => {
                Some(format!("/letters/{index}"))
            }
            Self::DeadLetterNotFound { index: None, .. } | Self::QueueNotFound { .. } => None,
        }
    }
}

impl Command for GetDeadLetter {
    const NAME: &'static str = "queues.dead_letter";
    const SUMMARY: &'static str = "Shows a dead letter of a queue.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/dead-letters/{letter}";
    type Spec = GetDeadLetterSpec;
    type Outcome = Letter;
    type Refusal = LetterRefusal;
}

impl Query for GetDeadLetter {
    fn run(state: &impl Read, spec: &GetDeadLetterSpec) -> Result<Letter, Stop<LetterRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        if name.settings(state)?.is_none() {
            return LetterRefusal::no_queue(name);
        }
        let letter = spec.letter;
        let not_found = || LetterRefusal::DeadLetterNotFound { index: None, letter };
        let row = name.letter(state, letter)?.ok_or_else(|| Stop::Refused(not_found()))?;
        Ok(Letter::of(letter, &row))
    }
}
