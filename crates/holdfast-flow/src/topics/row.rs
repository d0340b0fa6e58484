//! What is stored: tables, and rows as short CBOR arrays.
//!
//! An append rewrites one row, the tail of a partition, which is kept tiny for it; what a
//! topic is lies in another row that an append does not touch. Messages that were
//! appended together lie in one row for each partition, under the offset of the first: a
//! single append is a list of one, and there is no other form. The row that holds an
//! offset is the one with the greatest key not above it.
//!
//! What retention needs to know lies beside them, so that it reads and writes little: every
//! so many bytes a *mark* says when the messages behind it were appended and how many bytes
//! lie before; a *head*, where messages were removed, says which is the first that is there.
//!
//! Rows that are rewritten keep the fields of later releases. `tests/fixtures` holds
//! rows of every released format.

use holdfast_state::{
    Id, LogTime, Metadata, Table, TableId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{
    data::Data,
    events::{Event, attribute::MessageType},
    key::MessageKey,
    messages::{Identity, NewMessage},
    partition::Partitions,
    retention::Retention,
};

/// Topics by id.
#[derive(Debug)]
pub struct Topics;

impl Table for Topics {
    const ID: TableId = TableId(0x0300);
    const NAME: &'static str = "topics.topics";
    type Key<'k> = &'k str;
    type Row = TopicRow;
}

/// Where each partition ends, by the topic's id and the partition's number. Every
/// partition has one.
#[derive(Debug)]
pub struct Tails;

impl Table for Tails {
    const ID: TableId = TableId(0x0301);
    const NAME: &'static str = "topics.tails";
    type Key<'k> = (&'k str, u16);
    type Row = TailRow;
}

/// Messages: by the topic's id, the partition's number, and the offset of the first
/// message of the row.
#[derive(Debug)]
pub struct StoredMessages;

impl Table for StoredMessages {
    const ID: TableId = TableId(0x0302);
    const NAME: &'static str = "topics.messages";
    type Key<'k> = (&'k str, u16, u64);
    type Row = MessagesRow;
}

/// Where partitions begin of which messages were removed: by the topic's id and the
/// partition's number. The others begin with their first message.
#[derive(Debug)]
pub struct Heads;

impl Table for Heads {
    const ID: TableId = TableId(0x030d);
    const NAME: &'static str = "topics.heads";
    type Key<'k> = (&'k str, u16);
    type Row = HeadRow;
}

/// Marks in partitions: by the topic's id, the partition's number, and the offset of the
/// first message of a row of [`StoredMessages`].
#[derive(Debug)]
pub struct Marks;

impl Table for Marks {
    const ID: TableId = TableId(0x030e);
    const NAME: &'static str = "topics.marks";
    type Key<'k> = (&'k str, u16, u64);
    type Row = MarkRow;
}

/// Where the messages are whose ids callers gave: by the topic's id, the number of the
/// bucket, and the message's id.
#[derive(Debug)]
pub struct MessageIds;

impl Table for MessageIds {
    const ID: TableId = TableId(0x0303);
    const NAME: &'static str = "topics.message_ids";
    type Key<'k> = (&'k str, u64, &'k str);
    type Row = PlaceRow;
}

/// Which buckets of ids there are: by the topic's id. Where there is no row it is bucket 0
/// alone.
#[derive(Debug)]
pub struct IdBuckets;

impl Table for IdBuckets {
    const ID: TableId = TableId(0x030f);
    const NAME: &'static str = "topics.id_buckets";
    type Key<'k> = &'k str;
    type Row = IdBucketsRow;
}

/// Above which number deliveries and generations begin: one row.
#[derive(Debug)]
pub struct Floors;

impl Table for Floors {
    const ID: TableId = TableId(0x0310);
    const NAME: &'static str = "topics.floors";
    type Key<'k> = ();
    type Row = FloorRow;
}

/// The greatest number that something deleted had counted to, or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct FloorRow {
    /// Nothing new is counted below.
    #[n(0)]
    pub above: u64,
}

/// A topic, without its id and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRow {
    /// The transaction that changed this row last. Sweeps of retention that were begun before
    /// it count no more.
    pub version: Version,
    /// When it was created.
    pub created_at: LogTime,
    /// The caller's own words; never change.
    pub metadata: Option<Metadata>,
    /// How many partitions it has; never changes.
    pub partitions: Partitions,
    /// How long messages are kept.
    pub retention: Retention,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const TOPIC_FIELDS: u64 = 5;

