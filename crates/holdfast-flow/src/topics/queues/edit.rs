//! `queues.edit`: a dead letter says something else, before it is redriven.
//!
//! The message in the topic stays as it was appended: it is never changed. What is given
//! out when the letter is redriven is the letter.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{letter::LetterRefusal, letters::Letter, receipt::LetterId, standing::Name};
use crate::topics::{data::Data, events::attribute::MessageType};

/// The command.
#[derive(Debug)]
pub struct EditDeadLetter;

/// What which letter says from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditDeadLetterSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The letter.
    pub letter: LetterId,
    /// What happened; as before when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<MessageType>,
    /// What it says.
    pub data: Data,
}

/// The letter says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EditDeadLetterOutcome {
    /// Always the same.
    pub outcome: Edited,
    /// The letter.
    #[serde(flatten)]
    pub letter: Letter,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edited {
    /// The letter says this now.
    Edited,
}

impl Command for EditDeadLetter {
    const NAME: &'static str = "queues.edit";
    const SUMMARY: &'static str = "Changes what a dead letter says.";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/dead-letters/{letter}";
    type Spec = EditDeadLetterSpec;
    type Outcome = EditDeadLetterOutcome;
    type Refusal = LetterRefusal;
}

impl Write for EditDeadLetter {
    fn run(
        tx: &mut Tx<'_>,
        spec: &EditDeadLetterSpec,
    ) -> Result<EditDeadLetterOutcome, Stop<LetterRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        if name.settings(tx)?.is_none() {
            return LetterRefusal::no_queue(name);
        }
        let letter = spec.letter;
        let not_found = || LetterRefusal::DeadLetterNotFound { index: None, letter };
        let mut row = name.letter(tx, letter)?.ok_or_else(|| Stop::Refused(not_found()))?;
        if let Some(r#type) = &spec.r#type {
            row.message.r#type = r#type.clone();
        }
        row.message.data = spec.data.clone();
        row.message.event = row.message.event.map(|event| Box::new(event.with_json()));
        row.edited_at = Some(tx.now());
        name.put_letter(tx, letter, &row)?;
        Ok(EditDeadLetterOutcome { outcome: Edited::Edited, letter: Letter::of(letter, &row) })
    }
}
