//! Everything that can be called, and the names of what is stored: the
//! registries of all primitives as one.
//!
//! Edges, the command line and the change feed iterate this; it is the only
//! place that lists primitives, and each primitive lists its own commands.

use holdfast_coordination::{documents, leases, limits, sessions, ties};
use holdfast_engine::TimerHandler as Handler;
use holdfast_flow::topics;
use holdfast_ledger::row as ledger;
use holdfast_reservations::row as reservations;
use holdfast_state::{
    Table, TableId, Tx,
    audit::AuditEntry,
    command::{Entry, Method},
    instrument::Instrument,
    timer::TimerHandler,
};

use crate::transactions::{self, timers};

/// What a part of a table's key is, so that keys can be shown without the code
/// that writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// UTF-8 text: names that callers gave.
    Text,
    /// Any bytes.
    Bytes,
    /// A `u16`.
    U16,
    /// A `u32`.
    U32,
    /// A `u64`, such as a version.
    U64,
    /// An `i64`.
    I64,
    /// A log time.
    Time,
}

/// A table as the change feed knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableInfo {
    /// The number in every key.
    pub id: TableId,
    /// The name that people see: `ledger.accounts`.
    pub name: &'static str,
    /// What its keys are made of.
    pub key: &'static [KeyPart],
}

impl TableInfo {
    /// The table `T`, whose keys have these parts.
    #[must_use]
    pub const fn of<T: Table>(key: &'static [KeyPart]) -> Self {
        Self { id: T::ID, name: T::NAME, key }
    }
}

/// A primitive as a node sees it.
#[derive(Clone, Copy, Debug)]
pub struct Primitive {
    /// Its commands.
    pub commands: &'static [Entry],
    /// Handlers of its timers, by name.
    pub timers: &'static [(&'static str, TimerHandler)],
    /// The tables that its users may follow.
    pub tables: &'static [TableInfo],
    /// How it is audited, if it keeps accounts of anything.
    pub audit: Option<AuditEntry>,
    /// What it shows to whoever watches over it.
    pub instruments: &'static [Instrument],
}

/// The primitives of this build.
pub const PRIMITIVES: &[Primitive] =
    &[LEDGER, RESERVATIONS, TOPICS, DOCUMENTS, LEASES, SESSIONS, LIMITS, TRANSACTIONS];

/// Commands that are made of the others.
const TRANSACTIONS: Primitive = Primitive {
    commands: transactions::COMMANDS,
    timers: &[(timers::FORGET, timers::forget)],
    tables: &[TableInfo::of::<timers::Scheduled>(&[KeyPart::Text])],
    audit: None,
    instruments: &[],
};

const LEDGER: Primitive = Primitive {
    commands: holdfast_ledger::COMMANDS,
    timers: holdfast_ledger::TIMERS,
    tables: &[
        TableInfo::of::<ledger::Assets>(&[KeyPart::Text]),
        TableInfo::of::<ledger::Accounts>(&[KeyPart::Text]),
        TableInfo::of::<ledger::AccountMetadata>(&[KeyPart::Text]),
        TableInfo::of::<ledger::Transfers>(&[KeyPart::Text]),
        TableInfo::of::<ledger::History>(&[KeyPart::Text, KeyPart::U64]),
    ],
    audit: Some(holdfast_ledger::audit::AUDIT),
    instruments: &[],
};

const RESERVATIONS: Primitive = Primitive {
    commands: holdfast_reservations::COMMANDS,
    timers: holdfast_reservations::TIMERS,
    tables: &[
        TableInfo::of::<reservations::Resources>(&[KeyPart::Text]),
        TableInfo::of::<reservations::ResourceMetadata>(&[KeyPart::Text]),
        TableInfo::of::<reservations::Levels>(&[KeyPart::Text, KeyPart::U32]),
        TableInfo::of::<reservations::Holds>(&[KeyPart::Text]),
        TableInfo::of::<reservations::Entries>(&[KeyPart::Text]),
        TableInfo::of::<reservations::Queue>(&[KeyPart::Text, KeyPart::U64]),
    ],
    audit: Some(holdfast_reservations::audit::AUDIT),
    instruments: &[],
};

/// A dead letter's place: topic, queue, partition, offset.
const LETTER: &[KeyPart] = &[KeyPart::Text, KeyPart::Text, KeyPart::U16, KeyPart::U64];

