//! `queues.reject`: messages that cannot be dealt with become dead letters at once.
//!
//! Of a message that retention removed while it was out there is nothing to keep: it is
//! settled, and counted as lost.

use holdfast_state::{
    Id, Metadata, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    receipt::{Names, Receipt},
    row::Reason,
    settling::{SettleRefusal, named},
    standing::Name,
};

/// The command.
#[derive(Debug)]
pub struct RejectMessages;

/// Which messages, and what is to be said about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectMessagesSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Names<Receipt>,
    /// Kept with the dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Metadata>,
}

/// The messages are dead letters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RejectMessagesOutcome {
    /// Always the same.
    pub outcome: Rejected,
    /// How many messages were rejected.
    pub count: usize,
    /// How many of them are no dead letters, since the topic has them no more; absent when
    /// none.
    #[serde(skip_serializing_if = "none")]
    pub lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn none(count: &u64) -> bool {
    *count == 0
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rejected {
    /// The messages are dead letters.
    Rejected,
}

impl Command for RejectMessages {
    const NAME: &'static str = "queues.reject";
    const SUMMARY: &'static str = "Makes dead letters of messages of a queue.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/reject";
    type Spec = RejectMessagesSpec;
    type Outcome = RejectMessagesOutcome;
    type Refusal = SettleRefusal;
}

impl Write for RejectMessages {
    fn run(
        tx: &mut Tx<'_>,
        spec: &RejectMessagesSpec,
    ) -> Result<RejectMessagesOutcome, Stop<SettleRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (mut standing, deliveries) = named(tx, name, &spec.receipts)?;
        let before = standing.lost;
        for delivery in &deliveries {
            let mut part = delivery.part();
            standing.lost += name.settle_removed(tx, &mut part)?;
            let messages = name.messages(tx, &part, |_| true)?;
            delivery.take_out(tx, name)?;
            standing.out -= delivery.span.open();
            standing.dead += messages.len() as u64;
            name.bury(tx, &part, messages, (Reason::Rejected, spec.note.as_ref()))?;
        }
        name.put_standing(tx, &standing)?;
        let (count, lost) = (spec.receipts.len(), standing.lost - before);
        Ok(RejectMessagesOutcome { outcome: Rejected::Rejected, count, lost })
    }
}
