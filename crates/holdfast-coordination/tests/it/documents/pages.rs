//! A page of documents is bounded in bytes, and a collection is read to its end whatever
//! lies in it.

use holdfast_coordination::documents::{
    PutDocumentSpec, Value, expire,
    list::{DocumentsPage, ListDocuments, ListDocumentsSpec, PAGE_BYTES},
    put, value,
};
use holdfast_state::{
    Abort, Id, Lifetime, Tx,
    command::Query as _,
    page::PageSize,
    scenario::{Vocabulary, World},
};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn write(world: &mut World, number: usize, value: &str, expires_in: Option<Lifetime>) {
    let spec = PutDocumentSpec {
        collection: id("c"),
        id: id(&format!("d{number:04}")),
        value: Value::new(value).unwrap(),
        expires_in,
        session: None,
        if_match: None,
        if_none_match: None,
    };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

fn list(world: &World, limit: u32, cursor: Option<Id>) -> DocumentsPage {
    let limit = PageSize::new(limit).unwrap();
    let spec = ListDocumentsSpec {
        collection: id("c"),
        prefix: None,
        from: None,
        to: None,
        cursor,
        limit,
    };
    ListDocuments::run(&world.view(), &spec).unwrap()
}

fn all(world: &World, limit: u32) -> (Vec<Id>, usize) {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = list(world, limit, cursor);
        pages += 1;
        ids.extend(page.documents.into_iter().map(|document| document.id));
        cursor = page.next;
        if cursor.is_none() {
            return (ids, pages);
        }
    }
}

#[test]
fn a_page_ends_with_the_document_that_fills_it() {
    let mut world = World::default();
    let large = format!("\"{}\"", "x".repeat(value::BYTES_MAX - 2));
    for number in 0..10 {
        write(&mut world, number, &large, None);
    }
    let page = list(&world, 1000, None);
    assert_eq!(page.documents.len(), PAGE_BYTES / value::BYTES_MAX);
    let (ids, pages) = all(&world, 1000);
    assert_eq!((ids.len(), pages), (10, 3));
}

#[test]
fn those_whose_time_is_over_are_passed_over_and_end_no_page() {
    let mut world = World::default();
    let second = Lifetime::from_us(1_000_000).unwrap();
    for number in 0..200 {
        write(&mut world, number, "1", (number % 100 != 50).then_some(second));
    }
    assert_eq!(all(&world, 7).0.len(), 200);
    world.pass(999_999, &LATE);
    assert_eq!(all(&world, 200).0.len(), 200);
    world.pass(1, &LATE);
    let expected = [id("d0050"), id("d0150")];
    assert_eq!(all(&world, 1), (expected.to_vec(), 2));
    assert_eq!(all(&world, 1000), (expected.to_vec(), 1));
}

/// The timers of a leader that has not come to them.
const LATE: Vocabulary<'static> =
    Vocabulary { commands: &[], timers: &[(expire::HANDLER, pass_over)], looks: &[] };

fn pass_over(_: &mut Tx<'_>, _: &[u8]) -> Result<(), Abort> {
    Ok(())
}
