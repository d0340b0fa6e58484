//! `queues.extend`: messages stay out of sight for longer.
//!
//! What was given out together comes into sight together, so it prolongs the time of every
//! message that was given out with one of these. Receipts stay good.

use holdfast_state::{
    Id, Lifetime, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    receipt::{Names, Receipt},
    row::DeliveryRow,
    settings::VISIBILITY,
    settling::{Named, SettleRefusal, named},
    standing::Name,
};

/// The command.
#[derive(Debug)]
pub struct ExtendMessages;

/// Which messages, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendMessagesSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// The messages' receipts: all are taken, or none.
    pub receipts: Names<Receipt>,
    /// How long they stay out of sight from now on; as the queue says when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Lifetime>,
}

/// The messages stay out of sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExtendMessagesOutcome {
    /// Always the same.
    pub outcome: KeptOut,
    /// When they come into sight again.
    pub visible_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeptOut {
    /// The messages stay out of sight until then.
    Extended,
}

impl Command for ExtendMessages {
    const NAME: &'static str = "queues.extend";
    const SUMMARY: &'static str = "Keeps messages of a queue out of sight for longer.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/extend";
    type Spec = ExtendMessagesSpec;
    type Outcome = ExtendMessagesOutcome;
    type Refusal = SettleRefusal;
}

impl Write for ExtendMessages {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ExtendMessagesSpec,
    ) -> Result<ExtendMessagesOutcome, Stop<SettleRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (_, deliveries) = named(tx, name, &spec.receipts)?;
        let usual = name.settings(tx)?.map_or(VISIBILITY, |settings| settings.visibility.0);
        let until = tx.now().plus_us(spec.visibility.unwrap_or(usual).as_us());
        for Named { number, row, .. } in deliveries {
            name.drop_delivery(tx, number, &row)?;
            name.put_delivery(tx, number, &DeliveryRow { until, ..row })?;
        }
        Ok(ExtendMessagesOutcome { outcome: KeptOut::Extended, visible_at: until })
    }
}
