//! Indexes against what a search through all documents finds, while they are filled and
//! written, dropped and made again.

use std::collections::BTreeMap;

use holdfast_coordination::documents::{
    COMMANDS, DeleteDocumentSpec, PutDocumentSpec, TIMERS, Value, delete,
    index::{
        create::{CreateIndex, CreateIndexSpec},
        drop::{DropIndex, DropIndexSpec},
        list::{IndexPhase, ListIndexes, ListIndexesSpec},
        path::Path,
        query::{QueryDocuments, QueryDocumentsSpec},
        scalar::Scalar,
    },
    put,
};
use holdfast_state::{
    Id, Lifetime, Stop,
    command::{Query as _, Refusal as _, Write as _},
    page::PageSize,
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

/// Scalars in their order, and what is none.
const SCALARS: &[&str] = &[
    "null",
    "false",
    "true",
    "-2.5",
    "-1",
    "0",
    "3",
    "10",
    r#""""#,
    r#""a""#,
    r#""a\u0000""#,
    r#""ab""#,
    r#""b""#,
];
const OTHERS: &[&str] = &["[]", "{}"];

/// A document's value, by number; the last is no scalar.
type Values = BTreeMap<u8, usize>;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn document(number: u8) -> Id {
    id(&format!("d{number:03}"))
}

#[derive(Clone, Debug)]
enum Step {
    Put { number: u8, value: usize, ends_in: Option<u64> },
    Delete(u8),
    Create,
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    let value = 0..=SCALARS.len();
    prop_oneof![
        10 => (0..120_u8, value, prop::option::weighted(0.1, 1..30_u64))
            .prop_map(|(number, value, ends_in)| Step::Put { number, value, ends_in }),
        4 => (0..120_u8).prop_map(Step::Delete),
        2 => Just(Step::Create),
        1 => Just(Step::Drop),
    ]
}

fn write(world: &mut World, number: u8, value: usize, ends_in: Option<u64>) {
    let scalar = SCALARS.get(value).or(OTHERS.get(usize::from(number) % 3)).copied();
    let json = scalar.map_or("{}".to_owned(), |json| format!(r#"{{"a":[{json}]}}"#));
    let spec = PutDocumentSpec {
        collection: id("c"),
        id: document(number),
        value: Value::new(&json).unwrap(),
        expires_in: ends_in.map(|us| Lifetime::from_us(us).unwrap()),
        session: None,
        if_match: None,
        if_none_match: None,
    };
    world.transact(|tx| put(tx, &spec)).unwrap();
}

/// Documents and ends.
#[derive(Default)]
struct Naive {
    documents: BTreeMap<u8, (usize, Option<u64>)>,
    indexed: bool,
    now: u64,
}

impl Naive {
    /// Values of documents that an index has.
    fn values(&self) -> Values {
        let scalars = self.documents.iter().filter(|(_, (value, _))| *value < SCALARS.len());
        scalars.map(|(number, (value, _))| (*number, *value)).collect()
    }

    fn pass(&mut self, us: u64) {
        self.now += us;
        let now = self.now;
        self.documents.retain(|_, (_, ends)| ends.is_none_or(|ends| ends > now));
    }
}

fn take(world: &mut World, naive: &mut Naive, step: &Step) {
    match step {
        Step::Put { number, value, ends_in } => {
            write(world, *number, *value, *ends_in);
            naive.documents.insert(*number, (*value, ends_in.map(|us| naive.now + us)));
        }
        Step::Delete(number) => {
            let spec =
                DeleteDocumentSpec { collection: id("c"), id: document(*number), if_match: None };
            let deleted = world.transact(|tx| delete(tx, &spec)).is_ok();
            assert_eq!(deleted, naive.documents.remove(number).is_some());
        }
        Step::Create => {
            let path = Path::new("/a/0").unwrap();
            let spec = CreateIndexSpec { collection: id("c"), id: id("i"), path };
            let created = world.transact(|tx| CreateIndex::run(tx, &spec)).unwrap();
            assert_eq!(created.existed, naive.indexed);
            naive.indexed = true;
        }
        Step::Drop => {
            let spec = DropIndexSpec { collection: id("c"), id: id("i") };
            let dropped = world.transact(|tx| DropIndex::run(tx, &spec)).is_ok();
            assert_eq!(dropped, naive.indexed);
            naive.indexed = false;
        }
    }
}

fn is_ready(world: &World) -> bool {
    let spec = ListIndexesSpec { collection: id("c") };
    let indexes = ListIndexes::run(&world.view(), &spec).unwrap().indexes;
    indexes.first().is_some_and(|index| index.phase == IndexPhase::Ready)
}

#[derive(Clone, Debug)]
enum Wanted {
    All,
    Equal(usize),
    From(usize),
    Below(usize),
    Between(usize, usize),
    Prefix(&'static str),
}

/// Of one kind with a scalar: null, boolean, number, text.
fn kind(value: usize) -> u8 {
    match SCALARS[value].as_bytes()[0] {
        b'n' => 0,
        b't' | b'f' => 1,
        b'"' => 3,
        _ => 2,
    }
}

fn holds(wanted: &Wanted, value: usize) -> bool {
    let text: Option<String> = serde_json::from_str(SCALARS[value]).ok().flatten();
    match wanted {
        Wanted::All => true,
        Wanted::Equal(other) => value == *other,
        Wanted::From(other) => kind(value) == kind(*other) && value >= *other,
        Wanted::Below(other) => kind(value) == kind(*other) && value < *other,
        Wanted::Between(from, to) => {
            holds(&Wanted::From(*from), value) && holds(&Wanted::Below(*to), value)
        }
        Wanted::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
    }
}

fn wanted() -> Vec<Wanted> {
    let all = 0..SCALARS.len();
    let one = all.clone().flat_map(|n| [Wanted::Equal(n), Wanted::From(n), Wanted::Below(n)]);
    let two = all.clone().flat_map(|n| all.clone().map(move |m| Wanted::Between(n, m)));
    let prefixes = ["", "a", "ab", "c"].map(Wanted::Prefix);
    std::iter::once(Wanted::All).chain(one).chain(two).chain(prefixes).collect()
}

/// All that a query finds, in pages of this size.
fn found(world: &World, wanted: &Wanted, limit: u32) -> Result<Vec<Id>, &'static str> {
    let scalar = |n: &usize| Some(Scalar::new(SCALARS[*n]).unwrap());
    let (equals, from, to, prefix) = match wanted {
        Wanted::All => (None, None, None, None),
        Wanted::Equal(n) => (scalar(n), None, None, None),
        Wanted::From(n) => (None, scalar(n), None, None),
        Wanted::Below(n) => (None, None, scalar(n), None),
        Wanted::Between(n, m) => (None, scalar(n), scalar(m), None),
        Wanted::Prefix(prefix) => (None, None, None, Some((*prefix).to_owned())),
    };
    let (collection, index, limit) = (id("c"), id("i"), PageSize::new(limit).unwrap());
    let mut spec =
        QueryDocumentsSpec { collection, index, equals, from, to, prefix, cursor: None, limit };
    let mut all = Vec::new();
    loop {
        let page = QueryDocuments::run(&world.view(), &spec).map_err(|stop| match stop {
            Stop::Refused(refusal) => refusal.code(),
            Stop::Aborted(abort) => panic!("{abort}"),
        })?;
        assert!(page.documents.len() <= limit.rows());
        all.extend(page.documents.into_iter().map(|document| document.id));
        if page.next.is_none() {
            return Ok(all);
        }
        spec.cursor = page.next;
    }
}

fn check(world: &World, naive: &Naive, limit: u32) {
    let values = naive.values();
    for wanted in wanted() {
        let mut expected: Vec<_> =
            values.iter().filter(|(_, value)| holds(&wanted, **value)).collect();
        expected.sort_by_key(|(number, value)| (**value, **number));
        let expected: Vec<_> = expected.into_iter().map(|(number, _)| document(*number)).collect();
        assert_eq!(found(world, &wanted, limit), Ok(expected), "{wanted:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_index_has_what_a_search_finds(
        before in prop::collection::vec((0..120_u8, 0..=SCALARS.len()), 0..150),
        steps in prop::collection::vec((step(), 0..3_u64), 1..40),
        limit in prop_oneof![Just(1_u32), Just(3), Just(1000)],
    ) {
        let (mut world, mut naive) = (World::default(), Naive::default());
        for (number, value) in before {
            take(&mut world, &mut naive, &Step::Put { number, value, ends_in: None });
        }
        for (step, us) in &steps {
            take(&mut world, &mut naive, step);
            if is_ready(&world) {
                assert!(naive.indexed);
                check(&world, &naive, 1000);
            } else {
                let expected = if naive.indexed { "index_filling" } else { "index_not_found" };
                assert_eq!(found(&world, &Wanted::All, 1), Err(expected));
            }
            world.pass(*us, &VOCABULARY);
            naive.pass(*us);
        }
        take(&mut world, &mut naive, &Step::Create);
        world.pass(20, &VOCABULARY);
        naive.pass(20);
        check(&world, &naive, limit);
    }
}
