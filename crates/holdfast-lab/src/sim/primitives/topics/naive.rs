//! A topic as lists, for people to believe.
//!
//! An answer says in which partition a message is; everything else it must say is known: the
//! next offset, without gaps, and for the same key always the same partition.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::{
        Said, Showing,
        expected::{Expected, Judged, Moment, id, text, time},
    },
    PARTITIONS, TOPIC,
    group::Group,
    queue::Queue,
};
use crate::sim::trace::Counts;

/// Behind one version in so many all messages are compared, behind others the last.
const WHOLE_EVERY: u64 = 64;

/// Messages of a page.
const PAGE: u64 = 1_000;

/// A message of a topic.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    key: Option<String>,
    data: Value,
    at: Moment,
}

/// The topic, its group and its queue.
#[derive(Clone, Debug, Default)]
pub(in crate::sim::primitives) struct Topics {
    /// By partition; none before the topic was created.
    partitions: Vec<Vec<Message>>,
    /// Where messages are that have ids of their callers.
    ids: BTreeMap<String, (usize, usize)>,
    /// Which partition a key was seen in.
    keys: BTreeMap<String, u64>,
    group: Option<Group>,
    queue: Option<Queue>,
    pub(in crate::sim::primitives) counts: Counts,
}

impl Message {
    /// As it is shown, with its offset.
    pub(super) fn shown(&self, offset: u64) -> Value {
        json!({
            "offset": offset, "id": self.id, "key": self.key, "data": self.data,
            "version": self.at.version, "time": time(self.at.time),
        })
    }
}

/// The place of an offset in a partition's list.
pub(super) fn index(offset: u64) -> Option<usize> {
    usize::try_from(offset.checked_sub(1)?).ok()
}

