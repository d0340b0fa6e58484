//! What a group of consumers made of a topic: nothing skipped, nothing read twice on account of the
//! group, and nobody's place taken by who was replaced.
//!
//! The invariants are those of the Kafka workload of Jepsen: an offset has one value; what was
//! acknowledged at or below the highest offset that anybody polled was polled by somebody; polls
//! skip nothing and do not go back in time.

use std::collections::BTreeSet;

use holdfast_state::Version;

/// A message where the topic has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place in its partition, from 1.
    pub offset: u64,
    /// Its id.
    pub id: String,
    /// The transaction that appended it.
    pub version: Version,
}

/// A page that somebody read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The transaction that read it.
    pub version: Version,
    /// Of which partition.
    pub partition: usize,
    /// Behind which offset.
    pub after: u64,
    /// How many messages it has at most.
    pub limit: usize,
    /// What was there.
    pub messages: Vec<Message>,
}

/// Messages that were dealt with, and the place committed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The transaction.
    pub version: Version,
    /// The generation that it names.
    pub generation: u64,
    /// Of which partition.
    pub partition: usize,
    /// Behind which offset it begins.
    pub after: u64,
    /// The last offset.
    pub to: u64,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumption {
    /// Messages of the topic.
    pub messages: u64,
    /// Of these, polled by somebody.
    pub polled: u64,
    /// Of these, dealt with, once.
    pub worked: u64,
}

/// A message was skipped, or dealt with twice, or an offset has two values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Two values for an offset.
    #[error("offset {offset} of partition {partition} was polled as {polled}, and is {is}")]
    TwoValues {
        /// Which partition.
        partition: usize,
        /// Which offset.
        offset: u64,
        /// What was polled there.
        polled: String,
        /// What the topic has there.
        is: String,
    },
    /// A page has a hole, or does not begin where it was asked to.
    #[error(
        "a page of partition {partition} has offset {found} where {expected} should be, at version {version}"
    )]
    Hole {
        /// Which partition.
        partition: usize,
        /// The transaction that read it.
        version: Version,
        /// What should come next.
        expected: u64,
        /// What does.
        found: u64,
    },
    /// What was there when the page was read is not in it.
    #[error(
        "a page of partition {partition} at version {version} ends before offset {offset}, which was there since version {since}"
    )]
    Unseen {
        /// Which partition.
        partition: usize,
        /// The transaction that read it.
        version: Version,
        /// What is missing.
        offset: u64,
        /// Since when it was there.
        since: Version,
    },
    /// Nobody polled it, and something behind it was.
    #[error("offset {offset} of partition {partition} was never polled, and {highest} was")]
    NeverPolled {
        /// Which partition.
        partition: usize,
        /// Which offset.
        offset: u64,
        /// The highest that was.
        highest: u64,
    },
    /// Acknowledged, and the topic does not have it once.
    #[error("{id} was acknowledged, and the topic has it {times} times")]
    Appended {
        /// Which message.
        id: String,
        /// How often it is there.
        times: usize,
    },
    /// Work that does not begin where the work before it ended.
    #[error(
        "of partition {partition} offsets {} to {to} were dealt with at version {version} in generation \
        {generation}, and the work before ended at {before}", after + 1
    )]
    OutOfStep {
        /// Which partition.
        partition: usize,
        /// The transaction.
        version: Version,
        /// The generation that it names.
        generation: u64,
        /// Behind which offset it begins.
        after: u64,
        /// Its last offset.
        to: u64,
        /// Where the work before it ended.
        before: u64,
    },
    /// A generation that was over dealt with something.
    #[error(
        "generation {generation} dealt with partition {partition} at version {version}, after generation {before}"
    )]
    Fenced {
        /// Which partition.
        partition: usize,
        /// The transaction.
        version: Version,
        /// The generation.
        generation: u64,
        /// The later one.
        before: u64,
    },
}

/// Checks the topic, partition by partition, against what was acknowledged, polled and dealt
/// with; polls and work come in the order of versions.
///
/// # Errors
/// [`Violation`]
pub fn check(
    topic: &[Vec<Message>],
    acknowledged: &[String],
    polls: &[Poll],
    work: &[Work],
) -> Result<Consumption, Violation> {
    appended(topic, acknowledged)?;
    let mut polled: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); topic.len()];
    for poll in polls {
        page(&topic[poll.partition], poll)?;
        polled[poll.partition].extend(poll.messages.iter().map(|message| message.offset));
    }
    for (partition, polled) in polled.iter().enumerate() {
        let highest = polled.last().copied().unwrap_or(0);
        if let Some(offset) = (1..=highest).find(|offset| !polled.contains(offset)) {
            return Err(Violation::NeverPolled { partition, offset, highest });
        }
    }
    let ends = in_step(topic.len(), work)?;
    Ok(Consumption {
        messages: topic.iter().map(|partition| partition.len() as u64).sum(),
        polled: polled.iter().map(|polled| polled.len() as u64).sum(),
        worked: ends.iter().sum(),
    })
}

fn appended(topic: &[Vec<Message>], acknowledged: &[String]) -> Result<(), Violation> {
    let mut ids: Vec<&str> = topic.iter().flatten().map(|message| &*message.id).collect();
    ids.sort_unstable();
    for id in acknowledged {
        let from = ids.partition_point(|there| *there < id.as_str());
        let times = ids[from..].iter().take_while(|there| *there == id).count();
        if times != 1 {
            return Err(Violation::Appended { id: id.clone(), times });
        }
    }
    Ok(())
}

