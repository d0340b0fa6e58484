//! `queues.receive`: messages are given out.
//!
//! First those that came into sight again, longest ago first, then those that were never
//! given out. What is given out for the last time that it may be, and comes into sight
//! again, is a dead letter instead. What retention removed meanwhile is counted as lost, and
//! not given out. An answer ends with the message that brings it to
//! 1 MiB, and making dead letters counts towards that: it may be short, or empty, while
//! there is more.

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, Lifetime, LogTime, Read, Stop, Tx,
    command::{
        Command, Method, Refusal, RefusalInfo, Write,
        awaited::{Awaited, Pending, Wait},
    },
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{
    receipt::Receipt,
    row::{DeliveryRow, QueueRow, Reason, StandingRow},
    span::Span,
    standing::Name,
};
use crate::topics::{
    read::{Message, PAGE_BYTES},
    refusals::QUEUE_NOT_FOUND,
    row::TailRow,
    sequence::{Sequence, doubt, first_tail},
};

/// The command.
#[derive(Debug)]
pub struct ReceiveMessages;

/// How many messages of which queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveMessagesSpec {
    /// The topic's id.
    pub topic: Id,
    /// The queue's id.
    pub queue: Id,
    /// How many messages at most: 1 to 1000, 10 when nothing is given.
    #[serde(default = "usual", deserialize_with = "count")]
    pub limit: u32,
    /// How long they stay out of sight; as the queue says when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Lifetime>,
    /// How long the answer may wait where there is nothing to be given out yet.
    #[serde(default, skip_serializing_if = "Wait::is_none")]
    pub wait: Wait,
}

/// The most messages that are given out at once.
pub const LIMIT_MAX: u32 = 1_000;

/// What a dead letter counts for besides its message: however small they are, what one
/// request makes of them stays within what a transaction may write.
const LETTER_BYTES: usize = 64;

/// What a delivery counts for of which messages are lost.
const LOST_BYTES: usize = 1 << 10;

const fn usual() -> u32 {
    10
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if (1..=LIMIT_MAX).contains(&count) {
        return Ok(count);
    }
    Err(de::Error::custom("1 to 1000 messages are given out at once"))
}

/// Messages that are the caller's to deal with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReceiveMessagesOutcome {
    /// Always the same.
    pub outcome: Received,
    /// The messages.
    pub messages: Vec<ReceivedMessage>,
    /// When they come into sight again, unless they are settled before.
    pub visible_at: LogTime,
}

/// A message that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReceivedMessage {
    /// What settles it, once.
    pub receipt: Receipt,
    /// How often it was given out, this time counted.
    pub attempt: u32,
    /// The partition it is in.
    pub partition: u16,
    /// The message.
    #[serde(flatten)]
    pub message: Message,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    /// These messages were given out; perhaps none.
    Received,
}

/// Why nothing is given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ReceiveMessagesRefusal {
    /// The queue was never created.
    QueueNotFound {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
    },
}

impl Refusal for ReceiveMessagesRefusal {
    const ALL: &'static [RefusalInfo] = &[QUEUE_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::QueueNotFound { .. } => QUEUE_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/queue")
    }
}

impl Command for ReceiveMessages {
    const NAME: &'static str = "queues.receive";
    const SUMMARY: &'static str = "Gives out messages of a queue.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/topics/{topic}/queues/{queue}/receive";
    type Spec = ReceiveMessagesSpec;
    type Outcome = ReceiveMessagesOutcome;
    type Refusal = ReceiveMessagesRefusal;
}

