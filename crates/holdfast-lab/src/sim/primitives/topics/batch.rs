//! Messages that are appended together: all or none, and known again by the id of any of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    super::expected::{Expected, Moment, time},
    partition::{Message, Partition},
    topic::Topic,
};

/// Where messages of a batch are: partition, first and last offset.
type Range = (usize, u64, u64);

impl Topic {
    /// Messages that are appended together: all of them, side by side in each partition, or
    /// none.
    pub(super) fn append_batch(&mut self, at: Moment, args: &Value) -> Expected {
        let asked = args["messages"].as_array().into_iter().flatten();
        let asked: Vec<_> =
            asked.map(|message| Message::asked(message, at, self.appends)).collect();
        let mut known = asked.iter().enumerate();
        let known =
            known.find_map(|(number, asked)| Some((number, self.place_of(asked.own_id())?)));
        if let Some((number, place)) = known {
            return self.batch_again(&asked, number, place);
        }
        let mut ranges: BTreeMap<usize, Range> = BTreeMap::new();
        for message in asked {
            let number = self.partition_of(&message, at.version);
            let partition = &mut self.partitions[number];
            partition.push(message);
            let last = partition.last();
            ranges.entry(number).or_insert((number, last, last)).2 = last;
        }
        self.appends += 1;
        appended(at, ranges.into_values(), false)
    }

    /// A message of a batch is there: is all of it?
    fn batch_again(&self, asked: &[Message], number: usize, place: (usize, u64)) -> Expected {
        if let Some(mut facts) = self.exists(place, &asked[number]) {
            facts["index"] = json!(number);
            return Expected::Refused("message_exists", facts);
        }
        let there = self.at(place);
        // Those without a key are where the transaction sent them that appended it.
        let mut parts: BTreeMap<usize, Vec<&Message>> = BTreeMap::new();
        for message in asked {
            let part = self.partition_of(message, there.at.version);
            parts.entry(part).or_default().push(message);
        }
        let range = |(part, messages): (&usize, &Vec<&Message>)| {
            let begin = if parts.len() == 1 {
                place.1.checked_sub(number as u64).filter(|_| *part == place.0)?
            } else {
                self.begin_of(*part, there.append, messages.len())?
            };
            let last = begin + messages.len() as u64 - 1;
            self.holds(*part, begin, messages).then_some((*part, begin, last))
        };
        let ranges: Option<Vec<Range>> = parts.iter().map(range).collect();
        let with_it = |partition: &Partition| {
            partition.messages.iter().any(|other| other.append == there.append)
        };
        let wide = self.partitions.iter().filter(|partition| with_it(partition)).count();
        match ranges {
            Some(ranges) if parts.len() == 1 || parts.len() == wide => {
                let (part, begin, _) = ranges[0];
                appended(self.at((part, begin)).at, ranges.into_iter(), true)
            }
            Some(_) | None => {
                let (id, (partition, offset)) = (there.own_id(), place);
                let facts = json!({
                    "index": number, "id": id, "partition": partition, "offset": offset,
                });
                Expected::Refused("batch_differs", facts)
            }
        }
    }

    /// Where the messages of an append begin in a partition, if they are so many.
    fn begin_of(&self, part: usize, append: u64, count: usize) -> Option<u64> {
        let of = (1..).zip(&self.partitions[part].messages);
        let mut of = of.filter(|(_, message)| message.append == append).map(|(offset, _)| offset);
        let begin = of.next()?;
        (of.count() + 1 == count).then_some(begin)
    }

    /// Are these the messages from there on, and none of them removed?
    fn holds(&self, part: usize, begin: u64, messages: &[&Message]) -> bool {
        let partition = &self.partitions[part];
        let is = |(offset, message): (u64, &&Message)| {
            partition.ever(offset).is_some_and(|there| there.is(message))
        };
        begin > partition.removed && (begin..).zip(messages).all(is)
    }
}

fn appended(at: Moment, ranges: impl Iterator<Item = Range>, existed: bool) -> Expected {
    let range = |(partition, first, last): Range| json!({ "partition": partition, "first_offset": first, "last_offset": last });
    Expected::Done(json!({
        "outcome": "appended", "existed": if existed { json!(true) } else { Value::Null },
        "ranges": ranges.map(range).collect::<Vec<_>>(),
        "version": at.version, "time": time(at.time),
    }))
}
