//! A topic as lists that only grow, each with a number that says how much of it was removed.
//!
//! Everything that an append must answer is known: the partition is reckoned from the key as
//! callers are told to, the offset is the next, without gaps. Only fresh ids are taken from
//! what was said; nobody may have had them.

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::{
        Said,
        expected::{Expected, Moment, text, time},
    },
    group::Group,
    partition::{Message, Partition, index},
    queue::Queue,
    retention::Kept,
};

/// A page ends with the message that brings it to so many bytes.
const PAGE_BYTES: u64 = 1 << 20;

/// A topic, its group and its queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Topic {
    pub(super) partitions: Vec<Partition>,
    /// What is kept, and what was since the state was last compared.
    kept: Vec<Kept>,
    /// The transaction that created it, or changed it last, and when.
    version: u64,
    changed_at: LogTime,
    pub(super) appends: u64,
    pub(super) group: Option<Group>,
    pub(super) queue: Option<Queue>,
}

impl Topic {
    /// A topic as it is created.
    pub(super) fn created(at: Moment, args: &Value) -> Self {
        let count = args["partitions"].as_u64().unwrap_or(1);
        let partitions = (0..count).map(|_| Partition::default()).collect();
        Self {
            partitions,
            kept: vec![Kept::asked(args)],
            version: at.version,
            changed_at: at.time,
            ..Self::default()
        }
    }

    fn kept(&self) -> Kept {
        self.kept.last().copied().unwrap_or_default()
    }

    /// Was it created in these words?
    pub(super) fn is_as_asked(&self, args: &Value) -> bool {
        self.kept() == Kept::asked(args)
    }

    pub(super) fn update(&mut self, at: Moment, args: &Value) -> Expected {
        if !self.is_as_asked(args) {
            self.kept.push(Kept::asked(args));
            (self.version, self.changed_at) = (at.version, at.time);
        }
        Expected::Done(json!({ "outcome": "updated", "version": self.version }))
    }

    /// Where a message goes: by FNV-1a of its key, or in turn by transactions.
    pub(super) fn partition_of(&self, message: &Message, version: u64) -> usize {
        let hash = |key: &String| {
            key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        };
        let number = message.key.as_ref().map_or(version, hash);
        usize::try_from(number % self.partitions.len() as u64).expect("a few partitions")
    }

    /// The message there is that has this id of a caller's.
    pub(super) fn place_of(&self, id: Option<&String>) -> Option<(usize, u64)> {
        let id = id?;
        let there = |(number, partition): (usize, &Partition)| {
            let mut offsets = partition.removed + 1..=partition.last();
            let is = |message: &Message| message.own_id() == Some(id);
            offsets.find(|offset| partition.ever(*offset).is_some_and(is)).map(|at| (number, at))
        };
        self.partitions.iter().enumerate().find_map(there)
    }

    /// Has any message ever had this id?
    fn knows(&self, id: &str) -> bool {
        let all = self.partitions.iter().flat_map(|partition| &partition.messages);
        all.into_iter().any(|message| message.id.as_deref() == Some(id))
    }

    pub(super) fn at(&self, (partition, offset): (usize, u64)) -> &Message {
        self.partitions[partition].ever(offset).expect("it was found there")
    }

    /// Another message has the id: what is said of it.
    pub(super) fn exists(&self, place: (usize, u64), asked: &Message) -> Option<Value> {
        let field = self.at(place).differs(asked)?;
        let (partition, offset) = place;
        let id = asked.own_id();
        Some(json!({ "id": id, "partition": partition, "offset": offset, "field": field }))
    }

    /// One message. Was it there?
    pub(super) fn append(&mut self, at: Moment, args: &Value, said: Option<&Said>) -> Expected {
        let mut message = Message::asked(args, at, self.appends);
        if let Some(place) = self.place_of(message.own_id()) {
            if let Some(facts) = self.exists(place, &message) {
                return Expected::Refused("message_exists", facts);
            }
            let there = self.at(place);
            return Expected::Done(json!({
                "outcome": "appended", "existed": true, "id": there.id, "partition": place.0,
                "offset": place.1, "version": there.at.version, "time": time(there.at.time),
            }));
        }
        let told = said.and_then(|said| text(&said.body, "id"));
        if !message.own && told.as_ref().is_some_and(|told| self.knows(told)) {
            return Expected::Done(json!({ "id": "one that no message has" }));
        }
        message.id = message.id.or(told);
        let (partition, id) = (self.partition_of(&message, at.version), message.id.clone());
        self.partitions[partition].push(message);
        self.appends += 1;
        Expected::Done(json!({
            "outcome": "appended", "existed": null, "id": id, "partition": partition,
            "offset": self.partitions[partition].last(),
            "version": at.version, "time": time(at.time),
        }))
    }

