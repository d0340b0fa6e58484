//! What is stored: tables, and rows as short CBOR arrays.
//!
//! An append rewrites one row, the tail of a partition, which is kept tiny for it; what a
//! topic is lies in another row that an append does not touch. Messages that were
//! appended together lie in one row for each partition, under the offset of the first: a
//! single append is a list of one, and there is no other form. The row that holds an
//! offset is the one with the greatest key not above it.
//!
//! Rows that are rewritten keep the fields of later releases. `tests/fixtures` holds
//! rows of every released format.

use holdfast_state::{
    Id, LogTime, Metadata, Table, TableId, Version,
    unknown::{Unknown, fields_of},
};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use super::{data::Data, key::MessageKey, messages::NewMessage, partition::Partitions};

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

/// Where the messages are whose ids callers gave: by the topic's id and the message's.
#[derive(Debug)]
pub struct MessageIds;

impl Table for MessageIds {
    const ID: TableId = TableId(0x0303);
    const NAME: &'static str = "topics.message_ids";
    type Key<'k> = (&'k str, &'k str);
    type Row = PlaceRow;
}

/// A topic, without its id and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRow {
    /// The transaction that changed this row last.
    pub version: Version,
    /// When it was created.
    pub created_at: LogTime,
    /// The caller's own words; never change.
    pub metadata: Option<Metadata>,
    /// How many partitions it has; never changes.
    pub partitions: Partitions,
    /// Fields of a later release.
    pub unknown: Unknown,
}

const TOPIC_FIELDS: u64 = 4;

impl<C> Encode<C> for TopicRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, TOPIC_FIELDS)?;
        e.encode(self.version)?.encode(self.created_at)?.encode(&self.metadata)?;
        e.encode(self.partitions)?;
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
    /// Fields of a later release.
    pub unknown: Unknown,
}

const TAIL_FIELDS: u64 = 2;

impl<C> Encode<C> for TailRow {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.unknown.begin(e, TAIL_FIELDS)?;
        e.u64(self.last)?.encode(self.partitions)?;
        self.unknown.end(e)
    }
}

impl<'b, C> Decode<'b, C> for TailRow {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let fields = fields_of(d)?;
        Ok(Self {
            last: d.u64()?,
            partitions: d.decode()?,
            unknown: Unknown::read(d, fields, TAIL_FIELDS)?,
        })
    }
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

impl MessagesRow {
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
    pub r#type: Id,
    /// What it says.
    #[n(1)]
    pub data: Data,
    /// What it is about.
    #[n(2)]
    pub key: Option<MessageKey>,
    /// The id that the caller gave.
    #[n(3)]
    pub id: Option<Id>,
}

impl MessageRow {
    pub(super) fn of(message: &NewMessage) -> Self {
        Self {
            r#type: message.r#type.clone(),
            data: message.data.clone(),
            key: message.key.clone(),
            id: message.id.clone(),
        }
    }

    /// The first field, besides the id, in which the two differ.
    pub(super) fn differs(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.key != other.key => Some("key"),
            () if self.r#type != other.r#type => Some("type"),
            () if self.data != other.data => Some("data"),
            () => None,
        }
    }
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
        let tail = minicbor::to_vec((7_u64, 1_u16, "later", [1_u8, 2])).unwrap();
        assert_eq!(rewritten::<TailRow>(&tail), tail);
        let topic = minicbor::to_vec((7_u64, 8_u64, Option::<u8>::None, 4_u16, "later")).unwrap();
        assert_eq!(rewritten::<TopicRow>(&topic), topic);
        assert!(TailRow::parse(&minicbor::to_vec([0_u8; 0]).unwrap()).is_err());
    }

    #[test]
    fn rows_written_once_are_read_by_a_release_that_knows_less() {
        let message = ("t", "1", Option::<u8>::None, Option::<u8>::None, "later");
        let none = Option::<u8>::None;
        let row = minicbor::to_vec((1_u64, 2_u64, "msg_1", [message], none, "later")).unwrap();
        let row = MessagesRow::parse(&row).unwrap();
        assert_eq!(row.id(0).unwrap().as_str(), "msg_1");
        assert_eq!(row.id(1), None);
    }

    #[test]
    fn ids_of_one_row_are_distinct() {
        let message = |id: Option<&str>| MessageRow {
            r#type: Id::new("t").unwrap(),
            data: Data::default(),
            key: None,
            id: id.map(|id| Id::new(id).unwrap()),
        };
        let row = MessagesRow {
            version: Version::new(1),
            time: LogTime::ZERO,
            fresh: Some(Id::new("msg_1").unwrap()),
            messages: vec![message(None), message(Some("own")), message(None)],
            siblings: None,
        };
        let ids: Vec<_> = (0..4).map(|index| row.id(index).map(|id| id.to_string())).collect();
        let expected = [Some("msg_1"), Some("own"), Some("msg_1.2"), None];
        assert_eq!(ids, expected.map(|id| id.map(str::to_owned)));
    }
}
