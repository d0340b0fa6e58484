//! Topics without any machinery, for people to believe: what each command comes to, and what
//! the state must show behind it.
//!
//! What is removed, who is gone from a group, and which messages died or were lost, is seen in
//! the state and held to the rules of when it may be. What was deleted leaves one thing
//! behind: no receipt and no generation is given again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    super::{
        Said, Showing,
        expected::{Expected, Judged, Moment, Wrong, id},
    },
    GROUP, LARGE, QUEUE, TOPIC,
    group::{Group, sought},
    queue::Queue,
    topic::Topic,
};
use crate::sim::trace::Counts;

/// Behind one version in so many all messages are compared, behind others the last.
const WHOLE_EVERY: u64 = 64;

/// Messages of a page, and letters.
const PAGE: u64 = 1_000;

/// The topics, with their groups and queues.
#[derive(Clone, Debug, Default)]
pub(in crate::sim::primitives) struct Topics {
    there: BTreeMap<String, Topic>,
    /// Every receipt that was ever given.
    receipts: BTreeSet<String>,
    /// The highest generation of what was deleted, and whether anything was.
    generation: u64,
    deleted: bool,
    counts: Counts,
    /// What happened in queues that were deleted.
    queue_counts: Counts,
}

fn existed(existed: bool) -> Value {
    if existed { json!(true) } else { Value::Null }
}