impl Topics {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_insert(0) += 1;
    }

    /// What a command comes to.
    ///
    /// # Errors
    /// When what was said cannot be.
    pub(in crate::sim::primitives) fn take(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
        said: Option<&Said>,
    ) -> Judged {
        if name == "topics.create" {
            let existed = !self.partitions.is_empty();
            self.partitions.resize_with(usize::try_from(PARTITIONS).expect("a few"), Vec::new);
            let existed = if existed { json!(true) } else { Value::Null };
            return Expected::Done(json!({ "outcome": "created", "existed": existed }))
                .compare(said);
        }
        if name.starts_with("groups.") {
            return self.of_group(at, (name, args)).compare(said);
        }
        if name.starts_with("queues.") {
            return self.of_queue(at, (name, args), said);
        }
        if self.partitions.is_empty() {
            let facts = json!({ "topic": TOPIC });
            return Expected::Refused("topic_not_found", facts).compare(said);
        }
        match name {
            "topics.append" => self.append(at, args, said).compare(said),
            "topics.read" => self.read(args).compare(said),
            other => unreachable!("nobody asks {other}"),
        }
    }

    fn append(&mut self, at: Moment, args: &Value, said: Option<&Said>) -> Expected {
        let (own, key) = (text(args, "id"), text(args, "key"));
        if let Some(own) = &own
            && let Some((partition, place)) = self.ids.get(own).copied()
        {
            let there = &self.partitions[partition][place];
            let field = if there.data != args["data"] {
                Some("data")
            } else {
                (there.key != key).then_some("key")
            };
            if field.is_some() {
                self.count("topics: ids that another message has");
                let facts = json!({ "id": own, "partition": partition, "offset": place + 1 });
                return Expected::Refused("message_exists", facts);
            }
            let mut told = there.shown(place as u64 + 1);
            told.as_object_mut()
                .expect("a message")
                .retain(|name, _| !["key", "data"].contains(&&**name));
            (told["existed"], told["partition"]) = (json!(true), json!(partition));
            self.count("topics: messages appended again");
            return Expected::Done(told);
        }
        let said = said.map(|said| &said.body);
        let partition = said.and_then(|said| said["partition"].as_u64()).unwrap_or(PARTITIONS);
        let Some(messages) =
            usize::try_from(partition).ok().and_then(|at| self.partitions.get_mut(at))
        else {
            return Expected::Done(json!({ "partition": format!("below {PARTITIONS}") }));
        };
        let first_seen = key.as_ref().map(|key| *self.keys.entry(key.clone()).or_insert(partition));
        let named = said.and_then(|said| text(said, "id"));
        let id = own.clone().or(named).unwrap_or_default();
        messages.push(Message { id: id.clone(), key, data: args["data"].clone(), at });
        let (index, place) = (usize::try_from(partition).expect("a few"), messages.len() - 1);
        self.ids.extend(own.map(|own| (own, (index, place))));
        self.count("topics: messages");
        Expected::Done(json!({
            "outcome": "appended", "existed": null, "id": id,
            "partition": first_seen.unwrap_or(partition), "offset": place + 1,
            "version": at.version, "time": time(at.time),
        }))
    }

    fn read(&self, args: &Value) -> Expected {
        let partition = args["partition"].as_u64().and_then(|number| usize::try_from(number).ok());
        let messages = &self.partitions[partition.expect("a few")];
        let (after, last) = (args["after"].as_u64().unwrap_or(0), messages.len() as u64);
        let shown = (1..).zip(messages).filter(|(offset, _)| *offset > after);
        let limit = args["limit"].as_u64().map_or(Ok(100), usize::try_from).expect("a page");
        let shown = shown.map(|(offset, message)| message.shown(offset)).take(limit);
        let shown: Vec<_> = shown.collect();
        let next = after + shown.len() as u64;
        Expected::Done(json!({ "messages": shown, "next": next, "last_offset": last }))
    }

    fn lasts(&self) -> Vec<u64> {
        self.partitions.iter().map(|messages| messages.len() as u64).collect()
    }

    fn of_group(&mut self, at: Moment, (name, args): (&str, &Value)) -> Expected {
        if name == "groups.join" {
            if self.partitions.is_empty() {
                return Expected::Refused("topic_not_found", json!({ "topic": TOPIC }));
            }
            let group = self.group.get_or_insert_default();
            return group.join(at, &id(args, "member"), args);
        }
        let lasts = self.lasts();
        let Some(group) = &mut self.group else {
            return Expected::Refused("group_not_found", json!({}));
        };
        let expected = match name {
            "groups.get" => group.shown(&lasts),
            "groups.leave" => group.leave(&id(args, "member")),
            _ => group.commit(at, args, &lasts),
        };
        if matches!(expected, Expected::Refused("generation_stale", _)) {
            self.count("topics: stale generations refused");
        }
        if name == "groups.commit" && matches!(expected, Expected::Done(_)) {
            self.count("topics: committed");
        }
        expected
    }

    fn of_queue(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
        said: Option<&Said>,
    ) -> Judged {
        if name == "queues.create" {
            if self.partitions.is_empty() {
                let facts = json!({ "topic": TOPIC });
                return Expected::Refused("topic_not_found", facts).compare(said);
            }
            let existed = self.queue.is_some();
            self.queue.get_or_insert_default();
            let existed = if existed { json!(true) } else { Value::Null };
            return Expected::Done(json!({ "outcome": "created", "existed": existed }))
                .compare(said);
        }
        let Some(queue) = &mut self.queue else {
            return Expected::Refused("queue_not_found", json!({})).compare(said);
        };
        match name {
            "queues.receive" => queue.receive(at, args, (&self.partitions, said)),
            "queues.get" => queue.shown(&self.partitions).compare(said),
            "queues.dead_letters" => queue.letters(100).compare(said),
            _ => queue.settle(at, (name, args)).compare(said),
        }
    }

    /// Compares everything with the state behind a transaction; what went unasked is seen there.
    ///
    /// # Errors
    /// When they differ, and may not.
    pub(in crate::sim::primitives) fn compare(&mut self, at: Moment, showing: &Showing) -> Judged {
        for (partition, messages) in self.partitions.iter().enumerate() {
            let last = messages.len() as u64;
            let after =
                if at.version.is_multiple_of(WHOLE_EVERY) { 0 } else { last.saturating_sub(3) };
            let args =
                json!({ "topic": TOPIC, "partition": partition, "after": after, "limit": PAGE });
            let said = showing.ask("topics.read", args.clone());
            self.read(&args).compare(Some(&said))?;
        }
        let lasts = self.lasts();
        if let Some(group) = &mut self.group {
            let said = showing.ask("groups.get", json!({ "topic": TOPIC, "group": super::GROUP }));
            group.without_gone(at, &said);
            group.shown(&lasts).compare(Some(&said))?;
        }
        if let Some(queue) = &mut self.queue {
            let named = || json!({ "topic": TOPIC, "queue": super::QUEUE });
            let mut all = named();
            all["limit"] = json!(1000);
            let said = showing.ask("queues.dead_letters", all);
            queue.without_dead(at, &said);
            queue.letters(1_000).compare(Some(&said))?;
            let said = showing.ask("queues.get", named());
            queue.shown(&self.partitions).compare(Some(&said))?;
        }
        Ok(())
    }

    /// How often what happened.
    pub(in crate::sim::primitives) fn all_counts(
        &self,
    ) -> impl Iterator<Item = (&'static str, u64)> {
        let queue = self.queue.iter().flat_map(|queue| &queue.counts);
        self.counts.iter().chain(queue).map(|(what, count)| (*what, *count))
    }
}
