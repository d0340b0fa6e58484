//! Commands that exist only here: one of each kind of trouble.

mod sheets;

use std::{
    collections::HashSet,
    sync::{Condvar, Mutex, PoisonError},
};

use holdfast_node::{KeyPart, Primitive, Registry, TableInfo};
use holdfast_state::{
    Id, Scan, Stop, Table, TableId, Tx,
    command::{Class, Command, Entry, Method, Never, Query, Refusal, RefusalInfo, Write},
    table::Read,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) fn registry() -> Registry {
    Registry::of(&[LAB])
}

const LAB: Primitive = Primitive {
    commands: &[
        Entry::write::<Put>(),
        Entry::query::<Get>(),
        Entry::write::<Remove>(),
        Entry::query::<List>(),
        Entry::write::<Refuse>(),
        Entry::write::<Panic>(),
        Entry::query::<PanicLooking>(),
        Entry::write::<Bulky>(),
        Entry::write::<Gate>(),
        Entry::write::<sheets::WriteSheet>(),
        Entry::query::<sheets::ReadSheet>(),
    ],
    timers: &[],
    tables: &[
        TableInfo::of::<Notes>(&[KeyPart::Text]),
        TableInfo::of::<sheets::Sheets>(&[KeyPart::Text]),
    ],
    audit: None,
    instruments: &[],
};

#[derive(Debug, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
pub(crate) struct Note {
    #[n(0)]
    text: String,
}

struct Notes;

impl Table for Notes {
    const ID: TableId = TableId(0x7f01);
    const NAME: &'static str = "lab.notes";
    type Key<'k> = &'k str;
    type Row = Note;
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutSpec {
    id: Id,
    text: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NamedSpec {
    id: Id,
}

#[derive(Serialize, JsonSchema)]
struct NoteOutcome {
    id: Id,
    text: String,
    version: u64,
}

#[derive(Debug, Serialize)]
enum Missing {
    NoSuchNote,
}

impl Refusal for Missing {
    const ALL: &'static [RefusalInfo] = &[RefusalInfo {
        code: "no_such_note",
        class: Class::NotFound,
        summary: "There is no note of this name.",
    }];

