//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_coordination::documents::{
    PutDocumentSpec, Value,
    index::path::Path,
    put,
    row::{CollectionRow, DocumentRow, Documents, IndexRow, Phase},
};
use holdfast_state::{
    Abort, Id, LogTime, Read as _, Stop, TimerId, Version, command::Never, row::Row,
    scenario::World, unknown::Unknown,
};

const FORMAT_1: &str = include_str!("../../fixtures/documents-format-1.txt");

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

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

#[test]
fn documents_of_format_1() {
    let document = DocumentRow {
        version: Version::new(48_211),
        created_version: Version::new(17),
        updated_at: TIME,
        value: Value::new(r#"{"total":12.50}"#).unwrap(),
        expiry: None,
        unknown: Unknown::default(),
    };
    check("document", &document);
    let timer = TimerId { due: TIME.plus_us(10_000_000), version: Version::new(48_211), number: 2 };
    check("document with an end", &DocumentRow { expiry: Some(timer), ..document });
}

#[test]
fn collections_of_format_1() {
    let index = |number, id: &str, path: &str, phase| IndexRow {
        number,
        id: Id::new(id).unwrap(),
        path: Path::new(path).unwrap(),
        phase,
    };
    let indexes = vec![
        index(0, "status", "/status", Phase::Ready),
        index(3, "city", "/at/city", Phase::Filling { after: None }),
        index(4, "total", "/total", Phase::Filling { after: Some(Id::new("o-2").unwrap()) }),
    ];
    check("collection", &CollectionRow { next: 5, indexes, unknown: Unknown::default() });
    check("entry", &());
}

#[test]
fn a_put_keeps_what_a_later_release_wrote() {
    let later = (7_u64, 5_u64, 1_u64, "1", Option::<u8>::None, "later", [1_u8, 2]);
    let later = DocumentRow::parse(&minicbor::to_vec(later).unwrap()).unwrap();
    let mut world = World::default();
    let written = world.transact(|tx| -> Result<(), Stop<Never>> {
        tx.put::<Documents>(("c", "a"), &later).map_err(Abort::into)
    });
    written.unwrap();
    let spec = PutDocumentSpec {
        collection: Id::new("c").unwrap(),
        id: Id::new("a").unwrap(),
        value: Value::new("2").unwrap(),
        expires_in: None,
        if_match: None,
        if_none_match: None,
    };
    world.transact(|tx| put(tx, &spec)).unwrap();
    let row = world.view().get::<Documents>(("c", "a")).unwrap().unwrap();
    assert_eq!((row.value.as_str(), row.unknown), ("2", later.unknown));
}