const TOPICS: Primitive = Primitive {
    commands: topics::COMMANDS,
    timers: topics::TIMERS,
    tables: &[
        TableInfo::of::<topics::row::Topics>(&[KeyPart::Text]),
        TableInfo::of::<topics::row::Tails>(&[KeyPart::Text, KeyPart::U16]),
        TableInfo::of::<topics::row::StoredMessages>(&[KeyPart::Text, KeyPart::U16, KeyPart::U64]),
        TableInfo::of::<topics::row::MessageIds>(&[KeyPart::Text, KeyPart::U64, KeyPart::Text]),
        TableInfo::of::<topics::row::Heads>(&[KeyPart::Text, KeyPart::U16]),
        TableInfo::of::<topics::row::Marks>(&[KeyPart::Text, KeyPart::U16, KeyPart::U64]),
        TableInfo::of::<topics::row::IdBuckets>(&[KeyPart::Text]),
        TableInfo::of::<topics::row::Floors>(&[]),
        TableInfo::of::<topics::schemas::row::Schemas>(&[KeyPart::Text, KeyPart::U64]),
        TableInfo::of::<topics::schemas::row::Judging>(&[KeyPart::Text]),
        TableInfo::of::<topics::groups::row::Groups>(&[KeyPart::Text, KeyPart::Text]),
        TableInfo::of::<topics::groups::row::Members>(&[
            KeyPart::Text,
            KeyPart::Text,
            KeyPart::Text,
        ]),
        TableInfo::of::<topics::groups::row::Offsets>(&[
            KeyPart::Text,
            KeyPart::Text,
            KeyPart::U16,
        ]),
        TableInfo::of::<topics::queues::row::Queues>(&[KeyPart::Text, KeyPart::Text]),
        TableInfo::of::<topics::queues::row::Standings>(&[KeyPart::Text, KeyPart::Text]),
        TableInfo::of::<topics::queues::row::Deliveries>(&[
            KeyPart::Text,
            KeyPart::Text,
            KeyPart::U64,
        ]),
        TableInfo::of::<topics::queues::row::Due>(&[
            KeyPart::Text,
            KeyPart::Text,
            KeyPart::Time,
            KeyPart::U64,
        ]),
        TableInfo::of::<topics::queues::row::DeadLetters>(LETTER),
        TableInfo::of::<topics::queues::row::Redriven>(LETTER),
    ],
    audit: None,
    instruments: topics::INSTRUMENTS,
};

const DOCUMENTS: Primitive = Primitive {
    commands: documents::COMMANDS,
    timers: documents::TIMERS,
    tables: &[
        TableInfo::of::<documents::row::Documents>(&[KeyPart::Text, KeyPart::Text]),
        TableInfo::of::<documents::row::Collections>(&[KeyPart::Text]),
        TableInfo::of::<documents::row::Entries>(&[
            KeyPart::Text,
            KeyPart::U32,
            KeyPart::Bytes,
            KeyPart::Text,
        ]),
    ],
    audit: None,
    instruments: documents::INSTRUMENTS,
};

const LEASES: Primitive = Primitive {
    commands: leases::COMMANDS,
    timers: leases::TIMERS,
    tables: &[
        TableInfo::of::<leases::row::Leases>(&[KeyPart::Text]),
        TableInfo::of::<leases::row::Waiters>(&[KeyPart::Text, KeyPart::U64, KeyPart::U16]),
        TableInfo::of::<leases::row::Waits>(&[KeyPart::Text, KeyPart::Text]),
    ],
    audit: None,
    instruments: leases::INSTRUMENTS,
};

const SESSIONS: Primitive = Primitive {
    commands: sessions::COMMANDS,
    timers: sessions::TIMERS,
    tables: &[
        TableInfo::of::<ties::row::Sessions>(&[KeyPart::Text]),
        TableInfo::of::<ties::row::Ties>(&[
            KeyPart::Text,
            KeyPart::U64,
            KeyPart::U16,
            KeyPart::U16,
            KeyPart::Text,
            KeyPart::Text,
        ]),
    ],
    audit: None,
    instruments: sessions::INSTRUMENTS,
};

/// What a counter's key is made of: limit, rule and its number, shelf, values.
const COUNTER: &[KeyPart] =
    &[KeyPart::Text, KeyPart::U64, KeyPart::U16, KeyPart::U64, KeyPart::Text];

