//! The primitives as clients ask them: production commands, made by a seed.
//!
//! A [`Command`] is a row of the node's registry with its arguments, parsed and run as a
//! server does it. What is generic is here: which primitives a run has ([`Menu`]), what a
//! client has learnt from answers ([`Mind`]) and what it makes of that, often rightly and
//! sometimes wrongly on purpose: a token, a receipt or a generation of yesterday, or one
//! that nobody was ever given. Each primitive has a file that makes commands and learns from
//! answers, and beside it a naive one that says what each answer must have been
//! ([`super::retelling`] asks it).

mod documents;
pub(super) mod expected;
mod leases;
mod limits;
pub(super) mod naive;
mod sessions;
mod several;
mod topics;

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use holdfast_node::Registry;
use holdfast_state::{
    Stop, View,
    command::{Call, Entry, Input, Kind, Refused},
};
use serde_json::{Value, json};

use super::workload::{Op, Query};
use crate::random::Random;

/// Everything that a node can do.
pub(super) static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::all);

/// A primitive that clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Primitive {
    Documents,
    Leases,
    Limits,
    Topics,
}

/// Every primitive that clients ask.
const PRIMITIVES: &[Primitive] =
    &[Primitive::Documents, Primitive::Leases, Primitive::Limits, Primitive::Topics];

/// A command of the registry with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) args: Value,
}

/// So much of a command is shown, in characters.
const SHOWN_MAX: usize = 2_000;

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.SHOWN_MAX$}", self.name, self.args.to_string())
    }
}

impl Command {
    pub(super) const fn new(name: &'static str, args: Value) -> Self {
        Self { name, args }
    }

    /// The operations of a transaction, all of which are done or none.
    pub(super) fn composed(operations: &[(&'static str, Value)]) -> Self {
        let operations = operations.iter().map(|(op, args)| json!({ "op": op, "args": args }));
        Self::new(COMPOSED, json!({ "operations": operations.collect::<Vec<_>>() }))
    }

    /// The operations of a transaction, each of which is done or refused by itself.
    pub(super) fn each(operations: &[Self]) -> Self {
        let operations = operations.iter().map(|one| json!({ "op": one.name, "args": one.args }));
        let operations = operations.collect::<Vec<_>>();
        Self::new(COMPOSED, json!({ "mode": "each", "operations": operations }))
    }

    fn entry(&self) -> &'static Entry {
        REGISTRY.command(self.name).expect("commands are made of names in the registry")
    }

    /// Ready to run.
    pub(super) fn call(&self) -> Box<dyn Call> {
        let body = self.args.to_string();
        let input = Input { body: body.as_bytes(), fields: &[], commands: REGISTRY.commands() };
        let call = self.entry().parse(input);
        call.unwrap_or_else(|wrong| panic!("{self} is not what the command takes: {wrong}"))
    }

    /// As something to ask; what only reads is asked on one of the levels there are.
    pub(super) fn op(self, random: &mut Random) -> Op {
        let (kind, command) = (self.entry().kind, Arc::new(self));
        match kind {
            Kind::Write => Op::Call(command),
            Kind::Query => Op::Ask { command, query: Query::draw(random) },
        }
    }
}

/// The command that runs others.
pub(super) const COMPOSED: &str = "transactions.run";

/// A refusal as clients are told it here.
pub(super) fn rendered(refused: &Refused) -> Vec<u8> {
    let Refused { info, pointer, operation, facts } = refused;
    let index = operation.as_ref().map(|operation| operation.index);
    let told = json!({ "code": info.code, "pointer": pointer, "index": index, "facts": facts });
    told.to_string().into_bytes()
}

/// What a command was answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) refused: bool,
    /// The outcome, or the refusal as [`rendered`].
    pub(super) body: Value,
}

impl Said {
    pub(super) fn new(refused: bool, body: &[u8]) -> Self {
        let body = serde_json::from_slice(body).expect("commands answer in JSON");
        Self { refused, body }
    }
}

/// The state behind a transaction, for whoever compares.
pub(super) struct Showing(pub(super) View);

impl Showing {
    /// What a command that only reads shows.
    pub(super) fn ask(&self, name: &'static str, args: Value) -> Said {
        let call = Command::new(name, args).call();
        looked(call.as_ref(), &self.0)
    }
}

