//! Everything that can be called, and the names of what is stored: the
//! registries of all primitives as one.
//!
//! Edges, the command line and the change feed iterate this; it is the only
//! place that lists primitives, and each primitive lists its own commands.

use holdfast_engine::TimerHandler as Handler;
use holdfast_flow::topics;
use holdfast_ledger::row as ledger;
use holdfast_reservations::row as reservations;
use holdfast_state::{
    Table, TableId, Tx,
    audit::AuditEntry,
    command::{Entry, Method},
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
}

/// The primitives of this build.
pub const PRIMITIVES: &[Primitive] = &[LEDGER, RESERVATIONS, TOPICS, TRANSACTIONS];

/// Commands that are made of the others.
const TRANSACTIONS: Primitive = Primitive {
    commands: transactions::COMMANDS,
    timers: &[(timers::FORGET, timers::forget)],
    tables: &[TableInfo::of::<timers::Scheduled>(&[KeyPart::Text])],
    audit: None,
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
};

const TOPICS: Primitive = Primitive {
    commands: topics::COMMANDS,
    timers: topics::TIMERS,
    tables: &[
        TableInfo::of::<topics::row::Topics>(&[KeyPart::Text]),
        TableInfo::of::<topics::row::Tails>(&[KeyPart::Text]),
        TableInfo::of::<topics::row::StoredMessages>(&[KeyPart::Text, KeyPart::U64]),
        TableInfo::of::<topics::row::MessageIds>(&[KeyPart::Text, KeyPart::Text]),
    ],
    audit: None,
};

/// What a node can do.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    commands: Vec<&'static Entry>,
    timers: Vec<(&'static str, Handler)>,
    tables: Vec<TableInfo>,
    audits: Vec<AuditEntry>,
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
    /// When two commands have one name or one place, or two tables one number:
    /// that is a bug of ours, and a test looks for it.
    #[must_use]
    pub fn of(primitives: &[Primitive]) -> Self {
        let mut registry = Self::default();
        for primitive in primitives {
            for command in primitive.commands {
                registry.add(command);
            }
            for table in primitive.tables {
                assert!(registry.table(table.id).is_none(), "{} has a number in use", table.name);
                registry.tables.push(*table);
            }
            let timers = primitive.timers.iter();
            registry.timers.extend(timers.map(|(name, handler)| (*name, (*handler).into())));
            registry.audits.extend(primitive.audit);
        }
        let commands = registry.commands.clone();
        let fire = move |tx: &mut Tx<'_>, payload: &[u8]| timers::fire(tx, payload, &commands);
        registry.timers.push((timers::HANDLER, fire.into()));
        registry
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
            let own = [holdfast_ledger::TABLES, holdfast_reservations::TABLES, topics::TABLES];
            own.into_iter().flatten().chain(timers::TABLES)
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

    #[test]
    fn parameters_of_any_name_have_one_shape() {
        assert_eq!(shape_of("/v1/a/{id}/b"), shape_of("/v1/a/{name}/b"));
        assert_ne!(shape_of("/v1/a/{id}"), shape_of("/v1/a/b"));
    }
}