impl Write for ReceiveMessages {
    fn run(
        tx: &mut Tx<'_>,
        spec: &ReceiveMessagesSpec,
    ) -> Result<ReceiveMessagesOutcome, Stop<ReceiveMessagesRefusal>> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let (topic, queue) = (spec.topic.clone(), spec.queue.clone());
        let not_found = || Stop::Refused(ReceiveMessagesRefusal::QueueNotFound { topic, queue });
        let settings = name.settings(tx)?.ok_or_else(not_found)?;
        let visible = spec.visibility.unwrap_or(settings.visibility.0);
        let before = name.standing(tx)?;
        let mut giving = Giving {
            name,
            settings,
            due_from: before.due_from,
            standing: before.clone(),
            until: tx.now().plus_us(visible.as_us()),
            left: spec.limit,
            bytes: 0,
            messages: Vec::new(),
        };
        giving.again(tx)?;
        giving.for_the_first_time(tx)?;
        if giving.standing != before {
            giving.standing.due_from = giving.due_from;
            name.put_standing(tx, &giving.standing)?;
        }
        Ok(ReceiveMessagesOutcome {
            outcome: Received::Received,
            messages: giving.messages,
            visible_at: giving.until,
        })
    }
}

impl Awaited for ReceiveMessages {
    fn wait(spec: &ReceiveMessagesSpec) -> Wait {
        spec.wait
    }

    fn pending(state: &impl Read, spec: &ReceiveMessagesSpec) -> Result<Option<Pending>, Abort> {
        let name = Name { topic: &spec.topic, queue: &spec.queue };
        let Some(settings) = name.settings(state)? else { return Ok(None) };
        let standing = name.standing(state)?;
        // What is out comes into sight again, to be given out or to be a dead letter.
        let again = name.first_due(state, &standing, LogTime::MAX)?.map(|(time, _)| time);
        let first = name.first_ready(state, &settings, &standing)?;
        let until = again.into_iter().chain(first).min();
        let is_there = until.is_some_and(|until| until <= state.now());
        Ok((!is_there).then_some(Pending { until }))
    }
}

/// What is being given out.
struct Giving<'a> {
    name: Name<'a>,
    settings: QueueRow,
    standing: StandingRow,
    /// What there was to give out again before this is given out.
    due_from: LogTime,
    until: LogTime,
    /// How many messages may still be given out.
    left: u32,
    bytes: usize,
    messages: Vec<ReceivedMessage>,
}

