//! The world of a script: state, time, timers, and the log of what happened.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    answer::{answer, not_a_spec},
    line::{Parts, parts},
};
use crate::{
    Batch, BatchBuilder, Budget, LogTime, MemoryStore, Namespace, Overlay, Read as _, Scan,
    Source as _, Stop, Store as _, Table as _, Tx, TxContext, View,
    command::{Entry, Input, Kind, Refused},
    instrument::{self, BoundedView, Instrument, Reading},
    row::Row as _,
    table::{split_key, stored_key},
    tally::Tallies,
    timer::{TimerHandler, TimerRow, Timers},
};

/// A verb that is no command: looks at the world and says what it sees. Gets the
/// words behind the verb.
pub type Look = fn(&World, &[&str]) -> String;

/// What scripts may say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vocabulary<'a> {
    /// Commands.
    pub commands: &'a [Entry],
    /// Handlers of timers.
    pub timers: &'a [(&'a str, TimerHandler)],
    /// Other verbs.
    pub looks: &'a [(&'a str, Look)],
}

/// State, time, and the log of what happened.
#[derive(Debug)]
pub struct World {
    store: MemoryStore,
    log: Vec<Batch>,
    now: LogTime,
    tallies: Tallies,
}

/// 2026-01-01T00:00:00Z: every script begins here.
const BEGINNING: LogTime = LogTime::from_us(1_767_225_600_000_000);

impl Default for World {
    fn default() -> Self {
        let (store, tallies) = (MemoryStore::new(), Tallies::default());
        Self { store, log: Vec::new(), now: BEGINNING, tallies }
    }
}

impl World {
    /// The state now.
    #[must_use]
    pub fn view(&self) -> View {
        View::new(self.store.snapshots().latest(), Namespace::DEFAULT, self.now)
    }

    /// Every batch, in order.
    #[must_use]
    pub fn log(&self) -> &[Batch] {
        &self.log
    }

    /// Log time now.
    #[must_use]
    pub const fn now(&self) -> LogTime {
        self.now
    }

    /// All of what an instrument shows now.
    ///
    /// # Panics
    /// When the state is in doubt.
    #[must_use]
    pub fn read(&self, instrument: &Instrument) -> Vec<Reading> {
        match instrument.source {
            instrument::Source::State(read) => {
                let view = self.view();
                read(&BoundedView::new(&view, usize::MAX)).expect("memory can be read")
            }
            instrument::Source::Counted => self.tallies.read(instrument, Namespace::DEFAULT).0,
        }
    }

