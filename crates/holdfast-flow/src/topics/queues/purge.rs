//! `queues.purge`: dead letters go for good.
//!
//! All of them at once are one fact, whatever their number. The messages stay in the topic,
//! where they were appended.

use holdfast_planted::planted;
use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    letter::LetterRefusal,
    receipt::{LetterId, Names},
    redrive::named_letters,
    standing::Name,
};

/// The command.
#[derive(Debug)]
pub struct PurgeDeadLetters;

/// Which letters of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeDeadLettersSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The letters: all go, or none. When nothing is given, every one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letters: Option<Names<LetterId>>,
}

/// The letters are gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PurgeDeadLettersOutcome {
    /// Always the same.
    pub outcome: Purged,
    /// How many.
    pub count: u64,
    /// How many dead letters there still are.
    pub dead: u64,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purged {
    /// The letters are gone.
    Purged,
}

impl Command for PurgeDeadLetters {
    const NAME: &'static str = "queues.purge";
    const SUMMARY: &'static str = "Removes dead letters of a queue.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/purge";
    type Spec = PurgeDeadLettersSpec;
    type Outcome = PurgeDeadLettersOutcome;
    type Refusal = LetterRefusal;
}

impl Write for PurgeDeadLetters {
    fn run(
        tx: &mut Tx<'_>,
        spec: &PurgeDeadLettersSpec,
    ) -> Result<PurgeDeadLettersOutcome, Stop<LetterRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        if name.settings(tx)?.is_none() {
            return LetterRefusal::no_queue(name);
        }
        let mut standing = name.standing(tx)?;
        let count = match &spec.letters {
            Some(named) => {
                let letters = named_letters(tx, name, named)?;
                for (id, _) in &letters {
                    name.drop_letter(tx, *id)?;
                }
                letters.len() as u64
            }
            None => {
                if !planted!(PurgeLeavesLetters) {
                    name.drop_letters(tx)?;
                }
                standing.dead
            }
        };
        standing.dead -= count;
        name.put_standing(tx, &standing)?;
        let (outcome, dead) = (Purged::Purged, standing.dead);
        Ok(PurgeDeadLettersOutcome { outcome, count, dead })
    }
}