    fn code(&self) -> &'static str {
        "no_such_note"
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

struct Put;

impl Command for Put {
    const NAME: &'static str = "lab.put";
    const SUMMARY: &'static str = "Writes a note.";
    const METHOD: Method = Method::Put;
    const PATH: &'static str = "/v1/lab/notes/{id}";
    type Spec = PutSpec;
    type Outcome = NoteOutcome;
    type Refusal = Never;
}

impl Write for Put {
    fn run(tx: &mut Tx<'_>, spec: &PutSpec) -> Result<NoteOutcome, Stop<Never>> {
        tx.put::<Notes>(&spec.id, &Note { text: spec.text.clone() })?;
        let version = tx.version().get();
        Ok(NoteOutcome { id: spec.id.clone(), text: spec.text.clone(), version })
    }
}

struct Get;

impl Command for Get {
    const NAME: &'static str = "lab.get";
    const SUMMARY: &'static str = "Shows a note.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/lab/notes/{id}";
    type Spec = NamedSpec;
    type Outcome = String;
    type Refusal = Missing;
}

impl Query for Get {
    fn run(state: &impl Read, spec: &NamedSpec) -> Result<String, Stop<Missing>> {
        let note = state.get::<Notes>(&spec.id)?;
        note.map(|note| note.text).ok_or(Stop::Refused(Missing::NoSuchNote))
    }
}

struct Remove;

impl Command for Remove {
    const NAME: &'static str = "lab.remove";
    const SUMMARY: &'static str = "Removes a note.";
    const METHOD: Method = Method::Delete;
    const PATH: &'static str = "/v1/lab/notes/{id}";
    type Spec = NamedSpec;
    type Outcome = ();
    type Refusal = Missing;
}

impl Write for Remove {
    fn run(tx: &mut Tx<'_>, spec: &NamedSpec) -> Result<(), Stop<Missing>> {
        if tx.get::<Notes>(&spec.id)?.is_none() {
            return Err(Stop::Refused(Missing::NoSuchNote));
        }
        Ok(tx.delete::<Notes>(&spec.id)?)
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListSpec {
    limit: Option<u32>,
    prefix: Option<String>,
}

struct List;

impl Command for List {
    const NAME: &'static str = "lab.list";
    const SUMMARY: &'static str = "Lists notes.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/lab/notes";
    type Spec = ListSpec;
    type Outcome = Vec<String>;
    type Refusal = Never;
}

impl Query for List {
    fn run(state: &impl Read, spec: &ListSpec) -> Result<Vec<String>, Stop<Never>> {
        let limit = spec.limit.map_or(100, |limit| limit as usize);
        let prefix = spec.prefix.as_deref().unwrap_or_default();
        let rows = state.scan::<Notes>(&(), Scan::up(limit))?;
        let names = rows.iter().map(|found| found.key().str().expect("ids are text"));
        Ok(names.filter(|name| name.starts_with(prefix)).collect())
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    NotFound,
    Conflict,
    Precondition,
    Invalid,
    Limited,
}

#[derive(Debug, Serialize)]
enum Refused {
    AsAsked { sort: Sort },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RefuseSpec {
    sort: Sort,
}

const fn refusal(code: &'static str, class: Class) -> RefusalInfo {
    RefusalInfo { code, class, summary: "As asked." }
}

impl Refusal for Refused {
    const ALL: &'static [RefusalInfo] = &[
        refusal("lab_not_found", Class::NotFound),
        refusal("lab_conflict", Class::Conflict),
        refusal("lab_precondition", Class::Precondition),
        refusal("lab_invalid", Class::Invalid),
        refusal("lab_limited", Class::Limited),
    ];

    fn code(&self) -> &'static str {
        let Self::AsAsked { sort } = self;
        Self::ALL[*sort as usize].code
    }
}

struct Refuse;

impl Command for Refuse {
    const NAME: &'static str = "lab.refuse";
    const SUMMARY: &'static str = "Refuses.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/lab/refuse";
    type Spec = RefuseSpec;
    type Outcome = ();
    type Refusal = Refused;
}

impl Write for Refuse {
    fn run(_: &mut Tx<'_>, spec: &RefuseSpec) -> Result<(), Stop<Refused>> {
        Err(Stop::Refused(Refused::AsAsked { sort: spec.sort }))
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoSpec {}

struct Panic;

impl Command for Panic {
    const NAME: &'static str = "lab.panic";
    const SUMMARY: &'static str = "Panics.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/lab/panic";
    type Spec = NoSpec;
    type Outcome = ();
    type Refusal = Never;
}

impl Write for Panic {
    fn run(_: &mut Tx<'_>, _: &NoSpec) -> Result<(), Stop<Never>> {
        panic!("as asked");
    }
}

struct PanicLooking;

impl Command for PanicLooking {
    const NAME: &'static str = "lab.panic_looking";
    const SUMMARY: &'static str = "Panics while it looks.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/lab/panic";
    type Spec = NoSpec;
    type Outcome = ();
    type Refusal = Never;
}

impl Query for PanicLooking {
    fn run(_: &impl Read, _: &NoSpec) -> Result<(), Stop<Never>> {
        panic!("as asked");
    }
}

struct Bulky;

impl Command for Bulky {
    const NAME: &'static str = "lab.bulky";
    const SUMMARY: &'static str = "Writes more than one transaction may.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/lab/bulky";
    type Spec = NoSpec;
    type Outcome = ();
    type Refusal = Never;
}

impl Write for Bulky {
    fn run(tx: &mut Tx<'_>, _: &NoSpec) -> Result<(), Stop<Never>> {
        let text = "x".repeat(100_000);
        for number in 0u32.. {
            tx.put::<Notes>(&number.to_string(), &Note { text: text.clone() })?;
        }
        Ok(())
    }
}

/// Gates that are open.
static OPEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
static OPENED: Condvar = Condvar::new();

/// Lets those through who wait at this gate, and whoever comes later.
pub(crate) fn open_gate(name: &str) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.get_or_insert_default().insert(name.to_owned());
    OPENED.notify_all();
}

fn pass_gate(name: &str) {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let passed = OPENED.wait_while(open, |open| !open.get_or_insert_default().contains(name));
    drop(passed.unwrap_or_else(PoisonError::into_inner));
}

struct Gate;

impl Command for Gate {
    const NAME: &'static str = "lab.gate";
    const SUMMARY: &'static str = "Holds the evaluator until the test opens the gate.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/lab/gates/{id}";
    type Spec = NamedSpec;
    type Outcome = ();
    type Refusal = Never;
}

impl Write for Gate {
    fn run(tx: &mut Tx<'_>, spec: &NamedSpec) -> Result<(), Stop<Never>> {
        pass_gate(&spec.id);
        Ok(tx.put::<Notes>(&spec.id, &Note { text: "passed".to_owned() })?)
    }
}