fn refused(code: &'static str, facts: Value) -> Expected {
    Expected::Refused(code, facts)
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
        if name.starts_with("groups.") {
            return self.of_group(at, (name, args), said).compare(said);
        }
        if name.starts_with("queues.") {
            return self.of_queue(at, (name, args), said);
        }
        let expected = match name {
            "topics.create" => self.create(at, args),
            "topics.delete" => self.delete(&id(args, "id")),
            "topics.update" | "topics.get" => match self.there.get_mut(&id(args, "id")) {
                None => refused("topic_not_found", json!({ "topic": args["id"] })),
                Some(topic) if name == "topics.get" => topic.shown(),
                Some(topic) => topic.update(at, args),
            },
            _ => self.of_messages(at, (name, args), said),
        };
        expected.compare(said)
    }

    fn create(&mut self, at: Moment, args: &Value) -> Expected {
        let topic = id(args, "id");
        let there = self.there.get(&topic);
        if there.is_some_and(|there| !there.is_as_asked(args)) {
            return refused("topic_exists", json!({ "topic": topic, "field": "retention" }));
        }
        let existed = existed(there.is_some());
        self.there.entry(topic).or_insert_with(|| Topic::created(at, args));
        Expected::Done(json!({ "outcome": "created", "existed": existed }))
    }

    fn delete(&mut self, id: &str) -> Expected {
        let Some(mut topic) = self.there.remove(id) else {
            return refused("topic_not_found", json!({ "topic": id }));
        };
        self.forget(topic.group.take(), topic.queue.take());
        self.count("topics: deleted");
        Expected::Done(json!({ "outcome": "deleted", "id": id }))
    }

    /// A group, or a queue, is no more.
    fn forget(&mut self, group: Option<Group>, queue: Option<Queue>) {
        self.deleted = true;
        self.generation = group.map_or(0, |group| group.generation).max(self.generation);
        for (what, count) in queue.into_iter().flat_map(|queue| queue.counts) {
            *self.queue_counts.entry(what).or_insert(0) += count;
        }
    }

    fn of_messages(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
        said: Option<&Said>,
    ) -> Expected {
        let Some(topic) = self.there.get_mut(&id(args, "topic")) else {
            return refused("topic_not_found", json!({ "topic": args["topic"] }));
        };
        let expected = match name {
            "topics.append" => topic.append(at, args, said),
            "topics.append_batch" => topic.append_batch(at, args),
            "topics.read" => topic.read(args),
            other => unreachable!("nobody asks {other}"),
        };
        match &expected {
            Expected::Refused("message_exists", _) => {
                self.count("topics: ids that another message has");
            }
            Expected::Refused("batch_differs", _) => self.count("topics: batches that differ"),
            Expected::Done(told) if told["existed"] == true => {
                self.count("topics: messages appended again");
            }
            Expected::Done(_) if name == "topics.append_batch" => self.count("topics: batches"),
            Expected::Done(_) if name == "topics.append" => self.count("topics: messages"),
            Expected::Done(_) | Expected::Refused(..) => {}
        }
        expected
    }

    /// The generation above which a group begins that there was not: what was said tells, where
    /// something was deleted before.
    fn floor(&self, said: Option<&Said>) -> u64 {
        let told = said.and_then(|said| said.body["generation"].as_u64()?.checked_sub(1));
        let told = told.filter(|told| self.deleted && *told >= self.generation);
        told.unwrap_or(self.generation)
    }

    fn of_group(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
        said: Option<&Said>,
    ) -> Expected {
        let floor = self.floor(said);
        let fresh = || Group::above(floor);
        let Some(topic) = self.there.get_mut(TOPIC) else {
            let named = matches!(name, "groups.join" | "groups.seek");
            let code = if named { "topic_not_found" } else { "group_not_found" };
            return refused(code, json!({ "topic": TOPIC }));
        };
        let partitions = &topic.partitions;
        let expected = match (name, &mut topic.group) {
            ("groups.join", group) => {
                group.get_or_insert_with(fresh).join(at, (&id(args, "member"), args), partitions)
            }
            ("groups.seek", group) => sought(args, partitions)
                .map_or_else(|refused| refused, |at| group.get_or_insert_with(fresh).seek(at)),
            (_, None) => refused("group_not_found", json!({})),
            ("groups.get", Some(group)) => group.shown(partitions),
            ("groups.leave", Some(group)) => group.leave(&id(args, "member")),
            ("groups.delete", Some(group)) => group.delete(at.time),
            (_, Some(group)) => group.commit(at, args, partitions),
        };
        let deleted = name == "groups.delete" && matches!(expected, Expected::Done(_));
        if deleted {
            let group = topic.group.take();
            self.forget(group, None);
        }
        self.count_of_group(name, &expected);
        expected
    }

    fn count_of_group(&mut self, name: &str, came: &Expected) {
        match (name, came) {
            (_, Expected::Refused("generation_stale", _)) => {
                self.count("topics: stale generations refused");
            }
            ("groups.commit", Expected::Done(_)) => self.count("topics: committed"),
            ("groups.seek", Expected::Done(_)) => self.count("topics: sought"),
            ("groups.delete", Expected::Done(_)) => self.count("topics: groups deleted"),
            (_, Expected::Done(_) | Expected::Refused(..)) => {}
        }
    }

    fn of_queue(
        &mut self,
        at: Moment,
        (name, args): (&str, &Value),
        said: Option<&Said>,
    ) -> Judged {
        let creates = name == "queues.create";
        let Some(topic) = self.there.get_mut(TOPIC) else {
            let code = if creates { "topic_not_found" } else { "queue_not_found" };
            return refused(code, json!({ "topic": TOPIC })).compare(said);
        };
        let partitions = &topic.partitions;
        if creates {
            let existed = existed(topic.queue.is_some());
            topic.queue.get_or_insert_with(|| Queue::created(args, partitions));
            let told = json!({ "outcome": "created", "existed": existed });
            return Expected::Done(told).compare(said);
        }
        let Some(queue) = &mut topic.queue else {
            return refused("queue_not_found", json!({})).compare(said);
        };
        let expected = match name {
            "queues.receive" => {
                return queue.receive(at, args, (partitions, said), &mut self.receipts);
            }
            "queues.get" => queue.shown(partitions),
            "queues.delete" => {
                let expected = queue.delete();
                let queue = topic.queue.take();
                self.forget(None, queue);
                self.count("queues: deleted");
                expected
            }
            "queues.ack" | "queues.nack" | "queues.extend" | "queues.reject" => {
                queue.settle(at, (name, args), (partitions, said))
            }
            _ => queue.of_letters(at, (name, args)),
        };
        expected.compare(said)
    }

    /// Compares everything with the state behind a transaction; what went unasked is seen there.
    ///
    /// # Errors
    /// When they differ, and may not.
    pub(in crate::sim::primitives) fn compare(&mut self, at: Moment, showing: &Showing) -> Judged {
        for id in [TOPIC, LARGE] {
            let said = showing.ask("topics.get", json!({ "id": id }));
            let Some(topic) = self.there.get_mut(id) else {
                let none = refused("topic_not_found", json!({ "topic": id }));
                none.compare(Some(&said))?;
                continue;
            };
            let went = topic.without_removed(at, &said);
            let went = went.map_err(|rule| Wrong::rule(&rule, &said.body))?;
            topic.shown().compare(Some(&said))?;
            compare_messages(topic, (id, at), showing)?;
            if went > 0 {
                let large = "topics: removed, being too much";
                self.count(if id == LARGE { large } else { "topics: removed, being old" });
            }
        }
        let Some(topic) = self.there.get_mut(TOPIC) else { return Ok(()) };
        let partitions = &topic.partitions;
        if let Some(group) = &mut topic.group {
            let said = showing.ask("groups.get", json!({ "topic": TOPIC, "group": GROUP }));
            group.without_gone(at, &said);
            group.shown(partitions).compare(Some(&said))?;
        }
        if let Some(queue) = &mut topic.queue {
            let named = || json!({ "topic": TOPIC, "queue": QUEUE });
            let mut all = named();
            all["limit"] = json!(PAGE);
            let said = showing.ask("queues.dead_letters", all);
            queue.without_dead(at, &said, partitions);
            queue.letters(1_000).compare(Some(&said))?;
            let said = showing.ask("queues.get", named());
            queue.learn_lost(&said, partitions);
            queue.shown(partitions).compare(Some(&said))?;
        }
        Ok(())
    }

    /// At the end, when no timer that was due is left: what is kept no more is gone.
    pub(in crate::sim::primitives) fn ends(&self, at: Moment) -> Judged {
        let late = self.there.values().find_map(|topic| Some((topic.overdue(at)?, topic.shown())));
        match late {
            Some((rule, Expected::Done(shown))) => Err(Wrong::rule(rule, &shown)),
            _ => Ok(()),
        }
    }

    /// How often what happened.
    pub(in crate::sim::primitives) fn all_counts(&self) -> Counts {
        let mut all = self.counts.clone();
        let queues = self.there.values().filter_map(|topic| topic.queue.as_ref());
        let counts = queues.map(|queue| &queue.counts).chain([&self.queue_counts]);
        for (what, count) in counts.flatten() {
            *all.entry(what).or_insert(0) += count;
        }
        all
    }
}

/// The messages of a topic, as they are read.
fn compare_messages(topic: &mut Topic, (id, at): (&str, Moment), showing: &Showing) -> Judged {
    let whole = at.version.is_multiple_of(WHOLE_EVERY);
    for number in 0..topic.partitions.len() {
        let after = topic.unseen(number, whole);
        let args = json!({ "topic": id, "partition": number, "after": after, "limit": PAGE });
        let said = showing.ask("topics.read", args.clone());
        let learnt = topic.learn_ids(number, &said);
        learnt.map_err(|rule| Wrong::rule(&rule, &said.body))?;
        topic.read(&args).compare(Some(&said))?;
    }
    Ok(())
}
