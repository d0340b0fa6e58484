//! A group of consumers in a map: who belongs to it, in which generation, and how far it is.

use std::collections::BTreeMap;

use holdfast_state::LogTime;
use serde_json::{Value, json};

use super::{
    super::{
        Said,
        expected::{Expected, Moment, id, time, us},
    },
    PARTITIONS,
    partition::Partition,
};

#[derive(Clone, Debug)]
struct Member {
    joined_at: LogTime,
    until: LogTime,
}

/// The group.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) generation: u64,
    /// Also those whose time is over and who were not taken away.
    members: BTreeMap<String, Member>,
    /// Of partitions in which it is anywhere.
    committed: BTreeMap<u64, u64>,
}

/// A partition by the number that somebody gave, if there is one.
fn of(partitions: &[Partition], number: u64) -> Option<&Partition> {
    usize::try_from(number).ok().and_then(|number| partitions.get(number))
}

impl Group {
    /// One that nobody has joined, above the generations that others had.
    pub(super) fn above(generation: u64) -> Self {
        Self { generation, ..Self::default() }
    }

    /// Where it goes on in a partition, and how much it lost there: what was removed before it
    /// came there. One that is nowhere begins with what there is.
    fn place(&self, partition: u64, removed: u64) -> (u64, u64) {
        match self.committed.get(&partition) {
            None => (removed, 0),
            Some(done) => (*done.max(&removed), removed.saturating_sub(*done)),
        }
    }

    /// Who reads a partition: members in the order of their names have ranges of them, which
    /// differ by one at most.
    fn reader(&self, partition: u64) -> Option<&String> {
        let count = self.members.len() as u64;
        let begin = |index: u64| index * PARTITIONS / count;
        let mut numbered = (0..).zip(self.members.keys());
        let reads = |index: u64| (begin(index)..begin(index + 1)).contains(&partition);
        numbered.find(|(index, _)| reads(*index)).map(|(_, member)| member)
    }

    fn is_here(&self, member: &str, now: LogTime) -> bool {
        self.members.get(member).is_some_and(|member| member.until > now)
    }

    fn drop(&mut self, member: &str) {
        if self.members.remove(member).is_some() {
            self.generation += 1;
        }
    }

    pub(super) fn join(
        &mut self,
        at: Moment,
        (member, args): (&str, &Value),
        partitions: &[Partition],
    ) -> Expected {
        let until = at.after(us(args, "ttl").expect("members are asked to stay so long"));
        let existed = self.is_here(member, at.time);
        if existed {
            self.members.get_mut(member).expect("it is here").until = until;
        } else {
            self.drop(member);
            self.members.insert(member.to_owned(), Member { joined_at: at.time, until });
            self.generation += 1;
        }
        let own = (0..PARTITIONS)
            .filter(|partition| self.reader(*partition).is_some_and(|reader| reader == member));
        let place = |partition: u64| {
            let removed = of(partitions, partition).map_or(0, |partition| partition.removed);
            let (offset, lost) = self.place(partition, removed);
            json!({ "partition": partition, "offset": offset, "lost": some(lost) })
        };
        Expected::Done(json!({
            "outcome": "joined",
            "existed": if existed { json!(true) } else { Value::Null },
            "generation": self.generation,
            "members": self.members.len(),
            "partitions": own.map(place).collect::<Vec<_>>(),
            "expires_at": time(until),
        }))
    }

    pub(super) fn leave(&mut self, member: &str) -> Expected {
        self.drop(member);
        let (generation, members) = (self.generation, self.members.len());
        Expected::Done(json!({ "outcome": "left", "generation": generation, "members": members }))
    }

