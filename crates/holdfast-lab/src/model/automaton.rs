//! Which entries count, in a few lines that can be bent.
//!
//! Entries are interned: a state holds numbers, and what they stand for is here. What a
//! sequence of entries amounts to is worked out once.

use std::{collections::HashMap, fmt};

use super::{
    production,
    rules::{ENTRIES_MAX, EPOCHS_MAX, Rules},
};

/// An entry of the log, by its number; see [`Automaton::what`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub u8);

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// Somebody wants to lead.
    Claim {
        /// Its epoch.
        epoch: u8,
        /// What tells it from another's.
        nonce: u8,
    },
    /// A transaction.
    Batch {
        /// Who made it: two that claim alike still do different things.
        writer: u8,
        /// Its writer's epoch.
        epoch: u8,
        /// Its writer's nonce.
        nonce: u8,
        /// Its number in the epoch, from 1 on.
        sequence: u8,
        /// What it was evaluated upon.
        upon: Past,
    },
}

/// A transaction: who evaluated it, in which epoch, as which of that epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The node; at most 1.
    pub writer: u8,
    /// The epoch; at most [`EPOCHS_MAX`].
    pub epoch: u8,
    /// Its number, from 1 on; at most [`ENTRIES_MAX`].
    pub sequence: u8,
}

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { writer, epoch, sequence } = self;
        write!(f, "{epoch}.{sequence} of {writer}")
    }
}

impl Transaction {
    /// Less than 64, and not zero.
    const fn number(self) -> u8 {
        self.writer * 32 + self.epoch * 8 + self.sequence
    }

    const fn numbered(number: u8) -> Self {
        Self { writer: number / 32, epoch: number / 8 % 4, sequence: number % 8 }
    }
}

const _: () = assert!(EPOCHS_MAX < 4 && ENTRIES_MAX < 8, "a transaction's number has six bits");

/// The transactions that counted, in order: a byte each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Past(u64);

impl Past {
    /// These, and another.
    #[must_use]
    pub fn and(self, transaction: Transaction) -> Self {
        assert!(self.0 >> 56 == 0, "a log has no more positions than a past has places");
        Self(self.0 << 8 | u64::from(transaction.number()))
    }

    /// All but the last.
    #[must_use]
    pub const fn without_last(self) -> Self {
        Self(self.0 >> 8)
    }

    /// The transactions, in order.
    pub fn transactions(self) -> impl Iterator<Item = Transaction> {
        let bytes = self.0.to_be_bytes().into_iter();
        bytes.filter(|byte| *byte != 0).map(Transaction::numbered)
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn has(self, transaction: Transaction) -> bool {
        self.transactions().any(|other| other == transaction)
    }

    /// As bytes, for a state's encoding.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// What a log amounts to, up to its first hole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The transactions that count.
    pub past: Past,
    /// The epoch of the last claim that counts.
    pub epoch: u8,
    /// Of each position, whether its entry counts.
    pub counts: Vec<bool>,
    /// What is wrong with it.
    pub wrong: Option<String>,
}

/// The automaton, and the entries that it knows.
#[derive(Debug)]
pub struct Automaton {
    rules: Rules,
    entries: Vec<Entry>,
    ids: HashMap<Entry, EntryId>,
    judged: HashMap<Vec<EntryId>, Judged>,
}

impl Automaton {
    /// An automaton that keeps to these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self { rules, entries: Vec::new(), ids: HashMap::new(), judged: HashMap::new() }
    }

    /// The number of an entry.
    ///
    /// # Panics
    /// When there are more than 256: the bounds do not allow as many.
    pub fn id(&mut self, entry: Entry) -> EntryId {
        if let Some(id) = self.ids.get(&entry) {
            return *id;
        }
        let id = EntryId(u8::try_from(self.entries.len()).expect("small bounds, few entries"));
        self.entries.push(entry);
        self.ids.insert(entry, id);
        id
    }

    /// The entry with this number.
    #[must_use]
    pub fn what(&self, id: EntryId) -> Entry {
        self.entries[usize::from(id.0)]
    }

    /// Is it a claim, and of which epoch?
    #[must_use]
    pub fn claims(&self, id: EntryId) -> Option<u8> {
        match self.what(id) {
            Entry::Claim { epoch, .. } => Some(epoch),
            Entry::Batch { .. } => None,
        }
    }

