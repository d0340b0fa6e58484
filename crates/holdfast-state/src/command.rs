//! What a primitive can do, as data: the command registry.
//!
//! A command is one file that implements [`Command`] and [`Write`] or [`Query`]
//! on an empty struct, and one row in its crate's `COMMANDS`. REST routes, the
//! OpenAPI description, the command line, metric labels and text scenarios
//! iterate these rows; nothing lists commands a second time.
//!
//! A request becomes a *spec* ([`Entry::parse`]), the spec a [`Call`], and the
//! call runs in a transaction or on a view. Its answer is JSON, made inside the
//! transaction, so that a repeated request gets the very bytes of the first.

pub mod awaited;
mod fields;
pub mod foreign;

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    table::Read,
    tx::{Abort, Stop, Tx},
    view::View,
};

use awaited::{Awaited, Pending, TailEvent, Tailed};
use foreign::{AnsweredForm, AskedForm};

/// What a caller does to the resource at a command's path; HTTP's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Look.
    Get,
    /// Do.
    Post,
    /// Set.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

/// What a refusal says about asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// What the request names does not exist (404).
    NotFound,
    /// The state does not allow it now (409).
    Conflict,
    /// A condition that the request states does not hold (412).
    Precondition,
    /// It can never work (422).
    Invalid,
    /// A limit says: not now (429).
    Limited,
}

/// A refusal as the documentation lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalInfo {
    /// Stable name, `snake_case`; has a page in `docs/errors/`.
    pub code: &'static str,
    /// What it says about asking again.
    pub class: Class,
    /// One sentence.
    pub summary: &'static str,
}

/// The refusals of a command: an enum, in order of precedence. Its fields
/// serialize as the facts behind the refusal.
pub trait Refusal: Serialize + fmt::Debug + Send + 'static {
    /// All of them.
    const ALL: &'static [RefusalInfo];

    /// Which this is: an index into [`ALL`](Self::ALL) would do, a code reads better.
    fn code(&self) -> &'static str;

    /// JSON Pointer to the field of the spec that it is about.
    fn pointer(&self) -> Option<&'static str> {
        None
    }

    /// JSON Pointer to the element of a list that [`pointer`](Self::pointer) is
    /// relative to, where the spec is a list of which one element is refused.
    fn element(&self) -> Option<String> {
        None
    }
}

/// For commands that never refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

impl Refusal for Never {
    const ALL: &'static [RefusalInfo] = &[];

    fn code(&self) -> &'static str {
        match *self {}
    }
}

/// What every command says of itself.
pub trait Command: 'static {
    /// `primitive.verb`, for ever.
    const NAME: &'static str;
    /// One sentence, for people.
    const SUMMARY: &'static str;
    /// With [`PATH`](Self::PATH), where REST offers it.
    const METHOD: Method;
    /// Path; `{name}` stands for the spec's field of that name.
    const PATH: &'static str;
    /// It is about something with a version, which the outcome says as `version`: HTTP's
    /// entity tag. A command that writes then takes the conditions `if_match` and
    /// `if_none_match` as fields of its spec ([`precondition`](crate::precondition)).
    const CONDITIONAL: bool = false;
    /// Forms beside JSON in which it may be asked.
    const ASKED_IN: &'static [AskedForm] = &[];
    /// Forms beside JSON in which it may be answered.
    const ANSWERED_IN: &'static [AnsweredForm] = &[];
    /// What is asked.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync;
    /// What is answered.
    type Outcome: Serialize + JsonSchema;
    /// What else may be answered.
    type Refusal: Refusal;
}

/// A command that may write.
pub trait Write: Command {
    /// Does it.
    ///
    /// # Errors
    /// [`Stop::Refused`] is an outcome; [`Stop::Aborted`] is none.
    fn run(tx: &mut Tx<'_>, spec: &Self::Spec) -> Result<Self::Outcome, Stop<Self::Refusal>>;
}

/// A command that only reads.
pub trait Query: Command {
    /// Looks.
    ///
    /// # Errors
    /// As [`Write::run`].
    fn run(state: &impl Read, spec: &Self::Spec) -> Result<Self::Outcome, Stop<Self::Refusal>>;
}

/// A command that runs others.
pub trait Composed: Command {
    /// The call that a request asks for, made of calls of `input.commands`.
    ///
    /// # Errors
    /// [`SpecError`], with a pointer into the whole request.
    fn parse(input: Input<'_>) -> Result<Box<dyn Call>, SpecError>;
}

/// One of the operations of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Which, from 0.
    pub index: usize,
    /// What the request calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A refusal without its type, as the edges report it.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// Which, and what it says about asking again.
    pub info: RefusalInfo,
    /// JSON Pointer to the field of the spec that it is about.
    pub pointer: Option<Cow<'static, str>>,
    /// Which of several operations was refused; `None` for a request that is one.
    pub operation: Option<Operation>,
    /// The typed fields of the refusal.
    pub facts: serde_json::Map<String, serde_json::Value>,
}

impl Refused {
    /// A typed refusal in general form.
    ///
    /// # Panics
    /// When the refusal's code is not among those it lists: that is a bug of ours.
    #[must_use]
    pub fn new<R: Refusal>(refusal: &R) -> Self {
        let code = refusal.code();
        let info = R::ALL.iter().find(|info| info.code == code);
        let value = serde_json::to_value(refusal).expect("a refusal is plain data");
        Self {
            info: *info.expect("a refusal lists its codes"),
            pointer: pointer_of(refusal),
            operation: None,
            facts: fields_of(value),
        }
    }
}

fn pointer_of<R: Refusal>(refusal: &R) -> Option<Cow<'static, str>> {
    match refusal.element() {
        Some(element) => Some((element + refusal.pointer().unwrap_or_default()).into()),
        None => refusal.pointer().map(Cow::Borrowed),
    }
}