const LIMITS: Primitive = Primitive {
    commands: limits::COMMANDS,
    timers: limits::TIMERS,
    tables: &[
        TableInfo::of::<limits::row::Limits>(&[KeyPart::Text]),
        TableInfo::of::<limits::row::Shelves>(&[KeyPart::Text, KeyPart::U64, KeyPart::U16]),
        TableInfo::of::<limits::row::Logs>(COUNTER),
        TableInfo::of::<limits::row::Chunks>(&[
            KeyPart::Text,
            KeyPart::U64,
            KeyPart::U16,
            KeyPart::U64,
            KeyPart::Text,
            KeyPart::Time,
        ]),
        TableInfo::of::<limits::row::Windows>(COUNTER),
        TableInfo::of::<limits::row::Buckets>(COUNTER),
        TableInfo::of::<limits::row::Arrivals>(COUNTER),
        TableInfo::of::<limits::row::Occupancies>(COUNTER),
        TableInfo::of::<limits::row::Holders>(COUNTER),
    ],
    audit: None,
    instruments: limits::INSTRUMENTS,
};

/// What a node can do.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    commands: Vec<&'static Entry>,
    timers: Vec<(&'static str, Handler)>,
    tables: Vec<TableInfo>,
    audits: Vec<AuditEntry>,
    instruments: Vec<Instrument>,
}

impl Registry {
    /// Everything this build knows.
    #[must_use]
    pub fn all() -> Self {
        Self::of(PRIMITIVES)
    }

    /// What these primitives know.
    ///
    /// # Panics
    /// When two commands have one name or one place, two tables one name or number, two timers
    /// or two of the instruments' families one name: that is a bug of ours, and a test looks
    /// for it.
    #[must_use]
    pub fn of(primitives: &[Primitive]) -> Self {
        let mut registry = Self::default();
        primitives.iter().for_each(|primitive| registry.take(primitive));
        registry.fire_all_commands();
        registry
    }

    /// This and a primitive of a program's own: its commands are served, its timers
    /// fire, the change feed names its tables, its instruments are among the metrics.
    ///
    /// # Panics
    /// When a command, its place, a timer or a table has a name or number that is in
    /// use, or a table has one below [`TableId::OWN_FIRST`]: all of it is known when the
    /// program is written, and found the first time it starts.
    #[must_use]
    pub fn with(mut self, own: &Primitive) -> Self {
        for table in own.tables {
            let (first, TableId(number)) = (TableId::OWN_FIRST.0, table.id);
            assert!(table.id.is_own(), "{}: {number:#06x} is below {first:#06x}", table.name);
        }
        self.take(own);
        self.fire_all_commands();
        self
    }

    /// Timers of users run operations of any command that there is now.
    fn fire_all_commands(&mut self) {
        let commands = self.commands.clone();
        let fire = move |tx: &mut Tx<'_>, payload: &[u8]| timers::fire(tx, payload, &commands);
        self.timers.retain(|(name, _)| *name != timers::HANDLER);
        self.timers.push((timers::HANDLER, fire.into()));
    }

    fn take(&mut self, primitive: &Primitive) {
        for command in primitive.commands {
            self.add(command);
        }
        for table in primitive.tables {
            assert!(self.table(table.id).is_none(), "{} has a number in use", table.name);
            let taken = self.tables.iter().any(|other| other.name == table.name);
            assert!(!taken, "two tables have the name {}", table.name);
            self.tables.push(*table);
        }
        for timer in primitive.timers {
            let taken = self.timers.iter().any(|other| other.0 == timer.0);
            assert!(!taken, "two timers have the name {}", timer.0);
            self.timers.push((timer.0, timer.1.into()));
        }
        self.audits.extend(primitive.audit);
        for instrument in primitive.instruments {
            self.show(instrument);
        }
    }

    fn add(&mut self, command: &'static Entry) {
        let place = |entry: &Entry| (entry.method, shape_of(entry.path));
        for other in &self.commands {
            assert_ne!(other.name, command.name, "a command's name is its own");
            let same = place(other) == place(command);
            assert!(!same, "{} and {} stand at one place", other.name, command.name);
        }
        self.commands.push(command);
    }

    fn show(&mut self, instrument: &Instrument) {
        for family in instrument.families {
            let taken = self.instruments.iter().flat_map(|other| other.families);
            let taken = taken.into_iter().any(|other| other.name == family.name);
            assert!(!taken, "two instruments show {}", family.name);
        }
        self.instruments.push(*instrument);
    }

    /// All commands, in the order in which primitives list them.
    #[must_use]
    pub fn commands(&self) -> &[&'static Entry] {
        &self.commands
    }

