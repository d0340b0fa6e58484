//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_flow::topics::{
    Data, MessageKey,
    row::{MessageRow, MessagesRow, PlaceRow, TailRow, TopicRow},
};
use holdfast_state::{Id, LogTime, Metadata, Version, row::Row, unknown::Unknown};

const FORMAT_1: &str = include_str!("../fixtures/rows-format-1.txt");

fn bytes_of(name: &str) -> Vec<u8> {
    let line = FORMAT_1.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let hex = line.unwrap_or_else(|| panic!("no fixture {name}"));
    let digits = hex.as_bytes().chunks(2).map(|two| str::from_utf8(two).unwrap());
    digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
}

/// The fixture reads as this row, and this release still writes the same bytes.
fn check<R: Row + PartialEq + std::fmt::Debug>(name: &str, row: &R) {
    let mut written = Vec::new();
    row.write(&mut written);
    let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = bytes_of(name);
    assert_eq!(written, bytes, "{name} is written as {hex}");
    assert_eq!(&R::parse(&bytes).unwrap(), row, "{name}");
}

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
    check("topic", &topic);
    let metadata = Some(Metadata::new(r#"{"owner":"dispatch"}"#).unwrap());
    check("topic with metadata", &TopicRow { metadata, ..topic });
    let tail = |last| TailRow { last, unknown: Unknown::default() };
    check("tail of an empty topic", &tail(0));
    check("tail", &tail(4_000_000_000));
    check("place", &PlaceRow { offset: 48_000 });
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
    check("message", &plain);
    let named = MessagesRow {
        fresh: None,
        messages: vec![message(Some("m-17"), Some("lisbon-double"), r#"{"hold":"hold_0q3c"}"#)],
        ..plain
    };
    check("message with id and key", &named);
    let messages = vec![
        message(None, Some("porto"), "1.50"),
        message(Some("m-18"), None, "[true]"),
        message(None, None, "\"held\""),
    ];
    check("batch", &MessagesRow { messages, ..plain });
}
