//! A page of messages is bounded in bytes, however large its rows are.

use holdfast_flow::topics::{
    AppendSpec, Data, Messages, NewMessage, Partitions, Retention, append,
    append_batch::{AppendBatch, AppendBatchSpec},
    create::{CreateTopic, CreateTopicSpec},
    data, messages,
    read::{MessagesPage, PAGE_BYTES, ReadMessages, ReadMessagesSpec},
};
use holdfast_state::{
    Id, Read,
    command::{
        Query as _, Write as _,
        awaited::{Awaited as _, Wait},
    },
    page::PageSize,
    scenario::World,
};

fn topic() -> Id {
    Id::new("large").unwrap()
}

/// As large as a message may be.
fn large() -> NewMessage {
    let text = format!("\"{}\"", "x".repeat(data::BYTES_MAX - 2));
    NewMessage {
        id: None,
        key: None,
        r#type: Id::new("t").unwrap().into(),
        data: Data::new(&text).unwrap(),
        event: None,
    }
}

fn world() -> World {
    let mut world = World::default();
    let retention = Retention::default();
    let spec =
        CreateTopicSpec { id: topic(), partitions: Partitions::ONE, retention, metadata: None };
    world.transact(|tx| CreateTopic::run(tx, &spec)).unwrap();
    world
}

fn read(state: &impl Read, after: u64) -> MessagesPage {
    let limit = PageSize::new(1000).unwrap();
    ReadMessages::run(
        state,
        &ReadMessagesSpec { topic: topic(), partition: 0, after, limit, wait: Wait::default() },
    )
    .unwrap()
}

#[test]
fn a_page_ends_with_the_message_that_fills_it() {
    let mut world = world();
    let full = messages::BYTES_MAX / (data::BYTES_MAX + 1);
    let batch = Messages::new(vec![large(); full]).unwrap();
    let spec = AppendBatchSpec { topic: topic(), messages: batch };
    for _ in 0..2 {
        world.transact(|tx| AppendBatch::run(tx, &spec)).unwrap();
    }
    for _ in 0..20 {
        world.transact(|tx| append(tx, &AppendSpec::new(topic(), large()))).unwrap();
    }
    let (view, mut after, mut seen) = (world.view(), 0, Vec::new());
    loop {
        let page = read(&view, after);
        let bytes: usize = page.messages.iter().map(|message| message.data.as_str().len()).sum();
        assert!(bytes < PAGE_BYTES + data::BYTES_MAX, "{bytes}");
        assert_eq!(page.next == page.last_offset, bytes < PAGE_BYTES, "{}", page.next);
        seen.extend(page.messages.iter().map(|message| message.offset));
        after = page.next;
        if after == page.last_offset {
            break;
        }
    }
    let all = 2 * full as u64 + 20;
    assert_eq!(seen, (1..=all).collect::<Vec<_>>());
}

#[test]
fn what_a_transaction_appended_it_reads() {
    let mut world = world();
    let read = world.transact(|tx| {
        append(tx, &AppendSpec::new(topic(), large()))?;
        append(tx, &AppendSpec::new(topic(), large())).map(|_| read(tx, 0))
    });
    let offsets: Vec<_> = read.unwrap().messages.iter().map(|message| message.offset).collect();
    assert_eq!(offsets, [1, 2]);
}

#[test]
fn a_read_waits_for_what_is_not_there_and_for_nothing_else() {
    let mut world = world();
    let pending = |world: &World, topic: &str, partition, after| {
        let (limit, wait) = (PageSize::default(), Wait::default());
        let spec =
            ReadMessagesSpec { topic: Id::new(topic).unwrap(), partition, after, limit, wait };
        ReadMessages::pending(&world.view(), &spec).unwrap().is_some()
    };
    assert!(pending(&world, "large", 0, 0));
    assert!(!pending(&world, "none", 0, 0) && !pending(&world, "large", 1, 0));
    world.transact(|tx| append(tx, &AppendSpec::new(topic(), large()))).unwrap();
    assert!(!pending(&world, "large", 0, 0));
    assert!(pending(&world, "large", 0, 1));
}
