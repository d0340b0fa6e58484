//! Random commands and time against naive documents: every outcome, and after each
//! transaction all that can be read.

mod naive;

use holdfast_coordination::{
    documents::{
        DeleteDocumentSpec, PatchDocumentSpec, PutDocumentSpec, Value,
        check::{CheckDocument, CheckDocumentSpec},
        delete,
        get::Document,
        list::{ListDocuments, ListDocumentsSpec},
        patch, put,
    },
    sessions::{CloseSessionSpec, OpenSessionSpec, close, open},
};
use holdfast_state::{
    Id, IfMatch, IfNoneMatch, Lifetime, LogTime, Stop, Tx, Version,
    command::{Query as _, Refusal},
    page::PageSize,
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::timers;
use naive::{Belief, Naive, Name, Step};

const COLLECTIONS: u8 = 2;
const SESSIONS: u8 = 2;

fn session(number: u8) -> Id {
    Id::new(&format!("s{number}")).unwrap()
}

fn collection(number: u8) -> Id {
    Id::new(&format!("c{number}")).unwrap()
}

/// Ids of which some are prefixes of others.
fn id(number: u8) -> Id {
    Id::new(["a", "a.b", "a-", "b"][usize::from(number)]).unwrap()
}

fn name() -> impl Strategy<Value = Name> {
    (0..COLLECTIONS, 0..4_u8)
}

fn belief() -> impl Strategy<Value = Belief> {
    prop_oneof![
        4 => Just(Belief::None),
        1 => Just(Belief::There),
        1 => Just(Belief::Absent),
        3 => Just(Belief::Right),
        1 => Just(Belief::Wrong),
    ]
}

fn json_value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![Just(Json::Null), (0..3_i32).prop_map(Json::from), Just(json!("x"))];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|members| json!(members))
    })
}

fn ends_in() -> impl Strategy<Value = Option<u64>> {
    prop::option::weighted(0.4, 1..20_u64)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (name(), json_value(), ends_in(), prop::option::weighted(0.4, 0..SESSIONS), belief())
            .prop_map(|(name, value, ends_in, session, belief)| {
                Step::Put { name, value, ends_in, session, belief }
            }),
        3 => (name(), json_value(), ends_in(), prop::option::weighted(0.3, 0..SESSIONS), belief())
            .prop_map(|(name, patch, ends_in, session, belief)| {
                Step::Patch { name, patch, ends_in, session, belief }
            }),
        2 => (name(), belief()).prop_map(|(name, belief)| Step::Delete { name, belief }),
        1 => (name(), belief()).prop_map(|(name, belief)| Step::Check { name, belief }),
        2 => (0..SESSIONS, 1..30_u64).prop_map(|(session, ttl)| Step::Open { session, ttl }),
        1 => (0..SESSIONS).prop_map(|session| Step::Close { session }),
    ]
}

fn transaction() -> impl Strategy<Value = (Vec<Step>, u64)> {
    let steps = prop_oneof![4 => prop::collection::vec(step(), 1..2), 1 => prop::collection::vec(step(), 2..5)];
    (steps, 0..8_u64)
}

/// The conditions that a belief is, of a document at this version.
fn conditions(belief: Belief, version: Option<u64>) -> (Option<IfMatch>, Option<IfNoneMatch>) {
    let at = |version| Some(IfMatch::Version(Version::new(version)));
    match belief {
        Belief::None => (None, None),
        Belief::There => (Some(IfMatch::Any), None),
        Belief::Absent => (None, Some(IfNoneMatch)),
        Belief::Right => (at(version.unwrap_or(1)), None),
        Belief::Wrong => (at(version.map_or(0, |version| version - 1)), None),
    }
}

fn code<R: Refusal>(stop: Stop<R>) -> Stop<String> {
    stop.map(|refusal| refusal.code().to_owned())
}

fn value(json: &Json) -> Value {
    Value::new(&json.to_string()).unwrap()
}

fn lifetime(us: Option<u64>) -> Option<Lifetime> {
    us.map(|us| Lifetime::from_us(us).unwrap())
}

