//! A toy ledger: what the engine is asked to do in these tests, and a naive model of it.
//!
//! Accounts are rows; every operation counts up a row of its own name, so an effect that happens
//! twice is seen, and writes an event row under its version. A hold moves money to account 0 and
//! arms a timer that gives it back.

use std::collections::BTreeMap;

use holdfast_engine::{TimerHandler, request::Work};
use holdfast_state::Namespace;
use holdfast_state::{
    Abort, LogTime, Read, Scan, Source, Stop, Table, TableId, Tx, row::Row as _, table::stored_key,
};

/// Balances.
pub(crate) struct Accounts;

impl Table for Accounts {
    const ID: TableId = TableId(0x7f10);
    const NAME: &'static str = "toy.accounts";
    type Key<'k> = u64;
    type Row = i64;
}

/// How often each operation took effect, by its name.
pub(crate) struct Effects;

impl Table for Effects {
    const ID: TableId = TableId(0x7f11);
    const NAME: &'static str = "toy.effects";
    type Key<'k> = &'k str;
    type Row = u64;
}

/// What happened, by version.
pub(crate) struct Events;

impl Table for Events {
    const ID: TableId = TableId(0x7f12);
    const NAME: &'static str = "toy.events";
    type Key<'k> = u64;
    type Row = String;
}

/// What one may ask of the toy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Open {
        account: u64,
        balance: i64,
    },
    Transfer {
        from: u64,
        to: u64,
        amount: i64,
    },
    /// Sets an amount aside for a while.
    Hold {
        from: u64,
        amount: i64,
        for_us: u64,
    },
    /// Writes nothing.
    Total,
}

pub(crate) type Ran = Result<Vec<u8>, Stop<Vec<u8>>>;

impl Op {
    /// The transaction, under the name that its effect is counted by.
    pub(crate) fn work(&self, name: &str) -> Work {
        let (op, name) = (self.clone(), name.to_owned());
        Box::new(move |tx| op.run(tx, &name))
    }

    fn run(&self, tx: &mut Tx<'_>, name: &str) -> Ran {
        let body = match self {
            Self::Open { account, balance } => {
                if tx.get::<Accounts>(*account)?.is_some() {
                    return Err(Stop::Refused(b"exists".to_vec()));
                }
                tx.put::<Accounts>(*account, balance)?;
                format!("opened {account}")
            }
            Self::Transfer { from, to, amount } => shift(tx, *from, *to, *amount)?,
            Self::Hold { from, amount, for_us } => {
                let body = shift(tx, *from, 0, *amount)?;
                let due = tx.now().plus_us(*for_us);
                tx.arm_timer(due, "toy.give_back", &(*from, *amount))?;
                body
            }
            Self::Total => return Ok(total(tx)?.to_string().into_bytes()),
        };
        let count = tx.get::<Effects>(name)?.unwrap_or(0);
        tx.put::<Effects>(name, &(count + 1))?;
        let version = tx.version().get();
        tx.put::<Events>(version, &name.to_owned())?;
        Ok(body.into_bytes())
    }
}

fn shift(tx: &mut Tx<'_>, from: u64, to: u64, amount: i64) -> Result<String, Stop<Vec<u8>>> {
    let left = tx.get::<Accounts>(from)?.unwrap_or(0) - amount;
    // Written before it is known to be allowed, so that a refusal has something to take back.
    tx.put::<Accounts>(from, &left)?;
    if left < 0 {
        return Err(Stop::Refused(format!("{from} lacks {}", -left).into_bytes()));
    }
    let there = tx.get::<Accounts>(to)?.unwrap_or(0) + amount;
    tx.put::<Accounts>(to, &there)?;
    Ok(format!("{from}={left} {to}={there}"))
}

fn total(read: &impl Read) -> Result<i64, Abort> {
    Ok(read.scan::<Accounts>(&(), Scan::up(10_000))?.iter().map(|found| found.row).sum())
}

/// The handlers of the toy's timers.
pub(crate) fn handlers() -> Vec<(&'static str, TimerHandler)> {
    vec![("toy.give_back", give_back.into())]
}

fn give_back(tx: &mut Tx<'_>, payload: &[u8]) -> Result<(), Abort> {
    let (from, amount) = <(u64, i64)>::parse(payload).expect("the toy wrote it");
    for (account, change) in [(0, -amount), (from, amount)] {
        let balance = tx.get::<Accounts>(account)?.unwrap_or(0) + change;
        tx.put::<Accounts>(account, &balance)?;
    }
    Ok(())
}

/// What a naive reader of the state finds.
pub(crate) fn balances(state: &(impl Source + ?Sized)) -> BTreeMap<u64, i64> {
    let (from, to) = (accounts_key(0), accounts_key(u64::MAX));
    let rows = state.scan(&from, &to, Scan::up(usize::MAX)).unwrap();
    let number = |key: &[u8]| u64::from_be_bytes(key[6..14].try_into().unwrap());
    rows.iter().map(|(key, row)| (number(key), i64::parse(row).unwrap())).collect()
}

/// How often an operation took effect.
pub(crate) fn effects(state: &(impl Source + ?Sized), name: &str) -> u64 {
    let key = stored_key(Namespace::DEFAULT, Effects::ID, &name);
    state.get(&key).unwrap().map_or(0, |row| u64::parse(&row).unwrap())
}

fn accounts_key(account: u64) -> Vec<u8> {
    stored_key(Namespace::DEFAULT, Accounts::ID, &account)
}

/// The same ledger without any machinery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) balances: BTreeMap<u64, i64>,
    /// Amounts set aside: when they are due, for whom.
    pub(crate) holds: Vec<(LogTime, u64, i64)>,
}

impl Model {
    /// What the operation answers: the body, and whether it was done.
    pub(crate) fn ask(&mut self, op: &Op, now: LogTime) -> (bool, String) {
        match op {
            Op::Open { account, balance } => {
                if self.balances.contains_key(account) {
                    return (false, "exists".to_owned());
                }
                self.balances.insert(*account, *balance);
                (true, format!("opened {account}"))
            }
            Op::Transfer { from, to, amount } => self.shift(*from, *to, *amount),
            Op::Hold { from, amount, for_us } => {
                let answer = self.shift(*from, 0, *amount);
                if answer.0 {
                    self.holds.push((now.plus_us(*for_us), *from, *amount));
                }
                answer
            }
            Op::Total => (true, self.balances.values().sum::<i64>().to_string()),
        }
    }

    fn shift(&mut self, from: u64, to: u64, amount: i64) -> (bool, String) {
        let left = self.balances.get(&from).copied().unwrap_or(0) - amount;
        if left < 0 {
            return (false, format!("{from} lacks {}", -left));
        }
        self.balances.insert(from, left);
        let there = self.balances.entry(to).or_default();
        *there += amount;
        (true, format!("{from}={left} {to}={there}"))
    }
}
