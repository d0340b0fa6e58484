//! What is stored of queues.
//!
//! What a message costs is shared by all that are given out together: a delivery is one
//! row, and one that says when it comes into sight. A message that waits for its first
//! delivery, or is done, has no row at all: a number for each partition says up to where
//! messages were given out.

use holdfast_state::{
    LogTime, Metadata, Table, TableId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{settings::Lasting, span::Span};
use crate::topics::row::MessageRow;

/// Queues: by the topic's id and the queue's.
#[derive(Debug)]
pub struct Queues;

impl Table for Queues {
    const ID: TableId = TableId(0x0307);
    const NAME: &'static str = "topics.queues";
    type Key<'k> = (&'k str, &'k str);
    type Row = QueueRow;
}

/// How far queues are: by topic and queue. Every queue has one.
#[derive(Debug)]
pub struct Standings;

impl Table for Standings {
    const ID: TableId = TableId(0x0308);
    const NAME: &'static str = "topics.standings";
    type Key<'k> = (&'k str, &'k str);
    type Row = StandingRow;
}

/// What is out: by topic, queue, and the delivery's number.
#[derive(Debug)]
pub struct Deliveries;

impl Table for Deliveries {
    const ID: TableId = TableId(0x0309);
    const NAME: &'static str = "topics.deliveries";
    type Key<'k> = (&'k str, &'k str, u64);
    type Row = DeliveryRow;
}

/// When each delivery comes into sight: by topic, queue, time and number.
#[derive(Debug)]
pub struct Due;

impl Table for Due {
    const ID: TableId = TableId(0x030a);
    const NAME: &'static str = "topics.due";
    type Key<'k> = (&'k str, &'k str, LogTime, u64);
    type Row = ();
}

/// Dead letters: by topic, queue, and where the message is in the topic.
#[derive(Debug)]
pub struct DeadLetters;

impl Table for DeadLetters {
    const ID: TableId = TableId(0x030b);
    const NAME: &'static str = "topics.dead_letters";
    type Key<'k> = (&'k str, &'k str, (u16, u64));
    type Row = LetterRow;
}

/// Dead letters that were redriven and are not done: keys as those of [`DeadLetters`].
#[derive(Debug)]
pub struct Redriven;

impl Table for Redriven {
    const ID: TableId = TableId(0x030c);
    const NAME: &'static str = "topics.redriven";
    type Key<'k> = (&'k str, &'k str, (u16, u64));
    type Row = LetterRow;
}

/// A queue's settings. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct QueueRow {
    /// The transaction that created it.
    #[n(0)]
    pub version: Version,
    /// When.
    #[n(1)]
    pub created_at: LogTime,
    /// How long a message stays out of sight.
    #[n(2)]
    pub visibility: Lasting,
    /// How often a message is given out before it is a dead letter.
    #[n(3)]
    pub deliveries_max: u32,
    /// How long a message waits before the first time.
    #[n(4)]
    pub delay: Option<Lasting>,
    /// The caller's own words.
    #[n(5)]
    pub metadata: Option<Metadata>,
}

/// How far a queue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingRow {
    /// Number of the last delivery; 0 before the first.
    pub deliveries: u64,
    /// How many messages are out, or wait to be given out again.
    pub out: u64,
    /// How many dead letters there are.
    pub dead: u64,
    /// By partition, the last message that was given out: those behind it were not.
    pub cursors: Vec<u64>,
    /// No row of [`Due`] is of a time before this. What was removed there need not be
    /// passed over again by whoever looks for what is due.
    pub due_from: LogTime,
    /// How many messages were removed from the topic before they were done, and found to be.
    pub lost: u64,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const STANDING_FIELDS: u64 = 6;

impl<C> Encode<C> for StandingRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, STANDING_FIELDS)?;
        e.u64(self.deliveries)?.u64(self.out)?.u64(self.dead)?.encode(&self.cursors)?;
        e.encode(self.due_from)?.u64(self.lost)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for StandingRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            deliveries: d.u64()?,
            out: d.u64()?,
            dead: d.u64()?,
            cursors: d.decode()?,
            due_from: d.decode()?,
            lost: d.u64()?,
            unknown: Unknown::read(d, fields, STANDING_FIELDS)?,
        })
    }
}

/// Messages of one partition that were given out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The partition's number.
    pub partition: u16,
    /// The messages; at least one is not settled.
    pub span: Span,
    /// How often they were given out; 0 for what was redriven and waits.
    pub attempt: u32,
    /// When they come into sight again; a row of [`Due`] says the same.
    pub until: LogTime,
    /// It is a dead letter that was redriven: what it says stands in [`Redriven`].
    pub redriven: bool,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const DELIVERY_FIELDS: u64 = 5;

impl<C> Encode<C> for DeliveryRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, DELIVERY_FIELDS)?;
        e.u16(self.partition)?.encode(&self.span)?.u32(self.attempt)?;
        e.encode(self.until)?.bool(self.redriven)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for DeliveryRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            partition: d.u16()?,
            span: d.decode()?,
            attempt: d.u32()?,
            until: d.decode()?,
            redriven: d.bool()?,
            unknown: Unknown::read(d, fields, DELIVERY_FIELDS)?,
        })
    }
}

/// Why a message is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, JsonSchema)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was given out as often as may be, and never acknowledged.
    #[n(0)]
    Exhausted,
    /// A consumer rejected it.
    #[n(1)]
    Rejected,
}

/// A dead letter: a copy of the message, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// The message as it would be given out, its id with it.
    pub message: MessageRow,
    /// When it was appended.
    pub time: LogTime,
    /// The transaction that appended it.
    pub version: Version,
    /// Why it died last.
    pub reason: Reason,
    /// How often it was given out, over all its lives.
    pub attempts: u64,
    /// When it died last.
    pub died_at: LogTime,
    /// What the consumer said that rejected it.
    pub note: Option<Metadata>,
    /// When it was edited last.
    pub edited_at: Option<LogTime>,
    /// How often it was redriven.
    pub redriven: u32,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const LETTER_FIELDS: u64 = 9;

impl<C> Encode<C> for LetterRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, LETTER_FIELDS)?;
        e.encode(&self.message)?.encode(self.time)?.encode(self.version)?;
        e.encode(self.reason)?.u64(self.attempts)?.encode(self.died_at)?;
        e.encode(&self.note)?.encode(self.edited_at)?.u32(self.redriven)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for LetterRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            message: d.decode()?,
            time: d.decode()?,
            version: d.decode()?,
            reason: d.decode()?,
            attempts: d.u64()?,
            died_at: d.decode()?,
            note: d.decode()?,
            edited_at: d.decode()?,
            redriven: d.u32()?,
            unknown: Unknown::read(d, fields, LETTER_FIELDS)?,
        })
    }
}
