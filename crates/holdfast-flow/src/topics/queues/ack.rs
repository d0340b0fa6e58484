//! `queues.ack`: messages are done.
//!
//! In one transaction with what was done, it is done once: where the message was given out
//! again meanwhile, the receipt is stale, and neither happens.

use holdfast_state::{
    Id, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    receipt::{LetterId, Names, Receipt},
    settling::{SettleRefusal, named},
    standing::Name,
};

/// The command.
#[derive(Debug)]
pub struct AckMessages;

/// Which messages are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AckMessagesSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Names<Receipt>,
}

/// The messages are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AckMessagesOutcome {
    /// Always the same.
    pub outcome: Acked,
    /// How many.
    pub count: usize,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Acked {
    /// The messages are done, and given out no more.
    Acked,
}

impl Command for AckMessages {
    const NAME: &'static str = "queues.ack";
    const SUMMARY: &'static str = "Acknowledges messages of a queue: they are done.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/ack";
    type Spec = AckMessagesSpec;
    type Outcome = AckMessagesOutcome;
    type Refusal = SettleRefusal;
}

impl Write for AckMessages {
    fn run(
        tx: &mut Tx<'_>,
        spec: &AckMessagesSpec,
    ) -> Result<AckMessagesOutcome, Stop<SettleRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (mut standing, deliveries) = named(tx, name, &spec.receipts)?;
        for delivery in &deliveries {
            delivery.take_out(tx, name)?;
            if delivery.row.redriven {
                let partition = delivery.row.partition;
                for offset in delivery.span.offsets() {
                    name.drop_redriven(tx, LetterId { partition, offset })?;
                }
            }
        }
        let count = spec.receipts.len();
        standing.out -= count as u64;
        name.put_standing(tx, &standing)?;
        Ok(AckMessagesOutcome { outcome: Acked::Acked, count })
    }
}
