//! What clients ask: a small ledger with holds that lapse, counters, and topics.
//!
//! Closures over the production [`Tx`], each of which names itself in the state, so that
//! a reader of the log can tell which operation every transaction is. Some write before
//! they refuse or panic: what they wrote must leave no trace. Beside them are the commands
//! of the primitives ([`super::primitives`]), which run as a server runs them.

use std::{fmt, sync::Arc};

use holdfast_engine::{TimerHandler, request::Work};
use holdfast_state::{Abort, Read, Scan, Stop, Table, TableId, Tx, row::Row as _};

use super::primitives::{Command, REGISTRY, rendered};
use crate::random::Random;

/// Declares tables: what each is for, its number and name, keys and rows.
macro_rules! tables {
    ($($(#[$about:meta])* $table:ident = $id:literal, $name:literal: $key:ty => $row:ty;)*) => {$(
        $(#[$about])*
        #[derive(Debug)]
        pub(super) struct $table;

        impl Table for $table {
            const ID: TableId = TableId($id);
            const NAME: &'static str = $name;
            type Key<'k> = $key;
            type Row = $row;
        }
    )*};
}

tables! {
    /// Balances.
    Accounts = 0x7f20, "sim.accounts": u64 => i64;
    /// Numbers that only rise.
    Counters = 0x7f21, "sim.counters": u64 => u64;
    /// Messages by topic and place.
    Messages = 0x7f22, "sim.messages": (u64, u64) => u64;
    /// Which operation each transaction is, by version.
    Told = 0x7f23, "sim.told": u64 => u64;
    /// Holds that lapsed, by the version that armed them: the version that fired.
    Lapsed = 0x7f24, "sim.lapsed": u64 => u64;
    /// What commands without a key were answered, by version.
    Answers = 0x7f25, "sim.answers": u64 => String;
}

/// Where held amounts are.
pub(super) const HELD: u64 = u64::MAX;

/// The topic that everybody writes to.
const TOPIC: u64 = 1;

/// What an account begins with.
pub(super) const OPENING: i64 = 100;

/// The handler of holds that lapse.
pub(super) const LAPSE: &str = "sim.lapse";

/// One thing to ask.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// An account with [`OPENING`]; refused if it is there.
    Open { account: u64 },
    /// Refused, after it wrote, if there is not enough.
    Transfer { from: u64, to: u64, amount: i64 },
    /// Sets an amount aside, for so long by log time.
    Hold { from: u64, amount: i64, for_us: u64 },
    /// Counts one further.
    Bump { counter: u64 },
    /// A message after the last one.
    Say,
    /// Removes all messages, as one fact.
    Hush,
    /// Tells what all balances and all counters add up to; writes nothing.
    Sum,
    /// Tells the same from a view of the applied state, without a transaction.
    Look { query: Query },
    /// Writes and panics.
    Panic { account: u64 },
    /// A command of a primitive that may write.
    Call(Arc<Command>),
    /// A command of a primitive that only reads.
    Ask { command: Arc<Command>, query: Query },
}

/// What a look is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// All that anybody was told before (P10, P11).
    Linearizable,
    /// All that had been told when it began; on any node.
    Session,
    /// All that had been told so long before it came, in microseconds; on any node (P14).
    Stale { max_age_us: u64 },
}

impl Query {
    /// Draws one.
    pub(super) fn draw(random: &mut Random) -> Self {
        match random.below(4) {
            0 | 1 => Self::Linearizable,
            2 => Self::Session,
            _ => Self::Stale { max_age_us: random.pick(&[1_000, 50_000, 1_000_000]) },
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { account } => write!(f, "open {account}"),
            Self::Transfer { from, to, amount } => write!(f, "transfer {amount} {from}->{to}"),
            Self::Hold { from, amount, for_us } => {
                write!(f, "hold {amount} of {from} for {} ms", for_us / 1000)
            }
            Self::Bump { counter } => write!(f, "bump {counter}"),
            Self::Say => f.write_str("say"),
            Self::Hush => f.write_str("hush"),
            Self::Sum => f.write_str("sum"),
            Self::Look { query } => write!(f, "look {query:?}"),
            Self::Panic { account } => write!(f, "panic upon {account}"),
            Self::Call(command) => command.fmt(f),
            Self::Ask { command, query } => write!(f, "{command} {query:?}"),
        }
    }
}

impl Op {
    /// Draws one.
    pub(super) fn draw(random: &mut Random, accounts: u64) -> Self {
        let account = random.below(accounts);
        match random.below(100) {
            0..12 => Self::Open { account },
            12..40 => Self::Transfer {
                from: account,
                to: random.below(accounts),
                amount: 1 + i64::try_from(random.below(60)).expect("below 60"),
            },
            40..54 => Self::Hold {
                from: account,
                amount: 1 + i64::try_from(random.below(30)).expect("below 30"),
                for_us: 1 + random.below(2_000_000),
            },
            54..68 => Self::Bump { counter: account },
            68..76 => Self::Say,
            76..79 => Self::Hush,
            79..85 => Self::Sum,
            85..97 => Self::Look { query: Query::draw(random) },
            _ => Self::Panic { account },
        }
    }

    /// Does it write when it is done?
    pub(super) const fn writes(&self) -> bool {
        !matches!(self, Self::Sum | Self::Panic { .. }) && self.query().is_none()
    }

    /// What it is to see, if it is no transaction.
    pub(super) const fn query(&self) -> Option<Query> {
        match self {
            Self::Look { query } | Self::Ask { query, .. } => Some(*query),
            _ => None,
        }
    }