/// The fields of a serialized enum variant; a variant without any is only a name.
fn fields_of(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    let serde_json::Value::Object(variant) = value else { return serde_json::Map::new() };
    match variant.into_iter().next() {
        Some((_, serde_json::Value::Object(fields))) => fields,
        _ => serde_json::Map::new(),
    }
}

/// A request, ready to run.
pub trait Call: Send + Sync {
    /// Runs it in a transaction and returns the outcome as JSON.
    ///
    /// # Errors
    /// As [`Write::run`].
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>>;

    /// Runs it on a view; `None` for a command that may write.
    fn look(&self, view: &View) -> Option<Result<Vec<u8>, Stop<Refused>>>;

    /// How long the caller wants to wait for something to answer with; `None` for a call
    /// that cannot be waited for.
    fn wait(&self) -> Option<Duration> {
        None
    }

    /// Is there nothing to answer with yet?
    ///
    /// # Errors
    /// [`Abort`]
    fn pending(&self, _: &View) -> Result<Option<Pending>, Abort> {
        Ok(None)
    }

    /// What there is as events, and the call that goes on behind them; `None` for a call
    /// that is not tailed.
    fn tail(&self, _: &View) -> Option<Result<Tail, Stop<Refused>>> {
        None
    }
}

/// A piece of a stream.
pub struct Tail {
    /// In order; perhaps none.
    pub events: Vec<TailEvent>,
    /// What goes on behind them.
    pub next: Box<dyn Call>,
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("events", &self.events).finish_non_exhaustive()
    }
}

/// What an edge has of a request.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// A JSON object; empty when the request has no body.
    pub body: &'a [u8],
    /// Fields that came as text: from the path, the query, the command line.
    pub fields: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// What a request may be composed of: all commands there are.
    pub commands: &'a [&'static Entry],
}

/// Why a request is not a spec of its command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
pub struct SpecError {
    /// JSON Pointer to the field at fault; empty for the whole request.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
    /// The body is not JSON at all, rather than JSON of another form.
    pub malformed: bool,
}

/// Does a command write?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may write, and so runs as a transaction.
    Write,
    /// It only reads, and so runs on a view.
    Query,
}

/// A row of the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// [`Command::NAME`]
    pub name: &'static str,
    /// [`Command::SUMMARY`]
    pub summary: &'static str,
    /// [`Command::METHOD`]
    pub method: Method,
    /// [`Command::PATH`]
    pub path: &'static str,
    /// Whether it writes.
    pub kind: Kind,
    /// Takes many operations at once, and so larger bodies.
    pub bulk: bool,
    /// [`Command::CONDITIONAL`]
    pub conditional: bool,
    /// It can be waited for.
    pub awaited: bool,
    /// [`Tailed::FROM`], where it can be tailed.
    pub tailed_from: Option<&'static str>,
    /// [`Command::ASKED_IN`]
    pub asked_in: &'static [AskedForm],
    /// [`Command::ANSWERED_IN`]
    pub answered_in: &'static [AnsweredForm],
    /// [`Refusal::ALL`]
    pub refusals: &'static [RefusalInfo],
    /// JSON Schema of the spec.
    pub spec_schema: fn(&mut SchemaGenerator) -> Schema,
    /// JSON Schema of the outcome.
    pub outcome_schema: fn(&mut SchemaGenerator) -> Schema,
    parse: fn(Input<'_>) -> Result<Box<dyn Call>, SpecError>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Entry").field(&self.name).finish()
    }
}

impl Entry {
    /// The row of a command that may write.
    #[must_use]
    pub const fn write<C: Write>() -> Self {
        Self::of::<C>(Kind::Write, |input| {
            Ok(Box::new(WriteCall::<C>(fields::parse::<C::Spec>(input)?)))
        })
    }

    /// The row of a command that only reads.
    #[must_use]
    pub const fn query<C: Query>() -> Self {
        Self::of::<C>(Kind::Query, |input| {
            Ok(Box::new(QueryCall::<C>(fields::parse::<C::Spec>(input)?)))
        })
    }