/// Takes a step in the documents, and says what came of it. A patch or delete that
/// knows no `if_none_match` is not asked with one.
fn take(tx: &mut Tx<'_>, step: &Step, version: Option<u64>) -> Result<String, Stop<String>> {
    match step {
        Step::Put { name, value: json, ends_in, session: number, belief } => {
            let (if_match, if_none_match) = conditions(*belief, version);
            let (collection, id) = (collection(name.0), id(name.1));
            let (value, expires_in) = (value(json), lifetime(*ends_in));
            let session = number.map(session);
            let spec = PutDocumentSpec {
                collection,
                id,
                value,
                expires_in,
                session,
                if_match,
                if_none_match,
            };
            let done = put(tx, &spec).map_err(code)?;
            Ok(serde_json::to_value(done.outcome).unwrap().as_str().unwrap().to_owned())
        }
        Step::Patch { name, patch: json, ends_in, session: number, belief } => {
            let if_match = conditions(*belief, version).0;
            let (collection, id) = (collection(name.0), id(name.1));
            let (patch_value, expires_in) = (value(json), lifetime(*ends_in));
            let (patch_value, session) = (patch_value, number.map(session));
            let spec = PatchDocumentSpec {
                collection,
                id,
                patch: patch_value,
                expires_in,
                session,
                if_match,
            };
            patch(tx, &spec).map_err(code)?;
            Ok("patched".to_owned())
        }
        Step::Delete { name, belief } => {
            let if_match = conditions(*belief, version).0;
            let spec =
                DeleteDocumentSpec { collection: collection(name.0), id: id(name.1), if_match };
            let done = delete(tx, &spec).map_err(code)?;
            Ok(format!("deleted {}", done.deleted_version))
        }
        Step::Check { name, belief } => {
            let (if_match, if_none_match) = conditions(*belief, version);
            let (collection, id) = (collection(name.0), id(name.1));
            let spec = CheckDocumentSpec { collection, id, if_match, if_none_match };
            let done = CheckDocument::run(tx, &spec).map_err(code)?;
            Ok(format!("holds {:?}", done.version))
        }
        Step::Open { session, ttl } => opens(tx, *session, *ttl),
        Step::Close { session } => closes(tx, *session),
    }
}

fn opens(tx: &mut Tx<'_>, number: u8, ttl: u64) -> Result<String, Stop<String>> {
    let (id, ttl) = (Some(session(number)), Lifetime::from_us(ttl).unwrap());
    open(tx, &OpenSessionSpec { id, ttl, owner: None, metadata: None }).map_err(code)?;
    Ok("opened".to_owned())
}

fn closes(tx: &mut Tx<'_>, number: u8) -> Result<String, Stop<String>> {
    let spec = CloseSessionSpec { id: session(number), version: None };
    close(tx, &spec).map_err(code)?;
    Ok("closed".to_owned())
}

/// A step as it is meant: a patch or a delete cannot ask that nothing is there.
fn meant(step: &Step) -> Step {
    let mut step = step.clone();
    if let Step::Patch { belief, .. } | Step::Delete { belief, .. } = &mut step
        && matches!(belief, Belief::Absent)
    {
        *belief = Belief::None;
    }
    step
}

fn name_of(step: &Step) -> Option<Name> {
    match step {
        Step::Put { name, .. }
        | Step::Patch { name, .. }
        | Step::Delete { name, .. }
        | Step::Check { name, .. } => Some(*name),
        Step::Open { .. } | Step::Close { .. } => None,
    }
}

/// All documents of a collection, read in pages of this size.
fn read(world: &World, number: u8, limit: u32) -> Vec<Document> {
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let (collection, limit) = (collection(number), PageSize::new(limit).unwrap());
        let spec =
            ListDocumentsSpec { collection, prefix: None, from: None, to: None, cursor, limit };
        let page = ListDocuments::run(&world.view(), &spec).unwrap();
        all.extend(page.documents);
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// What the model would show.
fn expected(
    naive: &Naive,
    number: u8,
    start: LogTime,
) -> Vec<(Id, Json, u64, u64, Option<LogTime>)> {
    let own = naive.documents.iter().filter(|((collection, _), _)| *collection == number);
    let mut all: Vec<_> = own
        .map(|((_, name), document)| {
            let ends = document.ends.map(|us| start.plus_us(us));
            (id(*name), document.value.clone(), document.version, document.created, ends)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn shown(document: &Document) -> (Id, Json, u64, u64, Option<LogTime>) {
    let value = serde_json::from_str(document.value.as_str()).unwrap();
    (document.id.clone(), value, document.version, document.created_version, document.expires_at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn documents_do_what_naive_ones_do(
        transactions in prop::collection::vec(transaction(), 1..50),
        limit in 1..4_u32,
    ) {
        let (mut world, mut naive) = (World::default(), Naive::default());
        let start = world.now();
        for (steps, us) in &transactions {
            let steps: Vec<Step> = steps.iter().map(meant).collect();
            let mut version = 0;
            let did = world.transact(|tx| {
                version = tx.version().get();
                // Versions as they are when each step's turn comes.
                let mut seen = naive.clone();
                seen.version = version;
                let done = steps.iter().map(|step| {
                    let known = name_of(step).and_then(|name| seen.documents.get(&name));
                    let known = known.map(|known| known.version);
                    let did = take(tx, step, known)?;
                    seen.step(step).ok();
                    Ok(did)
                });
                done.collect::<Result<Vec<_>, _>>()
            });
            let did = did.map_err(|stop| match stop {
                Stop::Refused(code) => code,
                Stop::Aborted(abort) => panic!("{abort}"),
            });
            prop_assert_eq!(did, naive.take(version, &steps), "{:?}", steps);
            for number in 0..COLLECTIONS {
                let found: Vec<_> = read(&world, number, limit).iter().map(shown).collect();
                prop_assert_eq!(found, expected(&naive, number, start));
            }
            let timers = timers();
            world.pass(*us, &Vocabulary { commands: &[], timers: &timers, looks: &[] });
            naive.pass(*us);
        }
    }
}