    /// What these positions amount to, up to the first hole.
    pub fn judge(&mut self, log: &[Option<EntryId>]) -> &Judged {
        let filled: Vec<EntryId> = log.iter().map_while(|entry| *entry).collect();
        self.judge_filled(&filled)
    }

    /// What these entries amount to.
    pub fn judge_filled(&mut self, filled: &[EntryId]) -> &Judged {
        if !self.judged.contains_key(filled) {
            let entries: Vec<Entry> = filled.iter().map(|id| self.what(*id)).collect();
            let mut judged = read(&entries, self.rules.sequence);
            if self.rules.decides_alike() && judged.wrong.is_none() {
                judged.wrong = production::differs(&entries, &judged.counts);
            }
            self.judged.insert(filled.to_vec(), judged);
        }
        &self.judged[filled]
    }

    /// A log and what was acknowledged of it, for traces.
    #[must_use]
    pub fn show(&self, log: &[Option<EntryId>], acknowledged: Acknowledged) -> String {
        let slot = |slot: &Option<EntryId>| slot.map_or("-".to_owned(), |id| self.what(id).shown());
        let log: Vec<String> = log.iter().map(slot).collect();
        let mut line = format!("[{}]", log.join(", "));
        if acknowledged != Acknowledged::default() {
            line += " acknowledged";
            for transaction in acknowledged.all() {
                line += &format!(" {transaction}");
            }
        }
        line
    }

    /// How many logs were judged.
    #[must_use]
    pub fn logs(&self) -> usize {
        self.judged.len()
    }
}

impl Judged {
    fn accept(&mut self, transaction: Transaction, upon: Past) {
        if upon != self.past && self.wrong.is_none() {
            let (upon, after) = (shown(upon), shown(self.past));
            let wrong =
                format!("{transaction} was evaluated upon {upon}, and counts after {after}");
            self.wrong = Some(wrong);
        }
        self.past = self.past.and(transaction);
    }
}

fn read(entries: &[Entry], in_sequence: bool) -> Judged {
    let mut judged = Judged::default();
    let mut leader = None;
    let mut last = 0;
    for entry in entries {
        let counts = match *entry {
            Entry::Claim { epoch, nonce } => {
                let counts = epoch == judged.epoch + 1;
                if counts {
                    (judged.epoch, leader, last) = (epoch, Some(nonce), 0);
                }
                counts
            }
            Entry::Batch { writer, epoch, nonce, sequence, upon } => {
                let is_next = sequence == last + 1 || !in_sequence;
                let counts = epoch == judged.epoch && Some(nonce) == leader && is_next;
                if counts {
                    let transaction = Transaction { writer, epoch, sequence };
                    last = sequence;
                    judged.accept(transaction, upon);
                }
                counts
            }
        };
        judged.counts.push(counts);
    }
    judged
}

/// A past as traces show it.
fn shown(past: Past) -> String {
    let transactions: Vec<String> = past.transactions().map(|found| found.to_string()).collect();
    if transactions.is_empty() { "nothing".to_owned() } else { transactions.join(", ") }
}

impl Entry {
    /// As traces show it.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Claim { epoch, nonce } => format!("claim {epoch} of {nonce}"),
            Self::Batch { writer, epoch, sequence, .. } => {
                Transaction { writer, epoch, sequence }.to_string()
            }
        }
    }
}

/// Transactions that were acknowledged, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged(u64);

impl Acknowledged {
    /// These, and another.
    #[must_use]
    pub const fn and(self, transaction: Transaction) -> Self {
        Self(self.0 | 1 << transaction.number())
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn has(self, transaction: Transaction) -> bool {
        self.0 >> transaction.number() & 1 == 1
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = Transaction> {
        (1..64).filter(move |bit| self.0 >> bit & 1 == 1).map(Transaction::numbered)
    }

    /// As bytes, for a state's encoding.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// What is wrong with a log and what was acknowledged of it.
pub(super) fn violation(judged: &Judged, acknowledged: Acknowledged) -> Option<String> {
    if let Some(wrong) = &judged.wrong {
        return Some(wrong.clone());
    }
    let lost = acknowledged.all().find(|transaction| !judged.past.has(*transaction))?;
    let counts = shown(judged.past);
    Some(format!("{lost} was acknowledged, and what counts is {counts}"))
}
