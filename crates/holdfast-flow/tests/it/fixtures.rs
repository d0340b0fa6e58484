//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_flow::topics::{
    Data, MessageKey,
    row::{MessageRow, MessagesRow, PlaceRow, TailRow, TopicRow},
};
use holdfast_state::{Id, LogTime, Metadata, Version, fixture::Fixtures, unknown::Unknown};

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
        unknown: Unknown::default(),
    };
    FORMAT_1.check("topic", &topic);
    let metadata = Some(Metadata::new(r#"{"owner":"dispatch"}"#).unwrap());
    FORMAT_1.check("topic with metadata", &TopicRow { metadata, ..topic });
    let tail = |last| TailRow { last, unknown: Unknown::default() };
    FORMAT_1.check("tail of an empty topic", &tail(0));
    FORMAT_1.check("tail", &tail(4_000_000_000));
    FORMAT_1.check("place", &PlaceRow { offset: 48_000 });
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
    };
    FORMAT_1.check("message", &plain);
    let named = MessagesRow {
        fresh: None,
        messages: vec![message(Some("m-17"), Some("lisbon-double"), r#"{"hold":"hold_0q3c"}"#)],
        ..plain
    };
    FORMAT_1.check("message with id and key", &named);
    let messages = vec![
        message(None, Some("porto"), "1.50"),
        message(Some("m-18"), None, "[true]"),
        message(None, None, "\"held\""),
    ];
    FORMAT_1.check("batch", &MessagesRow { messages, ..plain });
}
