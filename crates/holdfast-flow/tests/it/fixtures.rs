//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_flow::topics::{
    Data, MessageKey, Partitions,
    groups::row::{GroupRow, MemberRow, OffsetRow},
    row::{MessageRow, MessagesRow, PlaceRow, Sibling, TailRow, TopicRow},
};
use holdfast_state::{
    Id, LogTime, Metadata, TimerId, Version, fixture::Fixtures, unknown::Unknown,
};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../fixtures/rows-format-1.txt"));

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

#[test]
fn topics_and_tails_of_format_1() {
    let topic = TopicRow {
        version: Version::new(48_211),
        created_at: TIME,
        metadata: None,
        partitions: Partitions::ONE,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("topic", &topic);
    let metadata = Some(Metadata::new(r#"{"owner":"dispatch"}"#).unwrap());
    let several = TopicRow { metadata, partitions: Partitions::new(256).unwrap(), ..topic };
    FORMAT_1.check("topic with metadata and partitions", &several);
    let tail = |last| TailRow { last, partitions: Partitions::ONE, unknown: Unknown::default() };
    FORMAT_1.check("tail of an empty topic", &tail(0));
    FORMAT_1.check_kept("tail", &tail(4_000_000_000));
    FORMAT_1.check("place", &PlaceRow { offset: 48_000, partition: 12 });
}

#[test]
fn messages_of_format_1() {
    let message = |own: Option<&str>, key: Option<&str>, data: &str| MessageRow {
        r#type: id("booking.held"),
        data: Data::new(data).unwrap(),
        key: key.map(|key| MessageKey::new(key).unwrap()),
        id: own.map(id),
    };
    let plain = MessagesRow {
        version: Version::new(48_211),
        time: TIME,
        fresh: Some(id("msg_01ke0vcm00000001f2k")),
        messages: vec![message(None, None, "null")],
        siblings: None,
    };
    FORMAT_1.check("message", &plain);
    let named = MessagesRow {
        fresh: None,
        messages: vec![message(Some("m-17"), Some("lisbon-double"), r#"{"hold":"hold_0q3c"}"#)],
        ..plain.clone()
    };
    FORMAT_1.check("message with id and key", &named);
    let messages = vec![
        message(None, Some("porto"), "1.50"),
        message(Some("m-18"), None, "[true]"),
        message(None, None, "\"held\""),
    ];
    FORMAT_1.check("batch", &MessagesRow { messages, ..plain.clone() });
    let siblings = [(0, 7), (3, 48_000)].map(|(partition, base)| Sibling { partition, base });
    let part = MessagesRow { siblings: Some(siblings.to_vec()), ..plain };
    FORMAT_1.check("part of a batch", &part);
}

#[test]
fn groups_of_format_1() {
    let members = vec![id("worker-1"), id("worker-2")];
    let group = GroupRow { generation: 7, members, unknown: Unknown::default() };
    FORMAT_1.check_kept("group", &group);
    let expires_at = TIME.plus_us(30_000_000);
    let timer = TimerId { due: expires_at, version: Version::new(48_211), number: 1 };
    let unknown = Unknown::default();
    FORMAT_1.check_kept("member", &MemberRow { joined_at: TIME, expires_at, timer, unknown });
    let unknown = Unknown::default();
    FORMAT_1.check_kept("committed offset", &OffsetRow { offset: 48_000, time: TIME, unknown });
}
