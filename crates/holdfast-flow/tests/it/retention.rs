//! Retention by size, and what removing costs: few facts, however much goes, and bounded
//! work at a time.

use holdfast_flow::topics::{
    AppendSpec, COMMANDS, Data, MessageKey, Messages, NewMessage, Partitions, Retention, TIMERS,
    append,
    append_batch::{AppendBatch, AppendBatchSpec},
    create::{CreateTopic, CreateTopicSpec},
    get::{GetTopic, GetTopicSpec, TopicEnds},
    read::{ReadMessages, ReadMessagesSpec},
    retention::KeptBytes,
    row::{IdBuckets, Marks, MessageIds, StoredMessages},
    update::{UpdateTopic, UpdateTopicSpec},
};
use holdfast_state::{
    Fact, Id, Lifetime, Read as _, Scan, Stop, Table,
    command::{Query as _, Refusal as _, Write as _, awaited::Wait},
    page::PageSize,
    scenario::{Vocabulary, World},
};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

const KEPT: u64 = 1 << 20;
/// What may be there beyond it: a segment, and the append that crossed its end.
const SEGMENT: u64 = 256 << 10;

fn topic() -> Id {
    Id::new("large").unwrap()
}

fn world(partitions: u16, retention: Retention) -> World {
    let mut world = World::default();
    let partitions = Partitions::new(partitions).unwrap();
    let spec = CreateTopicSpec { id: topic(), partitions, retention, metadata: None };
    world.transact(|tx| CreateTopic::run(tx, &spec)).unwrap();
    world
}

fn age(seconds: u64) -> Retention {
    Retention { age: Some(Lifetime::from_us(seconds * 1_000_000).unwrap()), bytes: None }
}

fn message(key: &str, bytes: usize, id: Option<String>) -> NewMessage {
    NewMessage {
        id: id.map(|id| Id::new(&id).unwrap()),
        key: Some(MessageKey::new(key).unwrap()),
        r#type: Id::new("t").unwrap().into(),
        data: Data::new(&format!("\"{}\"", "x".repeat(bytes - 2))).unwrap(),
        event: None,
    }
}

fn get(world: &World) -> TopicEnds {
    GetTopic::run(&world.view(), &GetTopicSpec { id: topic() }).unwrap()
}

fn rows<T: Table>(world: &World) -> usize {
    world.view().scan::<T>(&(), Scan::up(100_000)).unwrap().len()
}

/// The facts of the last transaction: all of them, and those that remove a range.
fn facts(world: &World) -> (usize, usize) {
    let batch = world.log().last().unwrap();
    let (mut all, mut ranges) = (0, 0);
    for change in batch.changes() {
        for fact in change.unwrap().facts() {
            all += 1;
            ranges += usize::from(matches!(fact.unwrap(), Fact::DeleteRange { .. }));
        }
    }
    (all, ranges)
}

/// At every append: the newest bytes that are to be kept are there, and not much more.
#[test]
fn what_is_kept_by_size_is_the_end_of_each_partition() {
    let mut world = world(2, Retention { age: None, bytes: KeptBytes::new(KEPT) });
    let row = 60_000;
    let mut appended = [Vec::new(), Vec::new()];
    for number in 0..120 {
        // One partition gets little.
        let key = if number % 30 == 7 { "key 1" } else { "key 2" };
        let spec = AppendSpec::new(topic(), message(key, row + number, None));
        let done = world.transact(|tx| append(tx, &spec)).unwrap();
        let bytes = (row + number + key.len() + 1 + 64) as u64;
        appended[usize::from(done.partition)].push(bytes);
        let ends = get(&world);
        let mut all = 0;
        for (first, appended) in ends.first_offsets.iter().zip(&appended) {
            let there: u64 = appended.iter().skip(usize::try_from(first - 1).unwrap()).sum();
            let ever: u64 = appended.iter().sum();
            assert!(there >= KEPT.min(ever), "{there} of {ever} bytes are there");
            assert!(there <= KEPT + SEGMENT + 2 * row as u64, "{there} bytes are there");
            all += there;
        }
        assert_eq!(ends.bytes, all);
    }
    let ends = get(&world);
    let few = appended.iter().position(|appended| appended.len() == 4).expect("one got little");
    assert_eq!(ends.first_offsets[few], 1, "what is little stays whole");
    assert!(ends.first_offsets[1 - few] > 90, "{ends:?}");
    for (partition, first) in (0..).zip(&ends.first_offsets) {
        let limit = PageSize::new(1000).unwrap();
        let spec =
            ReadMessagesSpec { topic: topic(), partition, after: 0, limit, wait: Wait::default() };
        let page = ReadMessages::run(&world.view(), &spec).unwrap();
        assert_eq!(page.messages[0].offset, *first);
        assert_eq!(page.first_offset, *first);
    }
    assert_eq!(
        rows::<StoredMessages>(&world),
        ends.first_offsets
            .iter()
            .zip(&ends.last_offsets)
            .map(|(first, last)| usize::try_from(last + 1 - first).unwrap())
            .sum::<usize>()
    );
}

