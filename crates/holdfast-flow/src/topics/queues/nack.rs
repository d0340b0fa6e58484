//! `queues.nack`: messages are given back, to be given out again at once or later.
//!
//! What was given back has been given out once more, and counts towards the most that may
//! be.

use holdfast_state::{
    Id, Lifetime, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    receipt::{Names, Receipt},
    row::DeliveryRow,
    settling::{SettleRefusal, named},
    standing::Name,
};

/// The command.
#[derive(Debug)]
pub struct NackMessages;

/// Which messages are given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NackMessagesSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Names<Receipt>,
    /// How long they stay out of sight; not at all when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Lifetime>,
}

/// The messages are given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NackMessagesOutcome {
    /// Always the same.
    pub outcome: GivenBack,
    /// How many.
    pub count: usize,
    /// When they come into sight.
    pub visible_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GivenBack {
    /// The messages wait to be given out again.
    GivenBack,
}

impl Command for NackMessages {
    const NAME: &'static str = "queues.nack";
    const SUMMARY: &'static str = "Gives messages of a queue back.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/nack";
    type Spec = NackMessagesSpec;
    type Outcome = NackMessagesOutcome;
    type Refusal = SettleRefusal;
}

impl Write for NackMessages {
    fn run(
        tx: &mut Tx<'_>,
        spec: &NackMessagesSpec,
    ) -> Result<NackMessagesOutcome, Stop<SettleRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (mut standing, deliveries) = named(tx, name, &spec.receipts)?;
        let until = tx.now().plus_us(spec.delay.map_or(0, Lifetime::as_us));
        for delivery in &deliveries {
            delivery.take_out(tx, name)?;
            standing.deliveries += 1;
            let row = DeliveryRow { until, ..delivery.part() };
            name.put_delivery(tx, standing.deliveries, &row)?;
        }
        name.put_standing(tx, &standing)?;
        let (outcome, count) = (GivenBack::GivenBack, spec.receipts.len());
        Ok(NackMessagesOutcome { outcome, count, visible_at: until })
    }
}
