//! Book and pay: an idempotency record, a hold of two nights, a transfer, a message in a
//! topic, and the timer that ends the hold. 1,000 room types of 365 nights and 20 rooms
//! each; or one room type with more rooms than anybody asks for.
//!
//! Besides, over HTTP: transfers in batches of 100, and a flash sale of 1,000 units in
//! which nearly every decision is a refusal.

use anyhow::{Context as _, ensure};
use holdfast_engine::{Asked, Fingerprint, Partition, Request, request::Work};
use holdfast_flow::topics::{AppendSpec, NewMessage, append};
use holdfast_ledger::TransferSpec;
use holdfast_node::{Node, Storage};
use holdfast_reservations::{HoldSpec, Quantity, hold};
use holdfast_state::{Amount, Date, Id, Lifetime, Namespace, Stop, Tx, command::Input};
use serde_json::json;

use super::{
    BenchArgs,
    in_process::{ReplyTo, account, closed_loop_of, id, memory, mix, node},
    measure::{Figure, Latencies, cpu, print},
    over_http::{ACCOUNTS, open_account, post},
    trial::Trial,
};

const ROOM_TYPES: u64 = 1_000;
const NIGHTS: u32 = 365;
const ROOMS: u64 = 20;

/// Transfers of one request.
const BATCH: u64 = 100;

/// Units of the flash sale.
const UNITS: u64 = 1_000;

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<()> {
    in_process(args, "book and pay in process, uniform", ROOM_TYPES, ROOMS)?;
    in_process(args, "book and pay in process, one hot room type", 1, 1_000_000_000)?;
    over_http(args)
}

/// What a run books: how many room types, on which nights.
struct Season {
    room_types: u64,
    nights: Vec<Date>,
}

impl Season {
    fn new(room_types: u64) -> anyhow::Result<Self> {
        let first: Date = serde_json::from_value(json!("2027-01-01"))?;
        let night = |n: u32| Date::from_day(first.day() + n);
        let nights: Result<Vec<_>, _> = (0..NIGHTS + 2).map(night).collect();
        Ok(Self { room_types, nights: nights? })
    }

    /// The n-th booking.
    fn request(&self, n: u64, reply: ReplyTo) -> Request {
        let mixed = mix(n);
        let night = usize::try_from((mixed >> 20) % u64::from(NIGHTS)).expect("days of a year");
        let book = Booking {
            hold: HoldSpec {
                id: Some(id(&format!("h-{mixed:016x}"))),
                resource: room_type(mixed % self.room_types),
                from: Some(self.nights[night]),
                to: Some(self.nights[night + 2]),
                quantity: Quantity::new(1).expect("one is a quantity"),
                expires_at: None,
                expires_in: Some(Lifetime::from_us(3_600_000_000).expect("an hour is one")),
                price: None,
                metadata: None,
            },
            pay: TransferSpec::posted(
                Some(id(&format!("t-{mixed:016x}"))),
                account(1 + mixed % (ACCOUNTS - 1)),
                account(0),
                Amount::new(25_800),
            ),
            topic: id("bookings"),
            kind: id("booking.held"),
        };
        let key = format!("00000001-0000-4000-8000-{mixed:016x}");
        let key = Some(key[..36].into());
        Request {
            namespace: Namespace::DEFAULT,
            asked: Some(Asked { fingerprint: Fingerprint([7; 16]), key }),
            deadline_us: None,
            work: Box::new(move |tx| book.run(tx)),
            reply,
        }
    }
}

fn room_type(number: u64) -> Id {
    id(&format!("room-{number:04}"))
}

struct Booking {
    hold: HoldSpec,
    pay: TransferSpec,
    topic: Id,
    kind: Id,
}

impl Booking {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Vec<u8>>> {
        fn shown<R: std::fmt::Debug>(stop: Stop<R>) -> Stop<Vec<u8>> {
            stop.map(|refusal| format!("{refusal:?}").into_bytes())
        }
        hold(tx, &self.hold).map_err(shown)?;
        holdfast_ledger::transfer(tx, &self.pay).map_err(shown)?;
        let message = NewMessage {
            id: None,
            key: None,
            r#type: self.kind.clone().into(),
            data: holdfast_flow::topics::Data::default(),
            event: None,
        };
        append(tx, &AppendSpec::new(self.topic.clone(), message)).map_err(shown)?;
        Ok(b"booked".to_vec())
    }
}

fn in_process(args: &BenchArgs, name: &str, room_types: u64, rooms: u64) -> anyhow::Result<()> {
    let ground = args.ground.ground()?;
    let node = hotel(ground.storage()?, room_types, rooms)?;
    let partition = node.partition();
    let season = Season::new(room_types)?;
    let (run, before) = (args.run_for(), cpu());
    let request = |n, reply| season.request(n, reply);
    let enough = |so_far: &Latencies| so_far.elapsed() >= run;
    let latencies = closed_loop_of(&partition, args.in_flight, request, enough)?;
    let each = (cpu() - before).as_secs_f64() * 1e6 / latencies.count().max(1) as f64;
    let note = format!("{} in flight, {each:.1} us of processor time each", args.in_flight);
    print(&Figure::new(name, &latencies, note), args.json);
    drop(partition);
    drop(node.close());
    Ok(())
}