/// A round removes thousands of messages and their ids with a few facts.
#[test]
fn removing_is_a_few_facts_whatever_there_is() {
    let mut world = world(1, age(1_600));
    for batch in 0..10 {
        let id = |number| Some(format!("m-{batch}-{number}"));
        let messages = (0..500).map(|number| message("k", 500, id(number))).collect();
        let spec = AppendBatchSpec { topic: topic(), messages: Messages::new(messages).unwrap() };
        world.transact(|tx| AppendBatch::run(tx, &spec)).unwrap();
    }
    assert_eq!((rows::<StoredMessages>(&world), rows::<MessageIds>(&world)), (10, 5_000));
    assert!(rows::<Marks>(&world) >= 9);
    world.pass(1_599_000_000, &VOCABULARY);
    assert_eq!(rows::<StoredMessages>(&world), 10);
    world.pass(1_000_000, &VOCABULARY);
    assert_eq!((rows::<StoredMessages>(&world), rows::<Marks>(&world)), (0, 0));
    assert_eq!(get(&world).first_offsets, [5_001]);
    let (all, ranges) = facts(&world);
    assert!(all <= 8 && ranges >= 2, "{all} facts, {ranges} of them ranges");
    // Ids lie in the bucket that began when the first round did, and go with it.
    world.pass(600_000_000, &VOCABULARY);
    assert_eq!(rows::<MessageIds>(&world), 0);
    world.pass(100_000_000_000, &VOCABULARY);
    let buckets = world.view().scan::<IdBuckets>(&(), Scan::up(10)).unwrap();
    assert!(buckets[0].row.begun.len() <= 6, "{:?}", buckets[0].row);
}

/// Much that was kept for ever, and is to go: it goes in many small steps, one after another.
#[test]
fn a_great_deal_goes_step_by_step() {
    let mut world = world(16, Retention::default());
    for number in 0..400 {
        let spec = AppendSpec::new(topic(), message(&format!("key {}", number % 97), 30_000, None));
        world.transact(|tx| append(tx, &spec)).unwrap();
    }
    world.pass(60_000_000, &VOCABULARY);
    let spec = UpdateTopicSpec { id: topic(), retention: age(10) };
    world.transact(|tx| UpdateTopic::run(tx, &spec)).unwrap();
    assert_eq!(rows::<StoredMessages>(&world), 400);
    let steps = world.pass(100, &VOCABULARY).len();
    assert_eq!(rows::<StoredMessages>(&world), 0);
    assert!((2..50).contains(&steps), "{steps} steps");
    let ends = get(&world);
    assert_eq!(ends.bytes, 0);
    assert!(
        ends.first_offsets.iter().zip(&ends.last_offsets).all(|(first, last)| *first == last + 1)
    );
}

/// Ids of messages that are there are known, in whichever bucket; when size bounds a topic,
/// an id whose message is gone is free though its bucket is there.
#[test]
fn ids_are_known_as_long_as_their_messages() {
    let mut world = world(1, age(400));
    let spec =
        |number: u64| AppendSpec::new(topic(), message("k", 100, Some(format!("m-{number}"))));
    let mut offsets = Vec::new();
    for number in 0..60 {
        let done = world.transact(|tx| append(tx, &spec(number))).unwrap();
        assert!(!done.existed);
        offsets.push(done.offset);
        world.pass(20_000_000, &VOCABULARY);
        let first = get(&world).first_offsets[0];
        for (asked, offset) in (0..).zip(&offsets) {
            // As a transaction that is thrown away.
            let done: Result<(), Stop<bool>> = world.transact(|tx| {
                let done = append(tx, &spec(asked)).map_err(|stop| stop.map(|_| false))?;
                Err(Stop::Refused(done.existed))
            });
            let existed = done == Err(Stop::Refused(true));
            assert_eq!(existed, *offset >= first, "message {asked} at {offset}, first {first}");
        }
    }
    assert!(rows::<MessageIds>(&world) <= 30, "{} ids", rows::<MessageIds>(&world));
}

/// Size is bounded in each partition, so of a batch that went to several a part may be gone.
#[test]
fn a_batch_of_which_a_part_is_gone_is_not_the_same_any_more() {
    let mut world = world(2, Retention { age: None, bytes: KeptBytes::new(KEPT) });
    let known = message("key 1", 100, Some("m-1".to_owned()));
    let messages = Messages::new(vec![known.clone(), message("key 2", 100, None)]).unwrap();
    let batch = AppendBatchSpec { topic: topic(), messages };
    let done = world.transact(|tx| AppendBatch::run(tx, &batch)).unwrap();
    assert_eq!(done.ranges.len(), 2);
    assert!(world.transact(|tx| AppendBatch::run(tx, &batch)).unwrap().existed);
    for _ in 0..40 {
        let spec = AppendSpec::new(topic(), message("key 2", 60_000, None));
        world.transact(|tx| append(tx, &spec)).unwrap();
    }
    let again = world.transact(|tx| AppendBatch::run(tx, &batch)).unwrap_err();
    let Stop::Refused(refusal) = again else { panic!("{again:?}") };
    assert_eq!(refusal.code(), "batch_differs");
    let spec = AppendSpec::new(topic(), known);
    assert!(world.transact(|tx| append(tx, &spec)).unwrap().existed);
}
