//! Random commands against naive topics: every outcome, and all that is read at the
//! end, page by page.

mod naive;

use std::collections::BTreeSet;

use holdfast_flow::topics::{
    AppendSpec, COMMANDS, Data, MessageKey, Messages, NewMessage, Partitions, Retention, TIMERS,
    append,
    append_batch::{AppendBatch, AppendBatchSpec, OffsetRange},
    create::{CreateTopic, CreateTopicSpec},
    delete::{DeleteTopic, DeleteTopicSpec},
    events::{Event, EventId, EventSource, Extensions},
    get::{GetTopic, GetTopicSpec},
    read::{Message, ReadMessages, ReadMessagesSpec},
    update::{UpdateTopic, UpdateTopicSpec},
};
use holdfast_state::{
    Id, Lifetime, Stop, Tx,
    command::{Query as _, Refusal, Write as _, awaited::Wait},
    page::PageSize,
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

use naive::{Known, Naive, Step, Wanted, age, key_text, partitions};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

const TOPICS: u8 = 3;

/// The names that the model numbers.
fn id(kind: char, number: u8) -> Id {
    Id::new(&format!("{kind}{number}")).unwrap()
}

fn wanted() -> impl Strategy<Value = Wanted> {
    // Few ids and little to differ in, so that retries and clashes are common.
    let id = prop_oneof![
        4 => (0..12_u8).prop_map(Known::Id),
        2 => (0..3_u8, 0..3_u8).prop_map(|(source, id)| Known::Event { source, id }),
        4 => Just(Known::Nothing),
    ];
    (id, prop::option::of(0..3_u8), 0..2_u8).prop_map(|(id, key, data)| Wanted { id, key, data })
}

fn one() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..TOPICS).prop_map(Step::Create),
        1 => prop_oneof![
            1 => (1..TOPICS).prop_map(Step::Delete),
            2 => (0..TOPICS, prop::option::weighted(0.8, 5..40_u64))
                .prop_map(|(topic, age)| Step::Update { topic, age }),
        ],
        6 => (0..TOPICS, wanted()).prop_map(|(topic, message)| Step::Append { topic, message }),
        4 => (0..TOPICS, prop::collection::vec(wanted(), 1..5))
            .prop_map(|(topic, messages)| Step::Batch { topic, messages }),
        // The end of what was appended before, perhaps: a retry.
        3 => (0..TOPICS, 0..6_usize, 1..5_usize)
            .prop_map(|(topic, back, count)| Step::Again { topic, back, count }),
    ]
}

/// Steps that are one transaction, and how much time passes behind them, in microseconds.
fn transaction() -> impl Strategy<Value = (Vec<Step>, u64)> {
    let steps = prop_oneof![
        4 => prop::collection::vec(one(), 1..2),
        1 => prop::collection::vec(one(), 2..5),
    ];
    (steps, prop_oneof![3 => Just(1), 2 => 1..8_000_000_u64])
}

fn retention(age: Option<u64>) -> Retention {
    let age = age.map(|seconds| Lifetime::from_us(seconds * 1_000_000).unwrap());
    Retention { age, bytes: None }
}

/// An event whose id may be a message's.
fn event(source: u8, id: u8) -> Box<Event> {
    Box::new(Event {
        source: EventSource::new(&format!("/s/{source}")).unwrap(),
        id: EventId::new(&format!("m{id}")).unwrap(),
        subject: None,
        time: None,
        datacontenttype: None,
        dataschema: None,
        data_base64: None,
        empty: false,
        extensions: Extensions::default(),
    })
}

fn message(wanted: &Wanted) -> NewMessage {
    NewMessage {
        id: match wanted.id {
            Known::Id(number) => Some(id('m', number)),
            Known::Event { .. } | Known::Nothing => None,
        },
        key: wanted.key.map(|number| MessageKey::new(&key_text(number)).unwrap()),
        r#type: id('t', wanted.data).into(),
        data: Data::new(&format!("{{\"n\": {}}}", wanted.data)).unwrap(),
        event: match wanted.id {
            Known::Event { source, id } => Some(event(source, id)),
            Known::Id(_) | Known::Nothing => None,
        },
    }
}

fn code<R: Refusal>(stop: Stop<R>) -> Stop<String> {
    stop.map(|refusal| refusal.code().to_owned())
}

fn said(existed: bool, ranges: &[OffsetRange]) -> String {
    let mut text = if existed { "existed" } else { "appended" }.to_owned();
    for OffsetRange { partition, first_offset, last_offset } in ranges {
        text.push_str(&format!(" {partition}:{first_offset}..{last_offset}"));
    }
    text
}

