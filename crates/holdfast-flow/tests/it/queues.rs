//! Queues: random consumers against a list of what became of each message.
//!
//! Which messages an answer holds is the queue's to choose; that each of them may be given
//! out, how many there are, which receipts count, and where every message is, are not.

mod ledger;

use std::collections::BTreeSet;

use holdfast_flow::topics::{
    AppendSpec, COMMANDS, Data, MessageKey, Messages, NewMessage, Partitions, Retention, TIMERS,
    append,
    append_batch::{AppendBatch, AppendBatchSpec},
    create::{CreateTopic, CreateTopicSpec},
    get::{GetTopic, GetTopicSpec},
    queues::{
        ack::{AckMessages, AckMessagesSpec},
        create::{CreateQueue, CreateQueueSpec},
        delete::{DeleteQueue, DeleteQueueSpec},
        edit::{EditDeadLetter, EditDeadLetterSpec},
        extend::{ExtendMessages, ExtendMessagesSpec},
        get::{GetQueue, GetQueueSpec},
        instrument::QUEUES,
        letters::{Letter, ListDeadLetters, ListDeadLettersSpec},
        nack::{NackMessages, NackMessagesSpec},
        purge::{PurgeDeadLetters, PurgeDeadLettersSpec},
        receipt::{LetterId, Names, Receipt},
        receive::{ReceiveMessages, ReceiveMessagesOutcome, ReceiveMessagesSpec},
        redrive::{RedriveDeadLetters, RedriveDeadLettersSpec},
        reject::{RejectMessages, RejectMessagesSpec},
        row::{Deliveries as Stored, DeliveryRow},
        settings::{Begin, Deliveries},
    },
};
use holdfast_state::{
    Budget, Id, Lifetime, Read as _, Scan, Stop,
    command::{
        Query as _, Refusal, Write,
        awaited::{Awaited as _, Pending, Wait},
    },
    page::PageSize,
    scenario::{Vocabulary, World},
    table::Found,
};
use proptest::prelude::*;

use ledger::{Key, Ledger, Place};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

