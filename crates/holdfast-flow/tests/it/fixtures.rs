//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use std::collections::BTreeMap;

use holdfast_flow::topics::{
    Data, MessageKey, MessageType, Partitions,
    events::{
        Binary, ContentType, Event, EventId, EventSource, EventText, EventTime, ExtensionValue,
        Extensions, SchemaUri,
    },
    groups::row::{GroupRow, MemberRow, OffsetRow},
    queues::{
        row::{DeliveryRow, LetterRow, QueueRow, Reason, StandingRow},
        settings::Lasting,
        span::Span,
    },
    retention::{KeptBytes, Retention},
    row::{
        FloorRow, HeadRow, IdBucketsRow, MarkRow, MessageRow, MessagesRow, PlaceRow, Sibling,
        TailRow, TopicRow,
    },
    schemas::{
        Compatibility, SchemaText,
        row::{JudgingRow, SchemaRow},
    },
};
use holdfast_state::{
    Id, Lifetime, LogTime, Metadata, TimerId, Version, fixture::Fixtures, unknown::Unknown,
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
        retention: Retention::default(),
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("topic", &topic);
    let age = Some(Lifetime::from_us(604_800_000_000).unwrap());
    let retention = Retention { age, bytes: KeptBytes::new(1 << 30) };
    FORMAT_1.check("topic with retention", &TopicRow { retention, ..topic.clone() });
    let metadata = Some(Metadata::new(r#"{"owner":"dispatch"}"#).unwrap());
    let several = TopicRow { metadata, partitions: Partitions::new(256).unwrap(), ..topic };
    FORMAT_1.check("topic with metadata and partitions", &several);
    let (partitions, unknown) = (Partitions::ONE, Unknown::default());
    let empty = TailRow { last: 0, partitions, bytes: 0, unknown };
    FORMAT_1.check("tail of an empty topic", &empty);
    let tail = TailRow { last: 4_000_000_000, bytes: 800_000_000_000, ..empty };
    FORMAT_1.check_kept("tail", &tail);
    FORMAT_1.check("head", &HeadRow { first: 48_001, bytes: 9_600_000 });
    FORMAT_1.check("mark", &MarkRow { time: TIME, bytes: 9_437_184 });
    let begun = vec![TIME, TIME.plus_us(151_200_000_000)];
    FORMAT_1.check("buckets of ids", &IdBucketsRow { oldest: 7, begun });
    FORMAT_1.check("floor", &FloorRow { above: 6_319_112_192 });
    FORMAT_1.check("place", &PlaceRow { offset: 48_000, partition: 12 });
}

#[test]
fn messages_of_format_1() {
    let message = |own: Option<&str>, key: Option<&str>, data: &str| MessageRow {
        r#type: id("booking.held").into(),
        data: Data::new(data).unwrap(),
        key: key.map(|key| MessageKey::new(key).unwrap()),
        id: own.map(id),
        event: None,
    };
    let plain = MessagesRow {
        version: Version::new(48_211),
        time: TIME,
        fresh: Some(id("msg_01ke0vcm00000001f2k")),
        messages: vec![message(None, None, "null")],
        siblings: None,
        schema: None,
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
fn messages_that_are_events_of_format_1() {
    let extension = |value: ExtensionValue| ("traceparent".to_owned(), value);
    let text = |text: &str| EventText::new(text).unwrap();
    let event = Event {
        source: EventSource::new("https://example.com/bookings").unwrap(),
        id: EventId::new("A 234").unwrap(),
        subject: Some(text("hold_0q3c")),
        time: Some(EventTime::new("2026-11-22T10:15:00.5+01:00").unwrap()),
        datacontenttype: Some(ContentType::new("image/png").unwrap()),
        dataschema: Some(SchemaUri::new("https://example.com/schema").unwrap()),
        data_base64: Some(Binary::new(&[0, 1, 255]).unwrap()),
        empty: false,
        extensions: Extensions::new(BTreeMap::from([
            extension(ExtensionValue::Text(text("00-0af7-01"))),
            ("n".to_owned(), ExtensionValue::Integer(-5)),
            ("sampled".to_owned(), ExtensionValue::Boolean(true)),
        ]))
        .unwrap(),
    };
    let least = Event {
        subject: None,
        time: None,
        datacontenttype: None,
        dataschema: None,
        data_base64: None,
        empty: true,
        extensions: Extensions::default(),
        ..event.clone()
    };
    let message = |event: Event| MessageRow {
        r#type: MessageType::new("com.example/booking held").unwrap(),
        data: Data::default(),
        key: None,
        id: None,
        event: Some(Box::new(event)),
    };
    let row = MessagesRow {
        version: Version::new(48_211),
        time: TIME,
        fresh: Some(id("msg_01ke0vcm00000001f2k")),
        messages: vec![message(event), message(least)],
        siblings: None,
        schema: None,
    };
    FORMAT_1.check("events", &row);
}

#[test]
fn schemas_of_format_1() {
    let judging = JudgingRow {
        last: 12,
        count: 3,
        latest: Some(11),
        compatibility: Compatibility::FullTransitive,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("judging", &judging);
    let none = JudgingRow { latest: None, count: 0, ..judging };
    FORMAT_1.check("judging without a schema", &none);
    let schema = SchemaText::new(r#"{"type": "object"}"#).unwrap();
    let (registered_at, version) = (TIME, Version::new(48_211));
    FORMAT_1.check("schema", &SchemaRow { schema, registered_at, version });
    let message = MessageRow {
        r#type: MessageType::new("t").unwrap(),
        data: Data::new("{}").unwrap(),
        key: None,
        id: None,
        event: None,
    };
    let judged = MessagesRow {
        version,
        time: TIME,
        fresh: Some(id("msg_1")),
        messages: vec![message],
        siblings: None,
        schema: Some(11),
    };
    FORMAT_1.check("message that was judged", &judged);
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

#[test]
fn queues_of_format_1() {
    let queue = QueueRow {
        version: Version::new(48_211),
        created_at: TIME,
        visibility: Lasting(Lifetime::from_us(30_000_000).unwrap()),
        deliveries_max: 10,
        delay: None,
        metadata: None,
    };
    FORMAT_1.check("queue", &queue);
    let cursors = vec![48_000, 0, 7];
    let standing = StandingRow {
        deliveries: 300,
        out: 12,
        dead: 1,
        cursors,
        due_from: TIME,
        lost: 3,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("standing", &standing);
    let delivery = DeliveryRow {
        partition: 2,
        span: Span::whole(7, 10),
        attempt: 1,
        until: TIME,
        redriven: false,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("delivery", &delivery);
    let span = Span::only(&[7, 8, 16]).unwrap();
    FORMAT_1.check("delivery of a few", &DeliveryRow { span, ..delivery });
    FORMAT_1.check("due", &());
}

#[test]
fn dead_letters_of_format_1() {
    let message = MessageRow {
        r#type: id("booking.held").into(),
        data: Data::new(r#"{"hold":"hold_0q3c"}"#).unwrap(),
        key: Some(MessageKey::new("porto").unwrap()),
        id: Some(id("m-18")),
        event: None,
    };
    let letter = LetterRow {
        message,
        time: TIME,
        version: Version::new(48_211),
        reason: Reason::Exhausted,
        attempts: 10,
        died_at: TIME,
        note: None,
        edited_at: None,
        redriven: 0,
        unknown: Unknown::default(),
    };
    FORMAT_1.check_kept("dead letter", &letter);
    let rejected = LetterRow {
        reason: Reason::Rejected,
        note: Some(Metadata::new(r#"{"why":"no address"}"#).unwrap()),
        edited_at: Some(TIME),
        redriven: 2,
        ..letter
    };
    FORMAT_1.check("dead letter, rejected and edited", &rejected);
}