/// What a command that only reads answers from a view.
pub(super) fn looked(call: &dyn Call, view: &View) -> Said {
    match call.look(view).expect("it only reads") {
        Ok(body) => Said::new(false, &body),
        Err(Stop::Refused(refused)) => Said::new(true, &rendered(&refused)),
        Err(Stop::Aborted(abort)) => panic!("a state in memory can be read: {abort}"),
    }
}

/// Which primitives a run has, and how much of what is asked is theirs.
#[derive(Clone, Debug)]
pub(super) struct Menu {
    percent: u64,
    primitives: Vec<Primitive>,
    /// So many of a hundred are transactions of which each operation is for itself.
    several: u64,
    /// There are messages that are large.
    large: bool,
}

impl Menu {
    /// A quarter of the runs has none; others have some of them, or all.
    pub(super) fn draw(random: &mut Random) -> Self {
        let percent = random.pick(&[0, 30, 60, 90]);
        let half = |_: &&Primitive| random.percent(50);
        let mut primitives: Vec<_> = PRIMITIVES.iter().filter(half).copied().collect();
        if primitives.is_empty() {
            primitives.push(random.pick(PRIMITIVES));
        }
        let (several, large) = (random.pick(&[0, 10, 30]), random.percent(12));
        Self { percent, primitives, several, large }
    }

    /// The same, where no entry of the log may be large.
    pub(super) fn of_small_entries(self) -> Self {
        Self { large: false, ..self }
    }

    /// The next thing that a client with this mind asks, if it is a primitive's.
    pub(super) fn next(&self, random: &mut Random, mind: &Mind) -> Option<Op> {
        if !random.percent(self.percent) {
            return None;
        }
        let several = random.percent(self.several).then(|| several::draw(random, mind, self));
        let command = several.flatten().unwrap_or_else(|| self.one(random, mind));
        Some(command.op(random))
    }

    /// A command of one of the primitives.
    fn one(&self, random: &mut Random, mind: &Mind) -> Command {
        match random.pick(&self.primitives) {
            Primitive::Documents => documents::draw(random, mind),
            Primitive::Leases => leases::draw(random, mind),
            Primitive::Limits => limits::draw(random, mind),
            Primitive::Topics => topics::draw(random, mind, self.large),
        }
    }
}

impl fmt::Display for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { percent, primitives, several, large } = self;
        write!(f, "{percent} % of what is asked are commands of {primitives:?}")?;
        write!(f, ", {several} % of them several at once")?;
        f.write_str(if *large { ", and some messages are large" } else { "" })
    }
}

/// What a client remembers of what it was told.
#[derive(Clone, Debug)]
pub(super) struct Mind {
    /// Its own number: what it is called.
    pub(super) who: usize,
    pub(super) documents: documents::Memory,
    pub(super) leases: leases::Memory,
    pub(super) topics: topics::Memory,
}

impl Mind {
    pub(super) fn new(who: usize) -> Self {
        let (documents, leases) = (documents::Memory::default(), leases::Memory::default());
        Self { who, documents, leases, topics: topics::Memory::default() }
    }

    /// It hears what came of a command, or of several in one transaction.
    pub(super) fn learn(&mut self, command: &Command, said: &Said) {
        if said.refused {
            return;
        }
        if command.name != COMPOSED {
            return self.learn_one(command, &said.body);
        }
        let operations = command.args["operations"].as_array().into_iter().flatten();
        for (index, operation) in operations.enumerate() {
            let entry = operation["op"].as_str().and_then(|name| REGISTRY.command(name));
            let (Some(Entry { name, .. }), body) = (entry, &said.body["results"][index]) else {
                continue;
            };
            if body["outcome"] != "refused" {
                self.learn_one(&Command::new(name, operation["args"].clone()), body);
            }
        }
    }

    fn learn_one(&mut self, command: &Command, body: &Value) {
        self.documents.learn(command, body);
        self.leases.learn(command, body);
        self.topics.learn(command, body);
    }
}

/// A length of time as requests write it.
pub(super) fn span(us: u64) -> Value {
    json!(format!("PT{}.{:06}S", us / 1_000_000, us % 1_000_000))
}

/// Of numbers that were learnt one after the other: mostly the newest, often an old one, and
/// sometimes one that nobody was given.
pub(super) fn one_of(random: &mut Random, known: &[u64]) -> u64 {
    let newest = known.last().copied().unwrap_or(0);
    match random.below(20) {
        0 => newest + 1 + random.below(40),
        1..6 if !known.is_empty() => random.pick(known),
        _ => newest,
    }
}