/// Throughput and memory, tenth by tenth.
pub(super) fn fill(args: &BenchArgs) -> anyhow::Result<()> {
    let ground = args.ground.ground()?;
    let node = hotel(ground.storage()?, ROOM_TYPES, ROOMS)?;
    let partition = node.partition();
    let season = Season::new(ROOM_TYPES)?;
    let share = (args.bookings / 10).max(1);
    for tenth in 0..10 {
        let before = cpu();
        let request = |n, reply| season.request((tenth << 40) + n, reply);
        let enough = |so_far: &Latencies| so_far.count() >= share;
        let latencies = closed_loop_of(&partition, args.in_flight, request, enough)?;
        let spent = (cpu() - before).as_secs_f64() * 1e6 / latencies.count() as f64;
        let (name, note) = (format!("fill, {} bookings", share * (tenth + 1)), memory(spent));
        print(&Figure::new(&name, &latencies, note), args.json);
    }
    drop(partition);
    drop(node.close());
    Ok(())
}

/// A node with accounts of guests, room types, and the topic that bookings are told to.
fn hotel(storage: Storage, room_types: u64, rooms: u64) -> anyhow::Result<Node> {
    let node = node(storage, ACCOUNTS, |_| {})?;
    let partition = node.partition();
    let registry = node.registry();
    let make = |command: &str, body: String| -> anyhow::Result<()> {
        let entry = registry.command(command).context("the node knows its commands")?;
        let call = entry.parse(Input { body: body.as_bytes(), fields: &[], commands: &[] })?;
        let work: Work = Box::new(move |tx| {
            call.run(tx).map_err(|stop| stop.map(|refused| format!("{refused:?}").into_bytes()))
        });
        done(&partition, work)
    };
    for number in 0..room_types {
        let room = json!({ "id": room_type(number), "kind": "nights", "stock": rooms });
        make("reservations.create_resource", room.to_string())?;
    }
    make("topics.create", json!({ "id": "bookings" }).to_string())?;
    Ok(node)
}

/// Does this and waits for it.
fn done(partition: &Partition, work: Work) -> anyhow::Result<()> {
    let (answered, answer) = std::sync::mpsc::channel();
    partition.submit(Request {
        namespace: Namespace::DEFAULT,
        asked: None,
        deadline_us: None,
        work,
        reply: Box::new(move |answer| drop(answered.send(answer))),
    });
    let outcome = answer.recv().context("the partition ended")??;
    ensure!(outcome.decision == holdfast_engine::Decision::Done, "{outcome:?}");
    Ok(())
}

fn over_http(args: &BenchArgs) -> anyhow::Result<()> {
    let trial = Trial::begin(args)?;
    trial.make(ACCOUNTS, open_account)?;
    trial.make(ROOM_TYPES, create_room_type)?;
    trial.make(1, create_topic)?;
    trial.make(1, create_item)?;
    trial.measure("book and pay over HTTP, uniform", book)?;
    trial.measure("transfers over HTTP, batches of 100", transfers)?;
    trial.measure("flash sale over HTTP, decisions", buy)
}

fn create_room_type(n: u64, out: &mut Vec<u8>) {
    let body = json!({ "id": room_type(n), "kind": "nights", "stock": ROOMS }).to_string();
    post(out, "/v1/reservations/resources", &format!("room-{n}"), &body);
}

fn create_topic(_: u64, out: &mut Vec<u8>) {
    post(out, "/v1/topics", "topic", &json!({ "id": "bookings" }).to_string());
}

fn create_item(_: u64, out: &mut Vec<u8>) {
    let body = json!({ "id": "item", "kind": "units", "stock": UNITS }).to_string();
    post(out, "/v1/reservations/resources", "item", &body);
}

fn key(mixed: u64, n: u64) -> String {
    format!("{:08x}-0000-4000-8000-{n:012x}", mixed >> 32)
}

fn book(n: u64, out: &mut Vec<u8>) {
    let mixed = mix(n);
    let (room, guest) = (mixed % ROOM_TYPES, 1 + mixed % (ACCOUNTS - 1));
    let (month, day) = (1 + (mixed >> 20) % 12, 1 + (mixed >> 32) % 26);
    let body = format!(
        concat!(
            r#"{{"operations":[{{"op":"reservations.hold","args":{{"id":"h-{:016x}","resource":"room-{:04}","#,
            r#""from":"2027-{:02}-{:02}","to":"2027-{:02}-{:02}","expires_in":"PT1H"}}}},"#,
            r#"{{"op":"ledger.transfer","args":{{"debit_account":"account-{:06}","credit_account":"account-000000","amount":25800}}}},"#,
            r#"{{"op":"topics.append","args":{{"topic":"bookings","type":"booking.held","data":{{"hold":"h-{:016x}"}}}}}}]}}"#
        ),
        mixed,
        room,
        month,
        day,
        month,
        day + 2,
        guest,
        mixed
    );
    post(out, "/v1/transactions", &key(mixed, n), &body);
}

fn transfers(n: u64, out: &mut Vec<u8>) {
    let operations: Vec<String> = (0..BATCH)
        .map(|number| {
            let mixed = mix(n * BATCH + number);
            let from = mixed % ACCOUNTS;
            let to = (from + 1 + (mixed >> 32) % (ACCOUNTS - 1)) % ACCOUNTS;
            format!(
                r#"{{"op":"ledger.transfer","args":{{"id":"b-{mixed:016x}","debit_account":"account-{from:06}","credit_account":"account-{to:06}","amount":100}}}}"#
            )
        })
        .collect();
    let body = format!(r#"{{"mode":"each","operations":[{}]}}"#, operations.join(","));
    post(out, "/v1/transactions", &format!("batch-{n}"), &body);
}

fn buy(n: u64, out: &mut Vec<u8>) {
    let body = format!(r#"{{"id":"buyer-{n}","resource":"item","expires_in":"PT1H"}}"#);
    post(out, "/v1/reservations/holds", &format!("buy-{n}"), &body);
}