    /// The command of this name.
    #[must_use]
    pub fn command(&self, name: &str) -> Option<&'static Entry> {
        self.commands.iter().find(|entry| entry.name == name).copied()
    }

    /// Handlers of timers, by name.
    #[must_use]
    pub fn timers(&self) -> &[(&'static str, Handler)] {
        &self.timers
    }

    /// The primitives' audits.
    #[must_use]
    pub fn audits(&self) -> &[AuditEntry] {
        &self.audits
    }

    /// What the primitives show to whoever watches over them.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The tables that users may follow.
    #[must_use]
    pub fn tables(&self) -> &[TableInfo] {
        &self.tables
    }

    /// The table of this number.
    #[must_use]
    pub fn table(&self, id: TableId) -> Option<&TableInfo> {
        self.tables.iter().find(|table| table.id == id)
    }
}

/// A path without the names of its parameters: two paths of one shape would
/// match the same requests.
fn shape_of(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// A method as HTTP writes it.
#[must_use]
pub const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_this_build_have_names_and_places_of_their_own() {
        let registry = Registry::all();
        for entry in registry.commands() {
            assert!(entry.name.contains('.'), "{} is primitive.verb", entry.name);
            assert!(entry.path.starts_with("/v1/"), "{}", entry.path);
            assert_eq!(registry.command(entry.name).map(|found| found.path), Some(entry.path));
        }
    }

    #[test]
    fn every_table_of_a_primitive_can_be_followed() {
        let registry = Registry::all();
        let tables = || {
            let own = [
                holdfast_ledger::TABLES,
                holdfast_reservations::TABLES,
                topics::TABLES,
                documents::TABLES,
                leases::TABLES,
                sessions::TABLES,
                limits::TABLES,
                timers::TABLES,
            ];
            own.into_iter().flatten()
        };
        for (id, name) in tables() {
            assert_eq!(registry.table(*id).map(|table| table.name), Some(*name));
        }
        assert_eq!(registry.tables().len(), tables().count());
    }

    /// A result of a composed transaction has the operation's name beside the
    /// outcome's fields.
    #[test]
    fn no_outcome_has_a_name_of_its_own() {
        for entry in Registry::all().commands() {
            let mut generator = schemars::SchemaGenerator::default();
            let schema = (entry.outcome_schema)(&mut generator);
            let definitions = generator.take_definitions(false);
            let schema = schema.as_value();
            let own = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
            let schema = own.map_or(schema, |name| &definitions[name]);
            assert!(schema["properties"].is_object(), "{} has fields: {schema}", entry.name);
            assert!(schema["properties"].get("name").is_none(), "{}", entry.name);
        }
    }

    const fn own(tables: &'static [TableInfo]) -> Primitive {
        Primitive { commands: &[], timers: &[], tables, audit: None, instruments: &[] }
    }

    const fn table(number: u16, name: &'static str) -> TableInfo {
        TableInfo { id: TableId(number), name, key: &[KeyPart::Text] }
    }

    #[test]
    fn a_program_may_bring_tables_of_its_own() {
        const TABLES: &[TableInfo] = &[table(0x7f00, "own.first"), table(0xffff, "own.last")];
        let registry = Registry::all().with(&own(TABLES));
        assert_eq!(registry.table(TableId(0xffff)), Some(&TABLES[1]));
        assert!(Registry::all().tables().iter().all(|table| !table.id.is_own()));
    }

    #[test]
    #[should_panic(expected = "own.points: 0x7eff is below 0x7f00")]
    fn a_table_of_a_programs_own_has_a_number_of_its_own() {
        const TABLES: &[TableInfo] = &[table(0x7eff, "own.points")];
        drop(Registry::all().with(&own(TABLES)));
    }

    #[test]
    #[should_panic(expected = "own.b has a number in use")]
    fn two_tables_of_a_program_have_two_numbers() {
        const TABLES: &[TableInfo] = &[table(0x7f00, "own.a"), table(0x7f00, "own.b")];
        drop(Registry::all().with(&own(TABLES)));
    }

    #[test]
    #[should_panic(expected = "two tables have the name ledger.accounts")]
    fn a_table_of_a_programs_own_has_a_name_of_its_own() {
        const TABLES: &[TableInfo] = &[table(0x7f00, "ledger.accounts")];
        drop(Registry::all().with(&own(TABLES)));
    }

    #[test]
    fn parameters_of_any_name_have_one_shape() {
        assert_eq!(shape_of("/v1/a/{id}/b"), shape_of("/v1/a/{name}/b"));
        assert_ne!(shape_of("/v1/a/{id}"), shape_of("/v1/a/b"));
    }
}
