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
};

#[derive(Clone, Debug)]
struct Member {
    joined_at: LogTime,
    until: LogTime,
}

/// The group.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    generation: u64,
    /// Also those whose time is over and who were not taken away.
    members: BTreeMap<String, Member>,
    committed: BTreeMap<u64, u64>,
}

impl Group {
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

    pub(super) fn join(&mut self, at: Moment, member: &str, args: &Value) -> Expected {
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
            let offset = self.committed.get(&partition).copied().unwrap_or(0);
            json!({ "partition": partition, "offset": offset, "lost": null })
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

    pub(super) fn commit(&mut self, at: Moment, args: &Value, lasts: &[u64]) -> Expected {
        let (member, generation) = (id(args, "member"), args["generation"].as_u64());
        if !self.is_here(&member, at.time) || generation != Some(self.generation) {
            let facts = json!({
                "member": member, "generation": generation, "current": self.generation,
            });
            return Expected::Refused("generation_stale", facts);
        }
        let asked = args["offsets"].as_array().into_iter().flatten();
        let asked = asked
            .filter_map(|place| Some((place["partition"].as_u64()?, place["offset"].as_u64()?)));
        let asked: Vec<(u64, u64)> = asked.collect();
        let foreign = |(partition, _): &(u64, u64)| self.reader(*partition) != Some(&member);
        if let Some(index) = asked.iter().position(foreign) {
            return Expected::Refused("partition_not_assigned", json!({ "index": index }));
        }
        let last = |partition: u64| usize::try_from(partition).ok().and_then(|at| lasts.get(at));
        let beyond = |(partition, offset): &(u64, u64)| last(*partition) < Some(offset);
        if let Some(index) = asked.iter().position(beyond) {
            return Expected::Refused("offset_beyond_end", json!({ "index": index }));
        }
        let done = asked.into_iter().map(|(partition, offset)| {
            let committed = self.committed.entry(partition).or_insert(0);
            *committed = offset.max(*committed);
            json!({ "partition": partition, "offset": *committed })
        });
        let offsets: Vec<_> = done.collect();
        Expected::Done(json!({ "outcome": "committed", "offsets": offsets }))
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

    pub(super) fn shown(&self, lasts: &[u64]) -> Expected {
        let members = self.members.iter().map(|(name, member)| {
            let (joined, until) = (time(member.joined_at), time(member.until));
            json!({ "member": name, "joined_at": joined, "expires_at": until })
        });
        let partitions = (0..PARTITIONS).zip(lasts).map(|(partition, last)| {
            json!({
                "partition": partition, "reader": self.reader(partition), "lost": null,
                "committed": self.committed.get(&partition).copied().unwrap_or(0),
                "last_offset": last,
            })
        });
        Expected::Done(json!({
            "generation": self.generation,
            "members": members.collect::<Vec<_>>(),
            "partitions": partitions.collect::<Vec<_>>(),
        }))
    }
}
