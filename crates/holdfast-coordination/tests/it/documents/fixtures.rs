//! Rows of every format ever released stay readable: `tests/fixtures` holds their
//! bytes, one row a line, and is never edited, only added to.

use holdfast_coordination::{
    documents::{
        PutDocumentSpec, Value,
        index::path::Path,
        put,
        row::{CollectionRow, DocumentRow, Documents, IndexRow, Phase},
    },
    ties::Tie,
};
use holdfast_state::{
    Abort, Id, LogTime, Read as _, Stop, TimerId, Version, command::Never, fixture::Fixtures,
    row::Row, scenario::World, unknown::Unknown,
};

const FORMAT_1: Fixtures = Fixtures::new(include_str!("../../fixtures/documents-format-1.txt"));

const TIME: LogTime = LogTime::from_us(1_767_225_600_000_000);

#[test]
fn documents_of_format_1() {
    let document = DocumentRow {
        version: Version::new(48_211),
        created_version: Version::new(17),
        updated_at: TIME,
        value: Value::new(r#"{"total":12.50}"#).unwrap(),
        expiry: None,
        tie: None,
        unknown: Unknown::default(),
    };
    FORMAT_1.check("document", &document);
    let timer = TimerId { due: TIME.plus_us(10_000_000), version: Version::new(48_211), number: 2 };
    let tie = Tie { session: Id::new("node-1").unwrap(), opened: Version::new(48_000), number: 3 };
    let tied = DocumentRow { tie: Some(tie), ..document.clone() };
    FORMAT_1.check("document with an end", &DocumentRow { expiry: Some(timer), ..document });
    FORMAT_1.check_kept("document of a session", &tied);
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
    let unknown = Unknown::default();
    FORMAT_1.check_kept("collection", &CollectionRow { next: 5, indexes, unknown });
    FORMAT_1.check("entry", &());
}

#[test]
fn a_put_keeps_what_a_later_release_wrote() {
    let later =
        (7_u64, 5_u64, 1_u64, "1", Option::<u8>::None, Option::<u8>::None, "later", [1_u8, 2]);
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
        session: None,
        if_match: None,
        if_none_match: None,
    };
    world.transact(|tx| put(tx, &spec)).unwrap();
    let row = world.view().get::<Documents>(("c", "a")).unwrap().unwrap();
    assert_eq!((row.value.as_str(), row.unknown), ("2", later.unknown));
}