/// Takes a step that is not a retry in the topics, and says what came of it.
fn take(tx: &mut Tx<'_>, step: &Step) -> Result<String, Stop<String>> {
    match step {
        Step::Create(topic) => {
            let partitions = Partitions::new(partitions(*topic)).unwrap();
            let (id, retention) = (id('T', *topic), retention(age(*topic)));
            let spec = CreateTopicSpec { id, partitions, retention, metadata: None };
            let created = CreateTopic::run(tx, &spec).map_err(code)?;
            Ok(if created.existed { "existed" } else { "created" }.to_owned())
        }
        Step::Delete(topic) => {
            let spec = DeleteTopicSpec { id: id('T', *topic) };
            DeleteTopic::run(tx, &spec).map_err(code)?;
            Ok("deleted".to_owned())
        }
        Step::Update { topic, age } => {
            let spec = UpdateTopicSpec { id: id('T', *topic), retention: retention(*age) };
            UpdateTopic::run(tx, &spec).map_err(code)?;
            Ok("updated".to_owned())
        }
        Step::Append { topic, message: wanted } => {
            let spec = AppendSpec::new(id('T', *topic), message(wanted));
            let done = append(tx, &spec).map_err(code)?;
            let (partition, first_offset, last_offset) = (done.partition, done.offset, done.offset);
            Ok(said(done.existed, &[OffsetRange { partition, first_offset, last_offset }]))
        }
        Step::Batch { topic, messages } => {
            let Ok(messages) = Messages::new(messages.iter().map(message).collect()) else {
                return Ok("invalid".to_owned());
            };
            let spec = AppendBatchSpec { topic: id('T', *topic), messages };
            let done = AppendBatch::run(tx, &spec).map_err(code)?;
            Ok(said(done.existed, &done.ranges))
        }
        Step::Again { .. } => unreachable!("the model says what a retry is"),
    }
}

/// All messages of a partition, read in pages of this size; `None` for no topic.
fn read(world: &World, topic: u8, partition: u16, limit: u32) -> Option<Vec<Message>> {
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let limit = PageSize::new(limit).unwrap();
        let spec = ReadMessagesSpec {
            topic: id('T', topic),
            partition,
            after,
            limit,
            wait: Wait::default(),
        };
        let page = ReadMessages::run(&world.view(), &spec).ok()?;
        assert!(page.messages.len() <= limit.rows());
        let begin = after.max(page.first_offset - 1);
        assert_eq!(page.messages.is_empty(), begin == page.last_offset);
        all.extend(page.messages);
        if page.next == page.last_offset {
            return Some(all);
        }
        after = page.next;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn topics_do_what_naive_ones_do(
        transactions in prop::collection::vec(transaction(), 1..60),
        limit in 1..8_u32,
    ) {
        let (mut world, mut naive) = (World::default(), Naive::default());
        let begun = (vec![Step::Create(0), Step::Create(2)], 1);
        for (steps, passed) in std::iter::once(&begun).chain(&transactions) {
            let steps: Vec<Step> = steps.iter().map(|step| naive.meant(step)).collect();
            let did = world.transact(|tx| {
                steps.iter().map(|step| take(tx, step)).collect::<Result<Vec<_>, _>>()
            });
            let did = did.map_err(|stop| match stop {
                Stop::Refused(code) => code,
                Stop::Aborted(abort) => panic!("{abort}"),
            });
            prop_assert_eq!(did, naive.take(&steps), "{:?}", steps);
            world.pass(*passed, &VOCABULARY);
            naive.now += passed;
            // Timers that fired took versions as well.
            let last = world.log().last().expect("something was created");
            naive.version = last.first.get() + u64::from(last.count) - 1;
            for topic in (0..TOPICS).filter(|topic| naive.has(*topic)).collect::<Vec<_>>() {
                let found = GetTopic::run(&world.view(), &GetTopicSpec { id: id('T', topic) });
                naive.begins(topic, &found.unwrap().first_offsets);
            }
        }
        for (topic, partition) in (0..TOPICS).flat_map(|topic| (0..TOPICS + 1).map(move |p| (topic, u16::from(p)))) {
            let found = read(&world, topic, partition, limit);
            let expected = naive.read(topic, partition).filter(|_| partition < partitions(topic));
            prop_assert_eq!(found.is_some(), expected.is_some());
            let (Some(found), Some(expected)) = (found, expected) else { continue };
            prop_assert_eq!(found.len(), expected.len());
            prop_assert!(found.windows(2).all(|two| two[0].offset + 1 == two[1].offset));
            for (found, expected) in found.iter().zip(expected) {
                let wanted = message(&expected.wanted);
                prop_assert_eq!(found.offset, expected.offset as u64);
                prop_assert_eq!(found.version, expected.version);
                prop_assert_eq!((&found.key, &found.r#type), (&wanted.key, &wanted.r#type));
                prop_assert_eq!((&found.data, &found.event), (&wanted.data, &wanted.event));
                prop_assert!(wanted.id.is_none_or(|id| id == found.id));
            }
            prop_assert!(found.is_sorted_by_key(|message| (message.time, message.version)));
            let ids: BTreeSet<_> = found.iter().map(|message| &message.id).collect();
            prop_assert_eq!(ids.len(), found.len());
        }
    }
}