impl<C> Encode<C> for TopicRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, TOPIC_FIELDS)?;
        e.encode(self.version)?.encode(self.created_at)?.encode(&self.metadata)?;
        e.encode(self.partitions)?.encode(self.retention)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for TopicRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            version: d.decode()?,
            created_at: d.decode()?,
            metadata: d.decode()?,
            partitions: d.decode()?,
            retention: d.decode()?,
            unknown: Unknown::read(d, fields, TOPIC_FIELDS)?,
        })
    }
}

/// Where a partition ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailRow {
    /// Offset of the last message; 0 before the first.
    pub last: u64,
    /// How many partitions the topic has: whoever reads one tail need not read the topic.
    pub partitions: Partitions,
    /// Size of all messages that were ever appended: the sum of [`MessagesRow::bytes`].
    pub bytes: u64,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const TAIL_FIELDS: u64 = 3;

impl<C> Encode<C> for TailRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, TAIL_FIELDS)?;
        e.u64(self.last)?.encode(self.partitions)?.u64(self.bytes)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for TailRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            last: d.u64()?,
            partitions: d.decode()?,
            bytes: d.u64()?,
            unknown: Unknown::read(d, fields, TAIL_FIELDS)?,
        })
    }
}

/// Where a partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct HeadRow {
    /// Offset of the first message that is there; one more than the last when none is.
    #[n(0)]
    pub first: u64,
    /// Size of all messages before it.
    #[n(1)]
    pub bytes: u64,
}

impl HeadRow {
    /// Of a partition of which nothing was removed.
    pub const WHOLE: Self = Self { first: 1, bytes: 0 };

    /// Everything up to this offset was removed.
    #[must_use]
    pub const fn removed(self) -> u64 {
        self.first - 1
    }
}

/// What lies before and behind a row of messages. Written once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MarkRow {
    /// When the row was appended: those before it not later, those behind it not earlier.
    #[n(0)]
    pub time: LogTime,
    /// Size of all messages before it.
    #[n(1)]
    pub bytes: u64,
}

/// Messages of one partition that were appended together, at least one. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MessagesRow {
    /// The transaction.
    #[n(0)]
    pub version: Version,
    /// Its log time.
    #[n(1)]
    pub time: LogTime,
    /// What ids of messages without one are made of; there if such a message is.
    #[n(2)]
    pub fresh: Option<Id>,
    /// The messages, in order.
    #[n(3)]
    pub messages: Vec<MessageRow>,
    /// All rows of the batch by partition, this one among them; there if it has several,
    /// so that a retry finds them.
    #[n(4)]
    pub siblings: Option<Vec<Sibling>>,
    /// Number of the schema that they were judged by; absent where the topic had none.
    #[n(5)]
    pub schema: Option<u64>,
}

/// A row of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sibling {
    /// The partition's number.
    #[n(0)]
    pub partition: u16,
    /// Offset of the row's first message.
    #[n(1)]
    pub base: u64,
}

/// What a row counts for, besides its messages.
const ROW_BYTES: u64 = 64;

impl MessagesRow {
    /// Its size, as retention counts: ids, keys, types and data, and 64 for the row.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.messages.iter().map(MessageRow::bytes).sum::<u64>() + ROW_BYTES
    }

    /// The id of a message: its own, or the fresh one, with the message's place behind
    /// it for all but the first. `None` where there is neither, or no such message.
    #[must_use]
    pub fn id(&self, index: usize) -> Option<Id> {
        if let Some(id) = &self.messages.get(index)?.id {
            return Some(id.clone());
        }
        let fresh = self.fresh.as_ref()?;
        if index == 0 {
            return Some(fresh.clone());
        }
        Some(Id::new(&format!("{fresh}.{index}")).expect("a fresh id is short and plain"))
    }
}

/// A message, without what it shares with those that were appended with it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MessageRow {
    /// What happened.
    #[n(0)]
    pub r#type: MessageType,
    /// What it says.
    #[n(1)]
    pub data: Data,
    /// What it is about.
    #[n(2)]
    pub key: Option<MessageKey>,
    /// The id that the caller gave.
    #[n(3)]
    pub id: Option<Id>,
    /// What makes it a `CloudEvent`; it has no id of the caller's then.
    #[n(4)]
    pub event: Option<Box<Event>>,
}

