//! Groups: random members against a naive group, and what consumers may rely on.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_flow::topics::{
    AppendSpec, COMMANDS, NewMessage, Partitions, Retention, TIMERS, append,
    create::{CreateTopic, CreateTopicSpec},
    get::{GetTopic, GetTopicSpec},
    groups::{
        commit::{CommitOffsets, CommitOffsetsSpec},
        get::{GetGroup, GetGroupSpec},
        join::{JoinGroup, JoinGroupSpec},
        leave::{LeaveGroup, LeaveGroupSpec},
        offsets::{PartitionOffset, PartitionOffsets},
        seek::{SeekGroup, SeekGroupSpec},
    },
};
use holdfast_state::{
    Id, Lifetime, Stop, Tx,
    command::{Query as _, Refusal, Write as _},
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

const PARTITIONS: u16 = 3;

#[derive(Clone, Debug)]
enum Step {
    Append,
    Join {
        member: u8,
        seconds: u64,
    },
    Leave(u8),
    /// In the generation that many behind the present one.
    Commit {
        member: u8,
        behind: u64,
        partition: u16,
        offset: u64,
    },
    Seek {
        partition: u16,
        offset: u64,
    },
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let behind = prop_oneof![5 => Just(0), 1 => 1..3_u64];
    prop_oneof![
        3 => Just(Step::Append),
        4 => (0..4_u8, 1..60_u64).prop_map(|(member, seconds)| Step::Join { member, seconds }),
        1 => (0..4_u8).prop_map(Step::Leave),
        6 => (0..4_u8, behind, 0..=PARTITIONS, 0..6_u64).prop_map(
            |(member, behind, partition, offset)| Step::Commit { member, behind, partition, offset }
        ),
        1 => (0..=PARTITIONS, 0..6_u64)
            .prop_map(|(partition, offset)| Step::Seek { partition, offset }),
        2 => (1..40_u64).prop_map(Step::Pass),
    ]
}

/// A group as one would draw it.
#[derive(Debug, Default)]
struct Naive {
    generation: u64,
    /// Until when each is a member, in seconds.
    members: BTreeMap<u8, u64>,
    committed: BTreeMap<u16, u64>,
    ends: BTreeMap<u16, u64>,
    /// Up to which offset messages were removed, as the world says.
    removed: BTreeMap<u16, u64>,
    now: u64,
    known: bool,
}

impl Naive {
    fn reader(&self, partition: u16) -> Option<u8> {
        let mut dealt = Vec::new();
        let (all, count) = (usize::from(PARTITIONS), self.members.len());
        for (index, member) in self.members.keys().enumerate() {
            dealt.extend(vec![*member; (index + 1) * all / count - index * all / count]);
        }
        dealt.get(usize::from(partition)).copied()
    }

    fn take(&mut self, step: &Step) -> Result<String, String> {
        match *step {
            Step::Append => unreachable!("the world says where it went"),
            Step::Join { member, seconds } => {
                self.known = true;
                if self.members.insert(member, self.now + seconds).is_none() {
                    self.generation += 1;
                }
                let own = (0..PARTITIONS).filter(|each| self.reader(*each) == Some(member));
                let own = own.map(|each| self.place(each));
                Ok(format!("{} {:?}", self.generation, own.collect::<Vec<_>>()))
            }
            Step::Leave(_) if !self.known => Err("group_not_found".to_owned()),
            Step::Leave(member) => {
                self.generation += u64::from(self.members.remove(&member).is_some());
                Ok(self.generation.to_string())
            }
            Step::Commit { .. } if !self.known => Err("group_not_found".to_owned()),
            Step::Commit { member, behind, partition, offset } => {
                if behind > 0 || !self.members.contains_key(&member) {
                    return Err("generation_stale".to_owned());
                }
                if self.reader(partition) != Some(member) {
                    return Err("partition_not_assigned".to_owned());
                }
                self.within(partition, offset)?;
                let before = self.committed.get(&partition).copied().unwrap_or(0);
                if offset > before {
                    self.committed.insert(partition, offset);
                }
                Ok(offset.max(before).to_string())
            }
            Step::Seek { partition, offset } => {
                if partition >= PARTITIONS {
                    return Err("partition_not_found".to_owned());
                }
                self.within(partition, offset)?;
                let removed = self.removed.get(&partition).copied().unwrap_or(0);
                if (1..removed).contains(&offset) {
                    return Err("offset_out_of_range".to_owned());
                }
                self.known = true;
                self.committed.insert(partition, offset.max(removed));
                self.generation += 1;
                Ok(self.generation.to_string())
            }
            Step::Pass(seconds) => {
                self.now += seconds;
                let before = self.members.len();
                self.members.retain(|_, until| *until > self.now);
                self.generation += (before - self.members.len()) as u64;
                Ok(String::new())
            }
        }
    }

    /// Partition, where the group goes on, and how many messages it has lost.
    fn place(&self, partition: u16) -> (u16, u64, u64) {
        let removed = self.removed.get(&partition).copied().unwrap_or(0);
        match self.committed.get(&partition) {
            Some(committed) if *committed < removed => (partition, removed, removed - committed),
            Some(committed) => (partition, *committed, 0),
            None => (partition, removed, 0),
        }
    }

    fn within(&self, partition: u16, offset: u64) -> Result<(), String> {
        let end = self.ends.get(&partition).copied().unwrap_or(0);
        if offset > end { Err("offset_beyond_end".to_owned()) } else { Ok(()) }
    }
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn member_id(number: u8) -> Id {
    id(&format!("m{number}"))
}

fn offsets(partition: u16, offset: u64) -> PartitionOffsets {
    PartitionOffsets::new(vec![PartitionOffset { partition, offset }]).unwrap()
}

fn code<R: Refusal>(stop: Stop<R>) -> String {
    match stop {
        Stop::Refused(refusal) => refusal.code().to_owned(),
        Stop::Aborted(abort) => panic!("{abort}"),
    }
}

/// Takes a step in the world, whose group is of this generation.
fn take(world: &mut World, step: &Step, generation: u64) -> Result<String, String> {
    let (topic, group) = (id("trips"), id("billing"));
    match *step {
        Step::Append => unreachable!("it is not a step of the group"),
        Step::Join { member, seconds } => {
            let ttl = Lifetime::from_us(seconds * 1_000_000).unwrap();
            let spec = JoinGroupSpec { topic, group, member: member_id(member), ttl };
            let joined = world.transact(|tx| JoinGroup::run(tx, &spec)).map_err(code)?;
            let own = joined.partitions.iter().map(|each| (each.partition, each.offset, each.lost));
            Ok(format!("{} {:?}", joined.generation, own.collect::<Vec<_>>()))
        }
        Step::Leave(member) => {
            let spec = LeaveGroupSpec { topic, group, member: member_id(member) };
            let left = world.transact(|tx| LeaveGroup::run(tx, &spec)).map_err(code)?;
            Ok(left.generation.to_string())
        }
        Step::Commit { member, behind, partition, offset } => {
            let (member, offsets) = (member_id(member), offsets(partition, offset));
            let generation = generation.wrapping_sub(behind);
            let spec = CommitOffsetsSpec { topic, group, member, generation, offsets };
            let done = world.transact(|tx| CommitOffsets::run(tx, &spec)).map_err(code)?;
            Ok(done.offsets[0].offset.to_string())
        }
        Step::Seek { partition, offset } => {
            let spec = SeekGroupSpec { topic, group, offsets: offsets(partition, offset) };
            let sought = world.transact(|tx| SeekGroup::run(tx, &spec)).map_err(code)?;
            Ok(sought.generation.to_string())
        }
        Step::Pass(seconds) => {
            world.pass(seconds * 1_000_000, &VOCABULARY);
            Ok(String::new())
        }
    }
}

fn message() -> NewMessage {
    NewMessage {
        id: None,
        key: None,
        r#type: id("t").into(),
        data: Default::default(),
        event: None,
    }
}

/// Messages are kept for this long, in seconds.
const AGE: u64 = 40;

fn removed(world: &World) -> BTreeMap<u16, u64> {
    let spec = GetTopicSpec { id: id("trips") };
    let found = GetTopic::run(&world.view(), &spec).unwrap();
    (0..).zip(found.first_offsets.iter().map(|first| first - 1)).collect()
}

fn world() -> World {
    let mut world = World::default();
    let partitions = Partitions::new(PARTITIONS).unwrap();
    let age = Some(Lifetime::from_us(AGE * 1_000_000).unwrap());
    let retention = Retention { age, bytes: None };
    let spec = CreateTopicSpec { id: id("trips"), partitions, retention, metadata: None };
    world.transact(|tx| CreateTopic::run(tx, &spec)).unwrap();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn groups_do_what_a_naive_one_does(steps in prop::collection::vec(step(), 1..80)) {
        let (mut world, mut naive) = (world(), Naive::default());
        for step in &steps {
            if matches!(step, Step::Append) {
                let spec = AppendSpec::new(id("trips"), message());
                let done = world.transact(|tx| append(tx, &spec)).unwrap();
                naive.ends.insert(done.partition, done.offset);
                continue;
            }
            let did = take(&mut world, step, naive.generation);
            prop_assert_eq!(did, naive.take(step), "{:?}", step);
            naive.removed = removed(&world);
        }
        let spec = GetGroupSpec { topic: id("trips"), group: id("billing") };
        let found = GetGroup::run(&world.view(), &spec);
        prop_assert_eq!(found.is_ok(), naive.known);
        if let Ok(found) = found {
            prop_assert_eq!(found.generation, naive.generation);
            for (progress, number) in found.partitions.iter().zip(0..) {
                prop_assert_eq!(progress.partition, number);
                let (_, place, lost) = naive.place(number);
                prop_assert_eq!((progress.committed, progress.lost), (place - lost, lost));
                prop_assert_eq!(progress.last_offset, naive.ends.get(&number).copied().unwrap_or(0));
                prop_assert_eq!(progress.reader.clone(), naive.reader(number).map(member_id));
            }
            let members: BTreeSet<_> = found.members.iter().map(|each| each.member.clone()).collect();
            prop_assert_eq!(members, naive.members.keys().copied().map(member_id).collect());
        }
    }
}

/// A commit and what was done with the messages are one transaction: of a consumer that was
/// cut off, neither stays.
#[test]
fn who_is_fenced_does_nothing() {
    let mut world = world();
    let join = |member| JoinGroupSpec {
        topic: id("trips"),
        group: id("billing"),
        member: member_id(member),
        ttl: Lifetime::from_us(1_000_000).unwrap(),
    };
    for _ in 0..6 {
        world.transact(|tx| append(tx, &AppendSpec::new(id("trips"), message()))).unwrap();
    }
    let old = world.transact(|tx| JoinGroup::run(tx, &join(0))).unwrap();
    world.pass(1_000_000, &VOCABULARY);
    world.transact(|tx| JoinGroup::run(tx, &join(1))).unwrap();
    let spec = CommitOffsetsSpec {
        topic: id("trips"),
        group: id("billing"),
        member: member_id(0),
        generation: old.generation,
        offsets: offsets(0, 1),
    };
    let work = |tx: &mut Tx<'_>| {
        append(tx, &AppendSpec::new(id("trips"), message()))
            .map_err(|stop| stop.map(|_| String::new()))?;
        CommitOffsets::run(tx, &spec).map_err(|stop| stop.map(|it| it.code().to_owned()))
    };
    let before = world.log().len();
    let refused: Result<_, Stop<String>> = world.transact(work);
    assert_eq!(refused.unwrap_err(), Stop::Refused("generation_stale".to_owned()));
    assert_eq!(world.log().len(), before);
}