impl Giving<'_> {
    const fn goes_on(&self) -> bool {
        self.left > 0 && self.bytes < PAGE_BYTES
    }

    /// What came into sight again.
    fn again(&mut self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        while self.goes_on() {
            let due = self.name.first_due(tx, &self.standing, tx.now())?;
            // What comes later is not due before now.
            self.due_from = due.map_or(tx.now(), |(time, _)| time);
            let Some((_, number)) = due else { break };
            let row = self.name.delivery(tx, number)?;
            let row = row.ok_or_else(|| doubt(format!("{:?}: no delivery {number}", self.name)))?;
            let row = self.without_lost(tx, number, row)?;
            if row.span.open() == 0 {
                continue;
            }
            let more = u32::from(planted!(OneDeliveryTooMany));
            if row.attempt >= self.settings.deliveries_max + more {
                self.bury(tx, number, &row)?;
            } else {
                self.give_again(tx, number, row)?;
            }
        }
        Ok(())
    }

    /// What is there of a delivery; without any of it, it is gone.
    fn without_lost(
        &mut self,
        tx: &mut Tx<'_>,
        number: u64,
        mut row: DeliveryRow,
    ) -> Result<DeliveryRow, Abort> {
        let lost = self.name.settle_removed(tx, &mut row)?;
        if lost > 0 {
            self.bytes += LOST_BYTES;
            self.standing.out -= lost;
            self.standing.lost += lost;
            self.name.keep_delivery(tx, number, &row)?;
        }
        Ok(row)
    }

    fn bury(&mut self, tx: &mut Tx<'_>, number: u64, row: &DeliveryRow) -> Result<(), Abort> {
        let messages = self.name.messages(tx, row, |_| true)?;
        self.bytes += messages.iter().map(|message| message.bytes() + LETTER_BYTES).sum::<usize>();
        self.standing.out -= row.span.open();
        self.standing.dead += messages.len() as u64;
        self.name.bury(tx, row, messages, (Reason::Exhausted, None))?;
        self.name.drop_delivery(tx, number, row)
    }

    /// Gives out what is left of a delivery, or as much of it as may be.
    fn give_again(
        &mut self,
        tx: &mut Tx<'_>,
        number: u64,
        mut row: DeliveryRow,
    ) -> Result<(), Abort> {
        let (mut left, mut bytes) = (self.left, self.bytes);
        let messages = self.name.messages(tx, &row, |message| {
            let fits = left > 0 && bytes < PAGE_BYTES;
            left = left.saturating_sub(1);
            bytes += message.bytes();
            fits
        })?;
        let offsets: Vec<_> = messages.iter().map(|message| message.offset).collect();
        let Some(span) = Span::only(&offsets) else {
            return Err(doubt(format!("{:?}: delivery {number} has no message", self.name)));
        };
        for offset in offsets {
            row.span.settle(offset);
        }
        self.name.keep_delivery(tx, number, &row)?;
        self.give(tx, DeliveryRow { span, attempt: row.attempt + 1, ..row }, messages)
    }

    /// What was never given out. Where it begins goes round the partitions, so that none
    /// waits for another.
    fn for_the_first_time(&mut self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        let first = first_tail(tx, self.name.topic)?;
        let first = first.ok_or_else(|| doubt(format!("{:?} has no topic", self.name)))?;
        let count = u64::from(first.partitions.get());
        let begin = u16::try_from(self.standing.deliveries % count).expect("below a u16");
        for partition in (begin..first.partitions.get()).chain(0..begin) {
            if !self.goes_on() {
                break;
            }
            self.give_of(tx, partition, &first)?;
        }
        Ok(())
    }

    fn give_of(&mut self, tx: &mut Tx<'_>, partition: u16, first: &TailRow) -> Result<(), Abort> {
        let sequence = Sequence::new(self.name.topic, partition);
        let last = sequence.tail(tx, first.clone())?.last;
        let cursor = self.standing.cursors.get(usize::from(partition)).copied();
        let cursor = cursor.ok_or_else(|| doubt(format!("{:?}: {partition}", self.name)))?;
        let removed = sequence.head(tx)?.removed();
        self.standing.lost += removed.saturating_sub(cursor);
        let cursor = cursor.max(removed);
        self.standing.cursors[usize::from(partition)] = cursor;
        let last = last.min(cursor + u64::from(self.left));
        let (mut messages, mut bytes) = (Vec::new(), self.bytes);
        let (now, delay) = (tx.now(), self.settings.delay.map_or(0, |delay| delay.0.as_us()));
        sequence.walk(tx, cursor + 1..=last, |row, placed| {
            let gives = bytes < PAGE_BYTES && row.time.plus_us(delay) <= now;
            if gives {
                let message = Message::of(row, placed);
                bytes += message.bytes();
                messages.push(message);
            }
            gives
        })?;
        let count = u32::try_from(messages.len()).expect("at most as many as may be");
        if count == 0 {
            return Ok(());
        }
        self.standing.cursors[usize::from(partition)] += u64::from(count);
        self.standing.out += u64::from(count);
        let row = DeliveryRow {
            partition,
            span: Span::whole(cursor + 1, count),
            attempt: 1,
            until: self.until,
            redriven: false,
            unknown: Unknown::default(),
        };
        self.give(tx, row, messages)
    }

    fn give(
        &mut self,
        tx: &mut Tx<'_>,
        row: DeliveryRow,
        messages: Vec<Message>,
    ) -> Result<(), Abort> {
        self.standing.deliveries += 1;
        let delivery = self.standing.deliveries;
        let row = DeliveryRow { until: self.until, ..row };
        self.name.put_delivery(tx, delivery, &row)?;
        for message in messages {
            self.left -= 1;
            self.bytes += message.bytes();
            let receipt = Receipt { delivery, offset: message.offset };
            let (attempt, partition) = (row.attempt, row.partition);
            self.messages.push(ReceivedMessage { receipt, attempt, partition, message });
        }
        Ok(())
    }
}
