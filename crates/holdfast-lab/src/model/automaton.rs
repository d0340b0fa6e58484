//! Which entries count, in a few lines that can be bent.
//!
//! Entries are interned: a state holds numbers, and what they stand for is here. What a
//! sequence of entries amounts to is worked out once.

use std::collections::HashMap;

use super::{production, rules::Rules};

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

/// The transactions that counted, in order: pairs of epoch and sequence number, a byte each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Past(u64);

impl Past {
    /// These, and another.
    #[must_use]
    pub fn and(self, epoch: u8, sequence: u8) -> Self {
        assert!(self.0 >> 56 == 0, "a log has no more positions than a past has places");
        Self(self.0 << 8 | u64::from(epoch << 4 | sequence))
    }

    /// All but the last.
    #[must_use]
    pub const fn without_last(self) -> Self {
        Self(self.0 >> 8)
    }

    /// Epochs and sequence numbers, in order.
    pub fn pairs(self) -> impl Iterator<Item = (u8, u8)> {
        let bytes = self.0.to_be_bytes().into_iter();
        bytes.filter(|byte| *byte != 0).map(|byte| (byte >> 4, byte & 0xF))
    }

    /// Whether this one is among them.
    #[must_use]
    pub fn has(self, epoch: u8, sequence: u8) -> bool {
        self.pairs().any(|pair| pair == (epoch, sequence))
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
            for (epoch, sequence) in acknowledged.all() {
                line += &format!(" {epoch}.{sequence}");
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
            Entry::Batch { epoch, nonce, sequence, upon } => {
                let is_next = sequence == last + 1 || !in_sequence;
                let counts = epoch == judged.epoch && Some(nonce) == leader && is_next;
                if counts {
                    if upon != judged.past && judged.wrong.is_none() {
                        let (is, after) = (shown(upon), shown(judged.past));
                        judged.wrong = Some(format!(
                            "entry {epoch}.{sequence} was evaluated upon {is}, and counts after {after}"
                        ));
                    }
                    last = sequence;
                    judged.past = judged.past.and(epoch, sequence);
                }
                counts
            }
        };
        judged.counts.push(counts);
    }
    judged
}

/// A past as traces show it: `1.1 1.2`.
#[must_use]
pub fn shown(past: Past) -> String {
    let pairs: Vec<String> =
        past.pairs().map(|(epoch, sequence)| format!("{epoch}.{sequence}")).collect();
    if pairs.is_empty() { "nothing".to_owned() } else { pairs.join(" ") }
}

impl Entry {
    /// As traces show it: `claim 1` of node 0, `1.2` for the second entry of epoch 1.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Claim { epoch, nonce } => format!("claim {epoch} by {nonce}"),
            Self::Batch { epoch, sequence, .. } => format!("{epoch}.{sequence}"),
        }
    }
}

/// Set of acknowledged entries: a bit for each epoch and sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acknowledged(u64);

impl Acknowledged {
    /// These, and another.
    #[must_use]
    pub const fn and(self, epoch: u8, sequence: u8) -> Self {
        Self(self.0 | 1 << (epoch * 8 + sequence))
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn has(self, epoch: u8, sequence: u8) -> bool {
        self.0 >> (epoch * 8 + sequence) & 1 == 1
    }

    /// The first that is not part of this past.
    #[must_use]
    pub fn lost(self, past: Past) -> Option<(u8, u8)> {
        self.all().find(|(epoch, sequence)| !past.has(*epoch, *sequence))
    }

    /// All of them, in order.
    pub fn all(self) -> impl Iterator<Item = (u8, u8)> {
        (0..64_u8).filter(move |bit| self.0 >> bit & 1 == 1).map(|bit| (bit / 8, bit % 8))
    }

    /// As bytes, for a state's encoding.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// What is wrong with a log and what was acknowledged of it.
pub fn violation(judged: &Judged, acknowledged: Acknowledged) -> Option<String> {
    if let Some(wrong) = &judged.wrong {
        return Some(wrong.clone());
    }
    let (epoch, sequence) = acknowledged.lost(judged.past)?;
    let counts = shown(judged.past);
    Some(format!("entry {epoch}.{sequence} was acknowledged; what counts is {counts}"))
}
