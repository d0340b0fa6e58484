//! Topics as one would write them on a napkin: lists.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create(u8),
    Delete(u8),
    /// What is kept of it: for so many seconds, or for ever.
    Update {
        topic: u8,
        age: Option<u64>,
    },
    Append {
        topic: u8,
        message: Wanted,
    },
    Batch {
        topic: u8,
        messages: Vec<Wanted>,
    },
    /// So many messages of the topic once more, as a batch, the first of them this far
    /// from its end.
    Again {
        topic: u8,
        back: usize,
        count: usize,
    },
}

/// What a caller knows a message by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    Nothing,
    Id(u8),
    Event { source: u8, id: u8 },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) id: Known,
    pub(crate) key: Option<u8>,
    pub(crate) data: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) wanted: Wanted,
    pub(crate) version: u64,
    /// When it was appended, in microseconds.
    time: u64,
    pub(crate) partition: u16,
    pub(crate) offset: usize,
    /// Which batch it came with.
    batch: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Topic {
    /// Messages in the order in which they were appended, whatever their partition.
    all: Vec<Message>,
    /// Up to which offset the messages of each partition are gone, as the topic says.
    removed: BTreeMap<u16, usize>,
    /// For how long messages are kept, in seconds.
    age: Option<u64>,
}

impl Topic {
    fn removed(&self, partition: u16) -> usize {
        self.removed.get(&partition).copied().unwrap_or(0)
    }