    /// The row of a command that is composed of others.
    #[must_use]
    pub const fn composed<C: Composed>() -> Self {
        Self { bulk: true, ..Self::of::<C>(Kind::Write, C::parse) }
    }

    /// The row of a command that may write, and can be waited for.
    #[must_use]
    pub const fn awaited<C: Write + Awaited>() -> Self {
        let row = Self::of::<C>(Kind::Write, |input| {
            Ok(Box::new(AwaitedCall::<C>(fields::parse::<C::Spec>(input)?)))
        });
        Self { awaited: true, ..row }
    }

    /// The row of a command that only reads, and can be waited for and tailed.
    #[must_use]
    pub const fn tailed<C: Tailed>() -> Self {
        let row = Self::of::<C>(Kind::Query, |input| {
            Ok(Box::new(TailedCall::<C>(fields::parse::<C::Spec>(input)?)))
        });
        Self { awaited: true, tailed_from: Some(C::FROM), ..row }
    }

    const fn of<C: Command>(
        kind: Kind,
        parse: fn(Input<'_>) -> Result<Box<dyn Call>, SpecError>,
    ) -> Self {
        Self {
            name: C::NAME,
            summary: C::SUMMARY,
            method: C::METHOD,
            path: C::PATH,
            kind,
            bulk: false,
            conditional: C::CONDITIONAL,
            awaited: false,
            tailed_from: None,
            asked_in: C::ASKED_IN,
            answered_in: C::ANSWERED_IN,
            refusals: C::Refusal::ALL,
            spec_schema: SchemaGenerator::subschema_for::<C::Spec>,
            outcome_schema: SchemaGenerator::subschema_for::<C::Outcome>,
            parse,
        }
    }

    /// The spec that a request is.
    ///
    /// # Errors
    /// [`SpecError`] names the field: unknown, missing, of another type, out of range.
    pub fn spec<S: DeserializeOwned>(input: Input<'_>) -> Result<S, SpecError> {
        fields::parse(input)
    }

    /// The call that a request asks for.
    ///
    /// # Errors
    /// [`SpecError`] names the field: unknown, missing, of another type, out of range.
    pub fn parse(&self, input: Input<'_>) -> Result<Box<dyn Call>, SpecError> {
        (self.parse)(input)
    }

    /// Names of the spec's fields that stand in the path.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

struct WriteCall<C: Command>(C::Spec);

struct QueryCall<C: Command>(C::Spec);

struct AwaitedCall<C: Command>(C::Spec);

struct TailedCall<C: Command>(C::Spec);

/// Room for most outcomes: what is written to it does not have to move.
const OUTCOME_BYTES_USUAL: usize = 512;

fn json<O: Serialize, R: Refusal>(result: Result<O, Stop<R>>) -> Result<Vec<u8>, Stop<Refused>> {
    match result {
        Ok(outcome) => {
            let mut bytes = Vec::with_capacity(OUTCOME_BYTES_USUAL);
            serde_json::to_writer(&mut bytes, &outcome).expect("an outcome is plain data");
            Ok(bytes)
        }
        Err(stop) => Err(stop.map(|refusal| Refused::new(&refusal))),
    }
}

impl<C: Write> Call for WriteCall<C> {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>> {
        json(C::run(tx, &self.0))
    }

    fn look(&self, _: &View) -> Option<Result<Vec<u8>, Stop<Refused>>> {
        None
    }
}

impl<C: Query> Call for QueryCall<C> {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>> {
        json(C::run(tx, &self.0))
    }

    fn look(&self, view: &View) -> Option<Result<Vec<u8>, Stop<Refused>>> {
        Some(json(C::run(view, &self.0)))
    }
}

impl<C: Write + Awaited> Call for AwaitedCall<C> {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>> {
        json(C::run(tx, &self.0))
    }

    fn look(&self, _: &View) -> Option<Result<Vec<u8>, Stop<Refused>>> {
        None
    }

    fn wait(&self) -> Option<Duration> {
        Some(C::wait(&self.0).length())
    }

    fn pending(&self, view: &View) -> Result<Option<Pending>, Abort> {
        C::pending(view, &self.0)
    }
}

impl<C: Tailed> Call for TailedCall<C> {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>> {
        json(C::run(tx, &self.0))
    }

    fn look(&self, view: &View) -> Option<Result<Vec<u8>, Stop<Refused>>> {
        Some(json(C::run(view, &self.0)))
    }

    fn wait(&self) -> Option<Duration> {
        Some(C::wait(&self.0).length())
    }

    fn pending(&self, view: &View) -> Result<Option<Pending>, Abort> {
        C::pending(view, &self.0)
    }

    fn tail(&self, view: &View) -> Option<Result<Tail, Stop<Refused>>> {
        let answered = C::run(view, &self.0).map_err(|stop| stop.map(|it| Refused::new(&it)));
        Some(answered.map(|outcome| {
            let (events, next) = C::events(&self.0, outcome);
            Tail { events, next: Box::new(Self(next)) }
        }))
    }
}