const VISIBILITY: u64 = 10;
const DELIVERIES: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    Append {
        key: u8,
        count: usize,
    },
    Receive {
        limit: u32,
        visibility: Option<u64>,
    },
    /// With receipts that were given out, old and new: so many back from the last.
    Settle(How, Vec<usize>),
    /// The dead letters, by their order; all of them when there are none.
    Redrive(Vec<usize>),
    Purge(Vec<usize>),
    Edit(usize),
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum How {
    Ack,
    Nack(Option<u64>),
    Extend(u64),
    Reject,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        5 => Just(How::Ack),
        2 => prop::option::of(1..10_u64).prop_map(How::Nack),
        1 => (1..20_u64).prop_map(How::Extend),
        1 => Just(How::Reject),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let few = || prop::collection::vec(0..6_usize, 0..3);
    let receipts = prop_oneof![
        2 => prop::collection::vec(0..8_usize, 1..4),
        1 => prop::collection::vec(0..40_usize, 1..2),
    ];
    prop_oneof![
        4 => (0..5_u8, 1..6_usize).prop_map(|(key, count)| Step::Append { key, count }),
        6 => (1..9_u32, prop::option::weighted(0.2, 1..20_u64))
            .prop_map(|(limit, visibility)| Step::Receive { limit, visibility }),
        8 => (how(), receipts).prop_map(|(how, receipts)| Step::Settle(how, receipts)),
        1 => few().prop_map(Step::Redrive),
        1 => few().prop_map(Step::Purge),
        1 => (0..6_usize).prop_map(Step::Edit),
        4 => (1..15_u64).prop_map(Step::Pass),
    ]
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn seconds(seconds: u64) -> Lifetime {
    Lifetime::from_us(seconds * 1_000_000).unwrap()
}

fn data(number: u64) -> Data {
    Data::new(&number.to_string()).unwrap()
}

fn work(delay: Option<u64>) -> CreateQueueSpec {
    CreateQueueSpec {
        topic: id("jobs"),
        id: id("work"),
        begin: Begin::Beginning,
        visibility: seconds(VISIBILITY),
        max_deliveries: Deliveries::new(DELIVERIES).unwrap(),
        delay: delay.map(seconds),
        metadata: None,
    }
}

/// A topic of three partitions with a queue, and what is known of its messages.
struct Shop {
    world: World,
    ledger: Ledger,
    /// All receipts that were ever given out.
    receipts: Vec<Receipt>,
    said: u64,
}

type Answer<T> = Result<T, String>;

impl Shop {
    fn open(delay: Option<u64>, age: Option<u64>) -> Self {
        let mut world = World::default();
        let partitions = Partitions::new(3).unwrap();
        let retention = Retention { age: age.map(seconds), bytes: None };
        let spec = CreateTopicSpec { id: id("jobs"), partitions, retention, metadata: None };
        world.transact(|tx| CreateTopic::run(tx, &spec)).unwrap();
        let spec = work(delay);
        world.transact(|tx| CreateQueue::run(tx, &spec)).unwrap();
        let ledger = Ledger::new(delay.unwrap_or(0), DELIVERIES);
        Self { world, ledger, receipts: Vec::new(), said: 0 }
    }

    fn write<C: Write>(&mut self, spec: &C::Spec) -> Answer<C::Outcome> {
        self.world.transact(|tx| C::run(tx, spec)).map_err(|stop| match stop {
            Stop::Refused(refusal) => refusal.code().to_owned(),
            Stop::Aborted(abort) => panic!("{abort}"),
        })
    }

    fn append(&mut self, key: u8, count: usize) {
        for _ in 0..count {
            self.said += 1;
            let message = NewMessage {
                id: None,
                key: (key > 0).then(|| MessageKey::new(&format!("key {key}")).unwrap()),
                r#type: id("t").into(),
                data: data(self.said),
                event: None,
            };
            let spec = AppendSpec::new(id("jobs"), message);
            let done = self.world.transact(|tx| append(tx, &spec)).unwrap();
            self.ledger.appended((done.partition, done.offset), self.said);
        }
    }

    fn receive(&mut self, limit: u32, visibility: Option<u64>) -> ReceiveMessagesOutcome {
        let (topic, queue) = (id("jobs"), id("work"));
        let expected = self.ledger.ready().min(limit as usize);
        let visibility = visibility.map(seconds);
        let spec = ReceiveMessagesSpec { topic, queue, limit, visibility, wait: Wait::default() };
        let outcome = self.write::<ReceiveMessages>(&spec).unwrap();
        assert_eq!(outcome.messages.len(), expected);
        let until = self.ledger.now + visibility.map_or(VISIBILITY, |it| it.as_us() / 1_000_000);
        for given in &outcome.messages {
            let place = (given.partition, given.message.offset);
            self.ledger.given(place, given.receipt, given.attempt, until);
            assert_eq!(given.message.data, data(self.ledger.says(place)));
            self.receipts.push(given.receipt);
        }
        self.ledger.found_lost(&self.held(), expected < limit as usize);
        let letters = self.letters();
        let dead = letters.iter().map(|letter| (letter.partition, letter.message.offset));
        self.ledger.died(&dead.collect(), expected < limit as usize);
        outcome
    }

    /// Which messages deliveries have.
    fn held(&self) -> BTreeSet<Key> {
        let deliveries = self.world.view().scan::<Stored>(&(), Scan::up(10_000)).unwrap();
        let of = |found: Found<DeliveryRow>| {
            let (partition, span) = (found.row.partition, found.row.span);
            span.offsets().map(|offset| (partition, offset)).collect::<Vec<_>>()
        };
        deliveries.into_iter().flat_map(of).collect()
    }

    /// What retention removed, as the topic says.
    fn look_at_heads(&mut self) {
        let spec = GetTopicSpec { id: id("jobs") };
        let found = GetTopic::run(&self.world.view(), &spec).unwrap();
        for (partition, first) in (0..).zip(found.first_offsets) {
            self.ledger.removed_before(partition, first);
        }
    }

    fn settle(&mut self, how: How, back: &[usize]) -> Answer<()> {
        let known = back.iter().filter_map(|back| self.receipts.iter().rev().nth(*back).copied());
        let Ok(receipts) = Names::new(known.collect()) else { return Ok(()) };
        let named: Vec<Receipt> = receipts.to_vec();
        let (topic, queue) = (id("jobs"), id("work"));
        let done = match how {
            How::Ack => {
                let spec = AckMessagesSpec { topic, queue, receipts };
                self.write::<AckMessages>(&spec).map(drop)
            }
            How::Nack(delay) => {
                let delay = delay.map(seconds);
                let spec = NackMessagesSpec { topic, queue, receipts, delay };
                self.write::<NackMessages>(&spec).map(drop)
            }
            How::Extend(visibility) => {
                let visibility = Some(seconds(visibility));
                let spec = ExtendMessagesSpec { topic, queue, receipts, visibility };
                self.write::<ExtendMessages>(&spec).map(drop)
            }
            How::Reject => {
                let spec = RejectMessagesSpec { topic, queue, receipts, note: None };
                self.write::<RejectMessages>(&spec).map(drop)
            }
        };
        let good = named.iter().all(|receipt| self.ledger.place_of(*receipt).is_some());
        assert_eq!(done, if good { Ok(()) } else { Err("receipt_stale".to_owned()) });
        for receipt in named.into_iter().filter(|_| good) {
            match how {
                How::Ack => self.ledger.settled(receipt, Place::Done),
                How::Nack(delay) => self.ledger.given_back(receipt, delay.unwrap_or(0)),
                How::Extend(visibility) => self.ledger.extended(receipt, visibility),
                How::Reject => self.ledger.rejected(receipt),
            }
        }
        done
    }

    fn letters(&self) -> Vec<Letter> {
        let (topic, queue, limit) = (id("jobs"), id("work"), PageSize::new(1000).unwrap());
        let spec = ListDeadLettersSpec { topic, queue, cursor: None, limit };
        ListDeadLetters::run(&self.world.view(), &spec).unwrap().letters
    }

    /// Some of the dead letters.
    fn some(&self, which: &[usize]) -> Option<Names<LetterId>> {
        let all = self.letters();
        let named = which.iter().filter_map(|index| all.get(*index).map(|letter| letter.letter));
        Names::new(named.collect()).ok()
    }

    fn redrive(&mut self, which: &[usize]) {
        let (topic, queue, letters) = (id("jobs"), id("work"), self.some(which));
        let limit = PageSize::new(1000).unwrap();
        let all = self.letters().into_iter().map(|letter| letter.letter).collect::<Vec<_>>();
        let chosen = letters.as_ref().map_or(all, |named| named.to_vec());
        let spec = RedriveDeadLettersSpec { topic, queue, letters, limit };
        let done = self.write::<RedriveDeadLetters>(&spec).unwrap();
        assert_eq!(done.count, chosen.len());
        for LetterId { partition, offset } in &chosen {
            self.ledger.redriven((*partition, *offset));
        }
        // Once: it is no dead letter any more.
        if spec.letters.is_some() {
            let again = self.write::<RedriveDeadLetters>(&spec);
            assert_eq!(again.unwrap_err(), "dead_letter_not_found");
        }
    }

    fn purge(&mut self, which: &[usize]) {
        let (topic, queue, letters) = (id("jobs"), id("work"), self.some(which));
        let all = self.letters().into_iter().map(|letter| letter.letter).collect::<Vec<_>>();
        let chosen = letters.as_ref().map_or(all, |named| named.to_vec());
        let spec = PurgeDeadLettersSpec { topic, queue, letters };
        let done = self.write::<PurgeDeadLetters>(&spec).unwrap();
        assert_eq!(done.count, chosen.len() as u64);
        for LetterId { partition, offset } in chosen {
            self.ledger.purged((partition, offset));
        }
    }

    fn edit(&mut self, which: usize) {
        let Some(letter) = self.letters().get(which).map(|letter| letter.letter) else { return };
        self.said += 1;
        let (topic, queue, data) = (id("jobs"), id("work"), data(self.said));
        let spec = EditDeadLetterSpec { topic, queue, letter, r#type: None, data };
        self.write::<EditDeadLetter>(&spec).unwrap();
        self.ledger.edited((letter.partition, letter.offset), self.said);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Append { key, count } => self.append(*key, *count),
            Step::Receive { limit, visibility } => drop(self.receive(*limit, *visibility)),
            Step::Settle(how, back) => drop(self.settle(*how, back)),
            Step::Redrive(which) => self.redrive(which),
            Step::Purge(which) => self.purge(which),
            Step::Edit(which) => self.edit(*which),
            Step::Pass(passed) => {
                self.world.pass(passed * 1_000_000, &VOCABULARY);
                self.ledger.now += passed;
                self.look_at_heads();
            }
        }
        self.compare();
    }

    /// Every message is where it is thought to be.
    fn compare(&self) {
        let spec = GetQueueSpec { topic: id("jobs"), queue: id("work") };
        let found = GetQueue::run(&self.world.view(), &spec).unwrap();
        let (waiting, out, dead, lost) = self.ledger.counts();
        let counted = (found.waiting, found.out, found.dead, found.lost);
        assert_eq!(counted, (waiting, out, dead, lost));
        self.compare_pending();
        self.compare_instrument();
        let letters = self.letters();
        assert_eq!(letters.len() as u64, dead);
        for letter in letters {
            let place = (letter.partition, letter.message.offset);
            assert_eq!(letter.message.data, data(self.ledger.says(place)));
            assert_eq!(letter.attempts, self.ledger.attempts(place));
        }
    }

    /// Who waits is told rightly whether there is anything to do, and when there will be
    /// though nobody writes.
    fn compare_pending(&self) {
        let (topic, queue) = (id("jobs"), id("work"));
        let (limit, visibility, wait) = (1, None, Wait::default());
        let spec = ReceiveMessagesSpec { topic, queue, limit, visibility, wait };
        let pending = ReceiveMessages::pending(&self.world.view(), &spec).unwrap();
        let left = self.ledger.next().map(|time| time.saturating_sub(self.ledger.now));
        match pending {
            None => assert_eq!(left, Some(0)),
            Some(Pending { until }) => {
                assert_ne!(left, Some(0));
                let until = until.map(|until| until.since_us(self.world.now()));
                assert_eq!(until, left.map(|seconds| seconds * 1_000_000));
            }
        }
    }

    /// Who watches over the queue sees what there is.
    fn compare_instrument(&self) {
        let found = self.world.read(&QUEUES);
        let [found] = &found[..] else { panic!("one queue: {found:?}") };
        assert_eq!(found.names, ["jobs", "work"]);
        let (waiting, out, dead, lost) = self.ledger.counts();
        let (delayed, in_flight) = (self.ledger.delayed(), self.ledger.out_of_sight());
        let since = self.ledger.next().map_or(0, |time| self.ledger.now.saturating_sub(time));
        let ready = waiting + out - delayed - in_flight;
        let values = [ready, since * 1_000_000, delayed, in_flight, dead, self.ledger.done(), lost];
        assert_eq!(found.values, values, "{:?}", self.ledger);
    }

    /// Consumers come back, and deal with everything.
    fn drain(&mut self) {
        self.redrive(&[]);
        for _ in 0..100 {
            self.take(&Step::Pass(30));
            let given = self.receive(1000, None);
            let receipts = given.messages.iter().map(|message| message.receipt).collect();
            let Ok(receipts) = Names::new(receipts) else { break };
            let spec = AckMessagesSpec { topic: id("jobs"), queue: id("work"), receipts };
            self.write::<AckMessages>(&spec).unwrap();
            for message in given.messages {
                self.ledger.settled(message.receipt, Place::Done);
            }
            self.compare();
        }
        assert_eq!((self.ledger.counts().0, self.ledger.counts().1), (0, 0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_message_is_in_one_place(
        steps in prop::collection::vec(step(), 1..80),
        delay in prop::option::of(1..5_u64),
        age in prop::option::of(10..60_u64),
    ) {
        let mut shop = Shop::open(delay, age);
        for step in &steps {
            shop.take(step);
        }
        shop.drain();
    }
}

/// More messages die than a transaction may write of: they become dead letters in several steps.
#[test]
fn a_receive_stays_within_what_a_transaction_may_write() {
    let mut world = World::default();
    let (partitions, retention) = (Partitions::ONE, Retention::default());
    let spec = CreateTopicSpec { id: id("jobs"), partitions, retention, metadata: None };
    world.transact(|tx| CreateTopic::run(tx, &spec)).unwrap();
    let spec = CreateQueueSpec {
        topic: id("jobs"),
        id: id("work"),
        begin: Begin::Beginning,
        visibility: seconds(VISIBILITY),
        max_deliveries: Deliveries::new(1).unwrap(),
        delay: None,
        metadata: None,
    };
    world.transact(|tx| CreateQueue::run(tx, &spec)).unwrap();
    let message = NewMessage {
        id: None,
        key: None,
        r#type: id("t").into(),
        data: Data::default(),
        event: None,
    };
    let messages = Messages::new(vec![message; 1000]).unwrap();
    let batch = AppendBatchSpec { topic: id("jobs"), messages };
    let (topic, queue, wait) = (id("jobs"), id("work"), Wait::default());
    let receive = ReceiveMessagesSpec { topic, queue, limit: 1000, visibility: None, wait };
    let count = Budget::default().writes_max / 1000 + 10;
    for _ in 0..count {
        world.transact(|tx| AppendBatch::run(tx, &batch)).unwrap();
        world.transact(|tx| ReceiveMessages::run(tx, &receive)).unwrap();
    }
    world.pass(VISIBILITY * 1_000_000, &VOCABULARY);
    let spec = GetQueueSpec { topic: id("jobs"), queue: id("work") };
    let mut steps = 0;
    while GetQueue::run(&world.view(), &spec).unwrap().out > 0 {
        let given = world.transact(|tx| ReceiveMessages::run(tx, &receive)).unwrap();
        assert_eq!(given.messages, []);
        steps += 1;
    }
    assert!(steps > 1, "{steps} steps");
    assert_eq!(GetQueue::run(&world.view(), &spec).unwrap().dead, u64::from(count) * 1000);
}

/// A consumer of a queue that was deleted is refused by another of its name, whatever that gave
/// out.
#[test]
fn receipts_of_what_was_deleted_are_not_given_again() {
    let mut shop = Shop::open(None, None);
    shop.append(1, 1);
    let receive = |shop: &mut Shop| {
        let (topic, queue, wait) = (id("jobs"), id("work"), Wait::default());
        let spec = ReceiveMessagesSpec { topic, queue, limit: 1, visibility: None, wait };
        shop.write::<ReceiveMessages>(&spec).unwrap().messages[0].receipt
    };
    let first = receive(&mut shop);
    let spec = DeleteQueueSpec { topic: id("jobs"), queue: id("work") };
    assert_eq!(shop.write::<DeleteQueue>(&spec).unwrap().out, 1);
    shop.write::<CreateQueue>(&work(None)).unwrap();
    let second = receive(&mut shop);
    let ack = |receipt| {
        let receipts = Names::new(vec![receipt]).unwrap();
        AckMessagesSpec { topic: id("jobs"), queue: id("work"), receipts }
    };
    assert_eq!(shop.write::<AckMessages>(&ack(first)).unwrap_err(), "receipt_stale");
    shop.write::<AckMessages>(&ack(second)).unwrap();
}