    fn is_there(&self, message: &Message) -> bool {
        message.offset > self.removed(message.partition)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    topics: BTreeMap<u8, Topic>,
    pub(crate) version: u64,
    batches: usize,
    /// In microseconds.
    pub(crate) now: u64,
}

/// For how long a topic's messages are kept, in seconds, that is created with this number.
pub(crate) fn age(topic: u8) -> Option<u64> {
    (topic > 0).then_some(20)
}

/// How many partitions a topic has that is created with this number.
pub(crate) fn partitions(topic: u8) -> u16 {
    u16::from(topic) + 1
}

/// A message's key as text.
pub(crate) fn key_text(key: u8) -> String {
    format!("key {key}")
}

fn partition(topic: u8, key: Option<u8>, version: u64) -> u16 {
    let mut number = version;
    if let Some(key) = key {
        number = 14_695_981_039_346_656_037;
        for byte in key_text(key).bytes() {
            number = (number ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        }
    }
    u16::try_from(number % u64::from(partitions(topic))).unwrap()
}

impl Naive {
    /// What a step is now: a retry becomes what it repeats.
    pub(crate) fn meant(&self, step: &Step) -> Step {
        let Step::Again { topic, back, count } = step else { return step.clone() };
        let all = self.topics.get(topic).map_or(&[][..], |topic| &topic.all);
        let from = all.len().saturating_sub(back + 1);
        let messages = all[from..].iter().take(*count).map(|each| each.wanted.clone()).collect();
        Step::Batch { topic: *topic, messages }
    }

    /// The messages of a partition that are there, in order.
    pub(crate) fn read(&self, topic: u8, partition: u16) -> Option<Vec<&Message>> {
        let topic = self.topics.get(&topic)?;
        let here = |message: &&Message| message.partition == partition && topic.is_there(message);
        Some(topic.all.iter().filter(here).collect())
    }

    /// A topic says that its partitions begin with these offsets: nothing that is gone was
    /// to be kept, and nothing is there of which the time was over when a round began.
    pub(crate) fn begins(&mut self, number: u8, first_offsets: &[u64]) {
        let (now, topic) = (self.now, self.topics.get_mut(&number).unwrap());
        for (partition, first) in (0..).zip(first_offsets) {
            let removed = usize::try_from(first - 1).unwrap();
            let before = topic.removed(partition);
            assert!(removed >= before, "what is gone does not come back");
            for message in topic.all.iter().filter(|message| message.partition == partition) {
                let Some(age) = topic.age else { continue };
                let over = message.time + age * 1_000_000;
                // A round rests for a sixteenth, a second at least, and takes a moment.
                let rest = (age * 1_000_000 / 16).max(1_000_000) + 100;
                if message.offset > removed {
                    assert!(over + rest > now, "{message:?} is there at {now}");
                } else if message.offset > before {
                    assert!(over <= now, "{message:?} is gone at {now}");
                }
            }
            assert!(topic.age.is_some() || removed == before, "everything is kept");
            topic.removed.insert(partition, removed);
        }
    }

    pub(crate) fn has(&self, topic: u8) -> bool {
        self.topics.contains_key(&topic)
    }

    /// Takes the steps as one transaction: all, or none and why.
    pub(crate) fn take(&mut self, steps: &[Step]) -> Result<Vec<String>, String> {
        let before = self.clone();
        self.version += 1;
        let done: Result<Vec<_>, _> = steps.iter().map(|step| self.step(step)).collect();
        let wrote = done
            .iter()
            .flatten()
            .any(|did| !did.starts_with("existed") && did != "invalid" && did != "same");
        if !wrote {
            *self = before;
        }
        let said = |did: String| if did == "same" { "updated".to_owned() } else { did };
        done.map(|done| done.into_iter().map(said).collect())
    }

    fn step(&mut self, step: &Step) -> Result<String, String> {
        match step {
            Step::Create(topic) if self.topics.contains_key(topic) => {
                let same = self.topics[topic].age == age(*topic);
                if same { Ok("existed".to_owned()) } else { Err("topic_exists".to_owned()) }
            }
            Step::Create(topic) => {
                self.topics.insert(*topic, Topic { age: age(*topic), ..Topic::default() });
                Ok("created".to_owned())
            }
            Step::Delete(topic) => {
                self.topics.remove(topic).ok_or("topic_not_found")?;
                Ok("deleted".to_owned())
            }
            Step::Update { topic, age } => {
                let topic = self.topics.get_mut(topic).ok_or("topic_not_found")?;
                if topic.age == *age {
                    return Ok("same".to_owned());
                }
                topic.age = *age;
                Ok("updated".to_owned())
            }
            Step::Append { topic, message } => self.append(*topic, std::slice::from_ref(message)),
            Step::Batch { topic, messages } => {
                let ids = messages.iter().map(|message| message.id);
                let ids: Vec<_> = ids.filter(|id| *id != Known::Nothing).collect();
                let distinct: BTreeSet<_> = ids.iter().collect();
                if messages.is_empty() || distinct.len() < ids.len() {
                    return Ok("invalid".to_owned());
                }
                self.append(*topic, messages)
            }
            Step::Again { .. } => unreachable!("it became a batch"),
        }
    }

    fn append(&mut self, topic: u8, messages: &[Wanted]) -> Result<String, String> {
        let known = self.topics.get(&topic).ok_or("topic_not_found")?;
        for (index, message) in messages.iter().enumerate() {
            if message.id == Known::Nothing {
                continue;
            }
            let same = |each: &&Message| each.wanted.id == message.id && known.is_there(each);
            let Some(stored) = known.all.iter().find(same) else { continue };
            if stored.wanted != *message {
                return Err("message_exists".to_owned());
            }
            let found = self.existing(topic, messages, stored, index);
            return match found {
                Some(found) => Ok(said("existed", &found)),
                None => Err("batch_differs".to_owned()),
            };
        }
        self.batches += 1;
        let mut new = Vec::new();
        for wanted in messages {
            let partition = partition(topic, wanted.key, self.version);
            let all = &mut self.topics.get_mut(&topic).unwrap().all;
            let offset = 1 + all.iter().filter(|each| each.partition == partition).count();
            let (version, batch, time) = (self.version, self.batches, self.now);
            all.push(Message { wanted: wanted.clone(), version, time, partition, offset, batch });
            new.push(all.last().unwrap().clone());
        }
        Ok(said("appended", &new.iter().collect::<Vec<_>>()))
    }

    /// The messages that these are, one of which is known.
    fn existing(
        &self,
        topic: u8,
        asked: &[Wanted],
        known: &Message,
        index: usize,
    ) -> Option<Vec<&Message>> {
        let to = |wanted: &Wanted| partition(topic, wanted.key, known.version);
        let goes: BTreeSet<u16> = asked.iter().map(to).collect();
        if goes.len() == 1 {
            let there = self.read(topic, known.partition)?;
            let gone = self.topics[&topic].removed(known.partition);
            let begin = (known.offset - 1).checked_sub(index)?.checked_sub(gone)?;
            let there = there.get(begin..begin + asked.len())?.to_vec();
            let same = there.iter().zip(asked).all(|(there, asked)| there.wanted == *asked);
            return (same && goes.contains(&known.partition)).then_some(there);
        }
        let of_batch = |partition: u16| {
            let all = self.topics[&topic].all.iter();
            all.filter(move |each| each.batch == known.batch && each.partition == partition)
        };
        let mut found = Vec::new();
        for number in 0..partitions(topic) {
            let there: Vec<_> = of_batch(number).collect();
            if !there.iter().all(|each| self.topics[&topic].is_there(each)) {
                return None;
            }
            let asked = asked.iter().filter(|wanted| to(wanted) == number);
            if !there.iter().map(|each| &each.wanted).eq(asked) {
                return None;
            }
            found.extend(there);
        }
        Some(found)
    }
}

/// What was done, and where: first and last offset in each partition.
fn said(what: &str, messages: &[&Message]) -> String {
    let mut text = what.to_owned();
    let partitions: BTreeSet<_> = messages.iter().map(|message| message.partition).collect();
    for partition in partitions {
        let offsets = messages.iter().filter(|each| each.partition == partition);
        let offsets: Vec<_> = offsets.map(|each| each.offset).collect();
        text.push_str(&format!(" {partition}:{}..{}", offsets[0], offsets[offsets.len() - 1]));
    }
    text
}
