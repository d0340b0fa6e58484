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
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    pub(crate) topics: BTreeMap<u8, Vec<Message>>,
    version: u64,
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
        let version = self.version;
        let all = self.topics.get_mut(&topic).ok_or("topic_not_found")?;
        for (index, message) in messages.iter().enumerate().filter(|(_, each)| each.id.is_some()) {
            let Some(place) = all.iter().position(|each| each.wanted.id == message.id) else {
                continue;
            };
            if all[place].wanted != *message {
                return Err("message_exists".to_owned());
            }
            let beside = |from: usize| all.get(from..from + messages.len());
            let stored = place.checked_sub(index).and_then(beside);
            let same = stored.is_some_and(|stored| {
                stored.iter().zip(messages).all(|(stored, asked)| stored.wanted == *asked)
            });
            if !same {
                return Err("batch_differs".to_owned());
            }
            let first = place - index + 1;
            return Ok(format!("existed {first}..{}", first + messages.len() - 1));
        }
        let first = all.len() + 1;
        all.extend(messages.iter().map(|wanted| Message { wanted: wanted.clone(), version }));
        Ok(format!("appended {first}..{}", all.len()))
    }
}