    /// The command of a primitive that it is.
    pub(super) const fn command(&self) -> Option<&Arc<Command>> {
        match self {
            Self::Call(command) | Self::Ask { command, .. } => Some(command),
            _ => None,
        }
    }

    /// The transaction of the operation with this number.
    pub(super) fn work(&self, operation: u64, keyed: bool) -> Work {
        let op = self.clone();
        match op {
            Self::Call(command) => call(&command, operation, keyed),
            op => Box::new(move |tx| op.run(tx, operation)),
        }
    }

    fn run(&self, tx: &mut Tx<'_>, operation: u64) -> Result<Vec<u8>, Stop<Vec<u8>>> {
        if *self != Self::Sum {
            tx.put::<Told>(tx.version().get(), &operation)?;
        }
        let body = match *self {
            Self::Open { account } => {
                if tx.get::<Accounts>(account)?.is_some() {
                    return refused("exists");
                }
                tx.put::<Accounts>(account, &OPENING)?;
                "opened".to_owned()
            }
            Self::Transfer { from, to, amount } => shift(tx, from, to, amount)?,
            Self::Hold { from, amount, for_us } => {
                let body = shift(tx, from, HELD, amount)?;
                let due = tx.now().plus_us(for_us);
                tx.arm_timer(due, LAPSE, &(tx.version().get(), from, amount))?;
                body
            }
            Self::Bump { counter } => {
                let next = tx.get::<Counters>(counter)?.unwrap_or(0) + 1;
                tx.put::<Counters>(counter, &next)?;
                next.to_string()
            }
            Self::Say => say(tx, operation)?,
            Self::Hush => {
                tx.delete_prefix::<Messages>(&(TOPIC,))?;
                "hushed".to_owned()
            }
            Self::Sum => sum(tx)?,
            Self::Look { .. } | Self::Call(_) | Self::Ask { .. } => {
                unreachable!("commands run as they are, and looks have no transaction")
            }
            Self::Panic { account } => {
                tx.put::<Accounts>(account, &i64::MAX)?;
                // Not `panic!`: nobody needs a message on stderr.
                std::panic::resume_unwind(Box::new("planned"));
            }
        };
        Ok(body.into_bytes())
    }
}

/// A command as the server runs it. One with a key is named by its record; another names itself
/// and writes down what it answers, which only the log can tell when nobody hears of it.
fn call(command: &Command, operation: u64, keyed: bool) -> Work {
    let call = command.call();
    Box::new(move |tx| {
        let version = tx.version().get();
        if !keyed {
            tx.put::<Told>(version, &operation)?;
        }
        let body = call.run(tx).map_err(|stop| stop.map(|refused| rendered(&refused)))?;
        if !keyed {
            let text = String::from_utf8(body.clone()).expect("an outcome is JSON");
            tx.put::<Answers>(version, &text)?;
        }
        Ok(body)
    })
}

fn refused<T>(why: &str) -> Result<T, Stop<Vec<u8>>> {
    Err(Stop::Refused(why.as_bytes().to_vec()))
}

/// Written before it is known to be allowed, so that a refusal has something to take back.
fn shift(tx: &mut Tx<'_>, from: u64, to: u64, amount: i64) -> Result<String, Stop<Vec<u8>>> {
    let left = tx.get::<Accounts>(from)?.unwrap_or(0) - amount;
    tx.put::<Accounts>(from, &left)?;
    let there = tx.get::<Accounts>(to)?.unwrap_or(0) + amount;
    tx.put::<Accounts>(to, &there)?;
    if left < 0 {
        return refused(&format!("{from} lacks {}", -left));
    }
    Ok(format!("{from}={} {to}={there}", if from == to { there } else { left }))
}

fn say(tx: &mut Tx<'_>, operation: u64) -> Result<String, Stop<Vec<u8>>> {
    let last = tx.scan::<Messages>(&(TOPIC,), Scan::down(1))?;
    let place = match last.first() {
        Some(found) => {
            let mut key = found.key();
            let place = key.u64().and_then(|_| key.u64()).expect("a message's key is two numbers");
            place + 1
        }
        None => 0,
    };
    tx.put::<Messages>((TOPIC, place), &operation)?;
    Ok(place.to_string())
}

/// What all balances and all counters add up to.
pub(super) fn sum(read: &impl Read) -> Result<String, Abort> {
    let everything = Scan::up(10_000);
    let balances = read.scan::<Accounts>(&(), everything)?;
    let balances: i64 = balances.iter().map(|found| found.row).sum();
    let counts: u64 = read.scan::<Counters>(&(), everything)?.iter().map(|found| found.row).sum();
    Ok(format!("{balances}/{counts}"))
}

/// What due timers do: ours, and those of the primitives.
pub(super) fn handlers() -> Vec<(&'static str, TimerHandler)> {
    let own = (LAPSE, lapse.into());
    REGISTRY.timers().iter().cloned().chain([own]).collect()
}

fn lapse(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let (armed, from, amount) = <(u64, u64, i64)>::parse(payload).expect("a hold wrote it");
    tx.put::<Lapsed>(armed, &tx.version().get())?;
    for (account, change) in [(HELD, -amount), (from, amount)] {
        let balance = tx.get::<Accounts>(account)?.unwrap_or(0) + change;
        tx.put::<Accounts>(account, &balance)?;
    }
    Ok(())
}