impl MessageRow {
    pub(super) fn of(message: &NewMessage) -> Self {
        Self {
            r#type: message.r#type.clone(),
            data: message.data.clone(),
            key: message.key.clone(),
            id: message.id.clone(),
            event: message.event.clone(),
        }
    }

    /// Has its caller given it anything to be known by?
    pub(super) const fn is_named(&self) -> bool {
        self.id.is_some() || self.event.is_some()
    }

    /// What it is known by, if its caller gave it anything.
    pub(super) fn identity(&self) -> Option<Identity> {
        Identity::of(self.id.as_ref(), self.event.as_deref())
    }

    fn bytes(&self) -> u64 {
        let id = self.id.as_ref().map_or(0, |id| id.len());
        let key = self.key.as_ref().map_or(0, |key| key.as_str().len());
        let event = self.event.as_ref().map_or(0, |event| event.bytes());
        (id + key + self.r#type.as_str().len() + self.data.as_str().len() + event) as u64
    }

    /// The first field, besides the id, in which the two differ.
    pub(super) fn differs(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.key != other.key => Some("key"),
            () if self.r#type != other.r#type => Some("type"),
            () if self.data != other.data => Some("data"),
            () => match (&self.event, &other.event) {
                (Some(one), Some(other)) => one.differs(other),
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => Some("event"),
            },
        }
    }
}

/// The buckets of ids that a topic has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IdBucketsRow {
    /// Number of the oldest.
    #[n(0)]
    pub oldest: u64,
    /// When each began, the oldest first: at least one. A bucket ends when the next begins.
    #[n(1)]
    pub begun: Vec<LogTime>,
}

/// Where a message is. Written once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PlaceRow {
    /// Its offset.
    #[n(0)]
    pub offset: u64,
    /// The partition's number.
    #[n(1)]
    pub partition: u16,
}

#[cfg(test)]
mod tests {
    use holdfast_state::row::Row;

    use super::*;

    #[test]
    fn fields_of_a_later_release_survive_a_rewrite() {
        fn rewritten<R: Row>(later: &[u8]) -> Vec<u8> {
            let mut bytes = Vec::new();
            R::parse(later).unwrap().write(&mut bytes);
            bytes
        }
        let tail = minicbor::to_vec((7_u64, 1_u16, 9_u64, "later", [1_u8, 2])).unwrap();
        assert_eq!(rewritten::<TailRow>(&tail), tail);
        let none = Option::<u8>::None;
        let topic = minicbor::to_vec((7_u64, 8_u64, none, 4_u16, [none, none], "later")).unwrap();
        assert_eq!(rewritten::<TopicRow>(&topic), topic);
        assert!(TailRow::parse(&minicbor::to_vec([0_u8; 0]).unwrap()).is_err());
    }

    #[test]
    fn rows_written_once_are_read_by_a_release_that_knows_less() {
        let none = Option::<u8>::None;
        let message = ("t", "1", none, none, none, "later");
        let row =
            minicbor::to_vec((1_u64, 2_u64, "msg_1", [message], none, none, "later")).unwrap();
        let row = MessagesRow::parse(&row).unwrap();
        assert_eq!(row.id(0).unwrap().as_str(), "msg_1");
        assert_eq!(row.id(1), None);
    }

    #[test]
    fn ids_of_one_row_are_distinct() {
        let message = |id: Option<&str>| MessageRow {
            r#type: MessageType::new("t").unwrap(),
            data: Data::default(),
            key: None,
            id: id.map(|id| Id::new(id).unwrap()),
            event: None,
        };
        let row = MessagesRow {
            version: Version::new(1),
            time: LogTime::ZERO,
            fresh: Some(Id::new("msg_1").unwrap()),
            messages: vec![message(None), message(Some("own")), message(None)],
            siblings: None,
            schema: None,
        };
        let ids: Vec<_> = (0..4).map(|index| row.id(index).map(|id| id.to_string())).collect();
        let expected = [Some("msg_1"), Some("own"), Some("msg_1.2"), None];
        assert_eq!(ids, expected.map(|id| id.map(str::to_owned)));
    }
}