    pub(super) fn commit(
        &mut self,
        at: Moment,
        args: &Value,
        partitions: &[Partition],
    ) -> Expected {
        let (member, generation) = (id(args, "member"), args["generation"].as_u64());
        if !self.is_here(&member, at.time) || generation != Some(self.generation) {
            let facts = json!({
                "member": member, "generation": generation, "current": self.generation,
            });
            return Expected::Refused("generation_stale", facts);
        }
        let asked = places(args);
        let foreign = |(partition, _): &(u64, u64)| self.reader(*partition) != Some(&member);
        if let Some(index) = asked.iter().position(foreign) {
            return Expected::Refused("partition_not_assigned", json!({ "index": index }));
        }
        let beyond = |(partition, offset): &(u64, u64)| {
            of(partitions, *partition).is_some_and(|partition| *offset > partition.last())
        };
        if let Some(index) = asked.iter().position(beyond) {
            return Expected::Refused("offset_beyond_end", json!({ "index": index }));
        }
        let done = asked.into_iter().map(|(partition, offset)| {
            let before = self.committed.get(&partition).copied().unwrap_or(0);
            if offset > before {
                self.committed.insert(partition, offset);
            }
            json!({ "partition": partition, "offset": offset.max(before) })
        });
        let offsets: Vec<_> = done.collect();
        Expected::Done(json!({ "outcome": "committed", "offsets": offsets }))
    }

    /// It goes on somewhere else, whoever reads there, in a generation of its own.
    pub(super) fn seek(&mut self, places: Vec<(u64, u64)>) -> Expected {
        self.committed.extend(places);
        self.generation += 1;
        Expected::Done(json!({ "outcome": "sought", "generation": self.generation }))
    }

    /// It is deleted, unless somebody is in it.
    pub(super) fn delete(&self, now: LogTime) -> Expected {
        let members = self.members.values().filter(|member| member.until > now).count();
        if members > 0 {
            return Expected::Refused("group_not_empty", json!({ "members": members }));
        }
        Expected::Done(json!({ "outcome": "deleted" }))
    }

    /// Members whose time is over may be gone: each that is makes a new generation.
    pub(super) fn without_gone(&mut self, at: Moment, said: &Said) {
        let shown = said.body["members"].as_array().cloned().unwrap_or_default();
        let is_shown = |member: &String| shown.iter().any(|shown| shown["member"] == **member);
        let gone = |(name, member): &(&String, &Member)| member.until <= at.time && !is_shown(name);
        let gone: Vec<String> =
            self.members.iter().filter(gone).map(|(name, _)| name.clone()).collect();
        gone.iter().for_each(|member| self.drop(member));
    }

    pub(super) fn shown(&self, partitions: &[Partition]) -> Expected {
        let members = self.members.iter().map(|(name, member)| {
            let (joined, until) = (time(member.joined_at), time(member.until));
            json!({ "member": name, "joined_at": joined, "expires_at": until })
        });
        let partitions = (0..PARTITIONS).zip(partitions).map(|(number, partition)| {
            let (offset, lost) = self.place(number, partition.removed);
            json!({
                "partition": number, "reader": self.reader(number), "lost": some(lost),
                "committed": offset - lost, "last_offset": partition.last(),
            })
        });
        Expected::Done(json!({
            "generation": self.generation,
            "members": members.collect::<Vec<_>>(),
            "partitions": partitions.collect::<Vec<_>>(),
        }))
    }
}

/// A count that is not there when it is nothing.
fn some(count: u64) -> Value {
    if count > 0 { json!(count) } else { Value::Null }
}

/// Partitions and offsets that somebody names.
fn places(args: &Value) -> Vec<(u64, u64)> {
    let asked = args["offsets"].as_array().into_iter().flatten();
    let asked =
        asked.filter_map(|place| Some((place["partition"].as_u64()?, place["offset"].as_u64()?)));
    asked.collect()
}

/// Where a group is to go on; a place that is not there, or was removed, is refused.
pub(super) fn sought(args: &Value, partitions: &[Partition]) -> Result<Vec<(u64, u64)>, Expected> {
    let refused = |code, facts| Err(Expected::Refused(code, facts));
    let mut sought = Vec::new();
    for (index, (number, offset)) in places(args).into_iter().enumerate() {
        let Some(partition) = of(partitions, number) else {
            let facts = json!({ "index": index, "partition": number });
            return refused("partition_not_found", facts);
        };
        let (removed, last) = (partition.removed, partition.last());
        let facts = json!({ "index": index, "offset": offset, "last_offset": last });
        if offset > last {
            return refused("offset_beyond_end", facts);
        }
        if offset > 0 && offset < removed {
            return refused("offset_out_of_range", facts);
        }
        sought.push((number, offset.max(removed)));
    }
    Ok(sought)
}