/// Is the page what the partition held then?
fn page(partition: &[Message], poll: &Poll) -> Result<(), Violation> {
    let number = poll.partition;
    let first = usize::try_from(poll.after).unwrap_or(usize::MAX).min(partition.len());
    let mut there = partition[first..].iter();
    for (expected, message) in (poll.after + 1..).zip(&poll.messages) {
        let found = message.offset;
        if found != expected {
            let version = poll.version;
            return Err(Violation::Hole { partition: number, version, expected, found });
        }
        let is = there.next().map_or("nothing", |message| &*message.id);
        if is != message.id {
            let (polled, is) = (message.id.clone(), is.to_owned());
            return Err(Violation::TwoValues { partition: number, offset: found, polled, is });
        }
    }
    match there.next() {
        Some(next) if poll.messages.len() < poll.limit && next.version < poll.version => {
            Err(Violation::Unseen {
                partition: number,
                version: poll.version,
                offset: next.offset,
                since: next.version,
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// How far each partition was dealt with.
fn in_step(partitions: usize, work: &[Work]) -> Result<Vec<u64>, Violation> {
    let mut ends = vec![0; partitions];
    let mut generations = vec![0; partitions];
    for &Work { version, generation, partition, after, to } in work {
        let before = ends[partition];
        if after != before {
            return Err(Violation::OutOfStep { partition, version, generation, after, to, before });
        }
        let before = generations[partition];
        if generation < before {
            return Err(Violation::Fenced { partition, version, generation, before });
        }
        (ends[partition], generations[partition]) = (to, generation);
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets from 1, appended at versions 1, 2, 3 …
    fn messages(offsets: std::ops::RangeInclusive<u64>) -> Vec<Message> {
        let message =
            |offset| Message { offset, id: format!("m{offset}"), version: Version::new(offset) };
        offsets.map(message).collect()
    }

    fn poll(version: u64, after: u64, messages: Vec<Message>) -> Poll {
        Poll { version: Version::new(version), partition: 0, after, limit: 2, messages }
    }

    fn work(version: u64, generation: u64, after: u64, to: u64) -> Work {
        Work { version: Version::new(version), generation, partition: 0, after, to }
    }

    fn wrong(acknowledged: &[&str], polls: &[Poll], work: &[Work]) -> String {
        let acknowledged: Vec<String> = acknowledged.iter().map(|id| (*id).to_owned()).collect();
        check(&[messages(1..=5)], &acknowledged, polls, work).unwrap_err().to_string()
    }

    #[test]
    fn everything_once_and_in_order() {
        let polls = [
            poll(10, 0, messages(1..=2)),
            poll(4, 2, messages(3..=3)),
            poll(12, 2, messages(3..=4)),
        ];
        let work = [work(11, 1, 0, 2), work(13, 2, 2, 4)];
        let found = Consumption { messages: 5, polled: 4, worked: 4 };
        assert_eq!(check(&[messages(1..=5)], &["m1".to_owned()], &polls, &work), Ok(found));
    }

    #[test]
    fn an_offset_with_two_values() {
        let mut page = messages(1..=2);
        page[1].id = "other".to_owned();
        let text = "offset 2 of partition 0 was polled as other, and is m2";
        assert_eq!(wrong(&[], &[poll(10, 0, page)], &[]), text);
    }

    #[test]
    fn a_page_with_a_hole_and_one_that_ends_too_soon() {
        let hole = [messages(1..=1), messages(3..=3)].concat();
        let text = "a page of partition 0 has offset 3 where 2 should be, at version 10";
        assert_eq!(wrong(&[], &[poll(10, 0, hole)], &[]), text);
        let text = "a page of partition 0 at version 10 ends before offset 2, which was there since version 2";
        assert_eq!(wrong(&[], &[poll(10, 0, messages(1..=1))], &[]), text);
    }

    #[test]
    fn what_nobody_polled_and_what_is_not_there_once() {
        let text = "offset 1 of partition 0 was never polled, and 3 was";
        assert_eq!(wrong(&[], &[poll(10, 1, messages(2..=3))], &[]), text);
        assert_eq!(wrong(&["m9"], &[], &[]), "m9 was acknowledged, and the topic has it 0 times");
        let twice = [messages(1..=2), messages(1..=1)];
        let wrong = check(&twice, &["m1".to_owned()], &[], &[]).unwrap_err();
        assert_eq!(wrong, Violation::Appended { id: "m1".to_owned(), times: 2 });
    }

    #[test]
    fn work_that_is_done_again_or_skipped_or_of_a_generation_that_is_over() {
        let again = wrong(&[], &[], &[work(11, 2, 0, 2), work(12, 1, 0, 2)]);
        let text = "of partition 0 offsets 1 to 2 were dealt with at version 12 in generation 1, \
            and the work before ended at 2";
        assert_eq!(again, text);
        assert!(wrong(&[], &[], &[work(11, 1, 1, 2)]).contains("ended at 0"));
        let text = "generation 1 dealt with partition 0 at version 12, after generation 2";
        assert_eq!(wrong(&[], &[], &[work(11, 2, 0, 2), work(12, 1, 2, 3)]), text);
    }
}
