//! Topics as one would write them on a napkin: lists.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create(u8),
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

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) id: Option<u8>,
    pub(crate) key: Option<u8>,
    pub(crate) data: u8,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) wanted: Wanted,
    pub(crate) version: u64,
    pub(crate) partition: u16,
    pub(crate) offset: usize,
    /// Which batch it came with.
    batch: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    /// Messages in the order in which they were appended, whatever their partition.
    pub(crate) topics: BTreeMap<u8, Vec<Message>>,
    version: u64,
    batches: usize,
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
        let all = self.topics.get(topic).map_or(&[][..], Vec::as_slice);
        let from = all.len().saturating_sub(back + 1);
        let messages = all[from..].iter().take(*count).map(|each| each.wanted.clone()).collect();
        Step::Batch { topic: *topic, messages }
    }

    /// The messages of a partition, in order.
    pub(crate) fn read(&self, topic: u8, partition: u16) -> Option<Vec<&Message>> {
        let all = self.topics.get(&topic)?;
        Some(all.iter().filter(|message| message.partition == partition).collect())
    }

    /// Takes the steps as one transaction: all, or none and why.
    pub(crate) fn take(&mut self, steps: &[Step]) -> Result<Vec<String>, String> {
        let before = self.clone();
        self.version += 1;
        let done: Result<Vec<_>, _> = steps.iter().map(|step| self.step(step)).collect();
        let wrote = done
            .iter()
            .flatten()
            .any(|did| did.starts_with("created") || did.starts_with("appended"));
        if !wrote {
            *self = before;
        }
        done
    }

    fn step(&mut self, step: &Step) -> Result<String, String> {
        match step {
            Step::Create(topic) if self.topics.contains_key(topic) => Ok("existed".to_owned()),
            Step::Create(topic) => {
                self.topics.insert(*topic, Vec::new());
                Ok("created".to_owned())
            }
            Step::Append { topic, message } => self.append(*topic, std::slice::from_ref(message)),
            Step::Batch { topic, messages } => {
                let ids: Vec<_> = messages.iter().filter_map(|message| message.id).collect();
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
        let all = self.topics.get(&topic).ok_or("topic_not_found")?;
        for (index, message) in messages.iter().enumerate().filter(|(_, each)| each.id.is_some()) {
            let Some(stored) = all.iter().find(|each| each.wanted.id == message.id) else {
                continue;
            };
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
            let all = self.topics.get_mut(&topic).unwrap();
            let offset = 1 + all.iter().filter(|each| each.partition == partition).count();
            let (version, batch) = (self.version, self.batches);
            all.push(Message { wanted: wanted.clone(), version, partition, offset, batch });
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
            let begin = (known.offset - 1).checked_sub(index)?;
            let there = there.get(begin..begin + asked.len())?.to_vec();
            let same = there.iter().zip(asked).all(|(there, asked)| there.wanted == *asked);
            return (same && goes.contains(&known.partition)).then_some(there);
        }
        let of_batch = |partition: u16| {
            let all = self.topics[&topic].iter();
            all.filter(move |each| each.batch == known.batch && each.partition == partition)
        };
        let mut found = Vec::new();
        for number in 0..partitions(topic) {
            let there: Vec<_> = of_batch(number).collect();
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