    /// A page.
    pub(super) fn read(&self, args: &Value) -> Expected {
        let number = usize::try_from(args["partition"].as_u64().unwrap_or(0)).expect("a few");
        let partition = &self.partitions[number];
        let (after, last) = (args["after"].as_u64().unwrap_or(0), partition.last());
        let (removed, first) = (partition.removed, partition.removed + 1);
        if after > 0 && after < removed {
            let facts = json!({ "after": after, "first_offset": first, "last_offset": last });
            return Expected::Refused("offset_out_of_range", facts);
        }
        let (after, mut bytes, mut shown) = (after.max(removed), 0, Vec::new());
        let limit = args["limit"].as_u64().map_or(Ok(100), usize::try_from).expect("a page");
        for (offset, message) in (after + 1..).zip(partition.stretch(after, last)).take(limit) {
            shown.push(message.shown(offset));
            let key = message.key.as_ref().map_or(0, String::len);
            bytes += (message.data.to_string().len() + key) as u64;
            if bytes >= PAGE_BYTES {
                break;
            }
        }
        let next = after + shown.len() as u64;
        Expected::Done(json!({
            "messages": shown, "next": next, "first_offset": first, "last_offset": last,
        }))
    }

    /// What `topics.get` shows.
    pub(super) fn shown(&self) -> Expected {
        let ends =
            self.partitions.iter().map(|partition| (partition.removed + 1, partition.last()));
        let (first, last): (Vec<u64>, Vec<u64>) = ends.unzip();
        let bytes =
            self.partitions.iter().map(|partition| partition.bytes_behind(partition.removed));
        Expected::Done(json!({
            "partitions": self.partitions.len(), "version": self.version,
            "first_offsets": first, "last_offsets": last, "bytes": bytes.sum::<u64>(),
        }))
    }

    /// Partitions begin where `topics.get` says, if they may. Says how many messages went.
    ///
    /// # Errors
    /// The partition that may not, and why.
    pub(super) fn without_removed(&mut self, at: Moment, said: &Said) -> Result<u64, String> {
        let (kept, mut went) = (std::mem::take(&mut self.kept), 0);
        for (number, partition) in self.partitions.iter_mut().enumerate() {
            let first = said.body["first_offsets"][number].as_u64().unwrap_or(0);
            if first == partition.removed + 1 {
                continue;
            }
            let may = partition.removed < first && first <= partition.last() + 1;
            if !may {
                return Err(format!("partition {number} begins behind {}", partition.removed));
            }
            if first <= partition.last() && !partition.begins(first) {
                return Err(format!("partition {number} begins with the first of an append"));
            }
            if !kept.iter().any(|kept| kept.lets_go(partition, first, at.time)) {
                let removed = partition.removed;
                return Err(format!(
                    "partition {number} begins behind {removed}, as yet: {kept:?}"
                ));
            }
            went += first - 1 - partition.removed;
            partition.removed = first - 1;
        }
        self.kept.extend(kept.last());
        Ok(went)
    }

    /// What should have been removed by the end. At the very time at which it is changed, the
    /// timer that removes is not due.
    pub(super) fn overdue(&self, at: Moment) -> Option<&'static str> {
        let mut partitions = self.partitions.iter().filter(|_| self.changed_at < at.time);
        partitions.find_map(|partition| self.kept().overdue(partition, at.time))
    }

    /// From where on to compare a partition with the state: a little of what was seen before.
    pub(super) fn unseen(&mut self, number: usize, whole: bool) -> u64 {
        let partition = &mut self.partitions[number];
        let last = partition.last();
        let seen = std::mem::replace(&mut partition.seen, last);
        let after = if whole {
            0
        } else if seen == last {
            last
        } else {
            seen.saturating_sub(3)
        };
        after.max(partition.removed)
    }

    /// Learns the ids that the topic gave from a page that somebody was shown.
    ///
    /// # Errors
    /// An id that another message has.
    pub(super) fn learn_ids(&mut self, number: usize, said: &Said) -> Result<(), String> {
        for shown in said.body["messages"].as_array().into_iter().flatten() {
            let offset = shown["offset"].as_u64().and_then(index);
            let (Some(at), Some(id)) = (offset, text(shown, "id")) else { continue };
            let known = self.knows(&id);
            let Some(message) = self.partitions[number].messages.get_mut(at) else { continue };
            if message.id.is_some() {
                continue;
            }
            if known {
                return Err(format!("an id that no message has, and not {id}"));
            }
            message.id = Some(id);
        }
        Ok(())
    }
}