    /// Runs a transaction and applies it as a batch of its own. A stop leaves the
    /// world as it was.
    ///
    /// # Errors
    /// The stop.
    pub fn transact<T, R>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Stop<R>>,
    ) -> Result<T, Stop<R>> {
        self.attempt(true, work)
    }

    /// Lets time pass. What falls due on the way fires, each timer at its time.
    /// Returns the names of the handlers.
    pub fn pass(&mut self, us: u64, vocabulary: &Vocabulary<'_>) -> Vec<String> {
        let until = self.now.plus_us(us);
        let mut names = Vec::new();
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            names.extend(self.fire_due(vocabulary));
        }
        self.now = until;
        names
    }

    pub(super) fn run(&mut self, command: &str, vocabulary: &Vocabulary<'_>) -> String {
        let parts = parts(command);
        match parts.name {
            "advance" => return self.advance(&parts, vocabulary),
            "fire" => return fired(&self.fire_due(vocabulary)),
            _ => {}
        }
        if let Some((_, look)) = vocabulary.looks.iter().find(|(verb, _)| *verb == parts.name) {
            return look(self, &parts.words);
        }
        match find(vocabulary.commands, parts.name) {
            Ok(entry) => self.command(entry, &parts),
            Err(problem) => problem.to_owned(),
        }
    }

    fn command(&mut self, entry: &Entry, parts: &Parts<'_>) -> String {
        let fields: Vec<_> = parts
            .fields
            .iter()
            .map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value)))
            .collect();
        let input = Input { body: parts.body.as_bytes(), fields: &fields, commands: &[] };
        let call = match entry.parse(input) {
            Ok(call) => call,
            Err(error) => return not_a_spec(&error),
        };
        let first = match entry.kind {
            Kind::Query => call.look(&self.view()).expect("a query looks"),
            Kind::Write => self.attempt(false, |tx| call.run(tx)),
        };
        let result = self.transact(|tx| call.run(tx));
        assert_eq!(first, result, "{} answers differently when run again", entry.name);
        answer(&result, &parts.wanted)
    }

    /// Runs a transaction and applies it, or throws it away.
    fn attempt<T, R>(
        &mut self,
        keep: bool,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, Stop<R>>,
    ) -> Result<T, Stop<R>> {
        let (mut overlay, mut batch) = (Overlay::default(), BatchBuilder::default());
        let version = self.store.mark().version.next();
        let context = TxContext {
            version,
            now: self.now,
            entry_time: self.now,
            namespace: Namespace::DEFAULT,
            seed: version.get(),
            budget: Budget::default(),
        };
        let mut tx = Tx::begin(&self.store, &mut overlay, &mut batch, context);
        let result = work(&mut tx);
        if keep && !matches!(result, Err(Stop::Aborted(_))) {
            self.tallies.add(Namespace::DEFAULT, tx.take_counted());
        }
        if !keep || result.is_err() {
            return result;
        }
        if tx.commit() {
            let count = batch.count();
            let bytes = batch.into_bytes().into();
            let batch = Batch { first: version, count, time: self.now, bytes };
            self.store.apply(&batch, Bytes::new()).expect("memory takes what a transaction wrote");
            self.log.push(batch);
        }
        result
    }

    /// `advance 15m` fires what falls due on the way, each at its time; `advance
    /// 15m unfired` leaves it for `fire`, as a busy leader would.
    fn advance(&mut self, parts: &Parts<'_>, vocabulary: &Vocabulary<'_>) -> String {
        let length = parts.words.first().and_then(|word| word.parse::<jiff::SignedDuration>().ok());
        let length = length.and_then(|length| u64::try_from(length.as_micros()).ok());
        let Some(length) = length else { return "not a duration".to_owned() };
        let names = if parts.words.get(1) == Some(&"unfired") {
            self.now = self.now.plus_us(length);
            Vec::new()
        } else {
            self.pass(length, vocabulary)
        };
        let time = self.now.to_string();
        if names.is_empty() { time } else { format!("{time} {}", fired(&names)) }
    }

    fn next_due(&self) -> Option<LogTime> {
        let (key, _) = self.timers(LogTime::MAX).into_iter().next()?;
        let (_, _, mut parts) = split_key(&key).expect("a stored key");
        Some(LogTime::from_us(parts.u64().expect("a timer's key begins with its time")))
    }

    fn timers(&self, until: LogTime) -> Vec<(Bytes, Bytes)> {
        let key = |parts: &(LogTime,)| stored_key(Namespace::SYSTEM, Timers::ID, parts);
        let (from, to) = (key(&(LogTime::ZERO,)), key(&(until.plus_us(1),)));
        self.store.scan(&from, &to, Scan::up(usize::MAX)).expect("memory can be read")
    }

    /// Fires every timer that is due, and says which.
    fn fire_due(&mut self, vocabulary: &Vocabulary<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for (key, row) in self.timers(self.now) {
            let row = TimerRow::parse(&row).expect("a timer's row");
            let handler = vocabulary.timers.iter().find(|(name, _)| *name == row.handler);
            let (_, handler) = handler.expect("every timer that is armed has a handler");
            let result: Result<(), Stop<Refused>> = self.transact(|tx| {
                if tx.get_stored(&key)?.is_some() {
                    tx.delete_stored(&key)?;
                    handler(tx, &row.payload)?;
                }
                Ok(())
            });
            result.expect("a timer's handler comes to an end");
            names.push(row.handler);
        }
        names
    }
}

fn fired(names: &[String]) -> String {
    if names.is_empty() { "fired nothing".to_owned() } else { format!("fired {}", names.join(" ")) }
}

/// The command with this name, or the only one that ends in it.
fn find<'a>(commands: &'a [Entry], name: &str) -> Result<&'a Entry, &'static str> {
    if let Some(entry) = commands.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let ends = |entry: &&Entry| entry.name.split_once('.').is_some_and(|(_, end)| end == name);
    let mut matching = commands.iter().filter(ends);
    match (matching.next(), matching.next()) {
        (Some(entry), None) => Ok(entry),
        (None, _) => Err("unknown command"),
        (Some(_), Some(_)) => Err("ambiguous command: say what stands before the dot"),
    }
}
