//! A trip is booked by a program that has Holdfast in its own process.
//!
//! The guest pays into escrow, two nights are held, and the guest gets loyalty points,
//! which are a table of this program's own: one closure ([`book`]), one transaction. Booked
//! again under its key it is the same booking; when the nights are sold out, nobody has
//! paid and nobody has got points.
//!
//! ```sh
//! cargo run -p holdfast --example embedding
//! ```

use std::{io::Write, path::Path};

use holdfast::{
    Amount, Asset, Date, Id, Intent, KeyPart, Lifetime, Namespace, Node, NodeConfig, Primitive,
    Read, Reason, Registry, Settled, Stop, Stopped, Storage, Table, TableId, TableInfo, Tx,
    command::{Query as _, Write as _},
    ledger::{
        self, Limit, TransferSpec,
        account::{ShowAccount, ShowAccountSpec},
        open_account::{OpenAccount, OpenAccountSpec},
    },
    reservations::{
        self, HoldSpec, Stock,
        create_resource::{CreateResource, CreateResourceSpec},
        row::Kind,
    },
};
use serde::{Deserialize, Serialize};

/// What a guest has earned.
#[derive(Default, minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Points {
    #[n(0)]
    points: u64,
    /// How many trips they are for.
    #[n(1)]
    trips: u32,
}

/// Loyalty points by guest: a table of this program's own.
struct Loyalty;

impl Table for Loyalty {
    const ID: TableId = TableId(0x7f01);
    const NAME: &'static str = "loyalty.points";
    type Key<'k> = &'k str;
    type Row = Points;
}

/// What this program adds to a node: a table that the change feed knows by name.
const LOYALTY: Primitive = Primitive {
    commands: &[],
    timers: &[],
    tables: &[TableInfo::of::<Loyalty>(&[KeyPart::Text])],
    audit: None,
    instruments: &[],
};

/// What is asked.
#[derive(Clone, Serialize)]
struct Trip {
    id: Id,
    guest: Id,
    room: Id,
    from: Date,
    to: Date,
    price: Amount,
}

/// What comes of it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Booked {
    hold: Id,
    transfer: Id,
    points: u64,
}

/// What else may come of it. The reason is whatever the primitive said.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum TripRefusal {
    NotPaid(Reason),
    NoRoom(Reason),
}

/// Books a trip: all of it, or none.
fn book(tx: &mut Tx<'_>, trip: &Trip) -> Result<Booked, Stop<TripRefusal>> {
    let (guest, escrow) = (trip.guest.clone(), id("escrow"));
    let payment = TransferSpec::posted(None, guest, escrow, trip.price);
    let paid = ledger::transfer(tx, &payment)
        .map_err(|stop| stop.map(|refusal| TripRefusal::NotPaid(Reason::of(&refusal))))?;

    let mut earned = tx.get::<Loyalty>(&trip.guest)?.unwrap_or_default();
    earned.points += u64::try_from(trip.price.get() / 100).unwrap_or(0);
    earned.trips += 1;
    tx.put::<Loyalty>(&trip.guest, &earned)?;

    // Refused here, the payment and the points have never been.
    let nights = HoldSpec {
        expires_in: Some(QUARTER_OF_AN_HOUR),
        ..HoldSpec::nights(Some(trip.id.clone()), trip.room.clone(), trip.from, trip.to)
    };
    let held = reservations::hold(tx, &nights)
        .map_err(|stop| stop.map(|refusal| TripRefusal::NoRoom(Reason::of(&refusal))))?;
    Ok(Booked { hold: held.hold.id, transfer: paid.transfer.id, points: earned.points })
}

const QUARTER_OF_AN_HOUR: Lifetime = match Lifetime::from_us(15 * 60 * 1_000_000) {
    Ok(lifetime) => lifetime,
    Err(_) => panic!("a quarter of an hour is a lifetime"),
};

/// A room, and a guest with 1000.00 EUR. Made once, however often the program starts.
fn prepare(tx: &mut Tx<'_>) -> Result<(), Stop<String>> {
    let room =
        CreateResourceSpec { id: id("double"), kind: Kind::Nights, stock: ONE, metadata: None };
    CreateResource::run(tx, &room).map_err(told)?;
    let asset = Asset::new("EUR").map_err(|error| Stop::Refused(error.to_string()))?;
    for (name, limit) in
        [("bank", Limit::None), ("escrow", Limit::None), ("guest-42", Limit::DebitsNotAboveCredits)]
    {
        OpenAccount::run(tx, &OpenAccountSpec { id: id(name), asset, limit, metadata: None })
            .map_err(told)?;
    }
    let pay_in =
        TransferSpec::posted(Some(id("pay-in")), id("bank"), id("guest-42"), Amount::new(100_000));
    ledger::transfer(tx, &pay_in).map_err(told)?;
    Ok(())
}

const ONE: Stock = Stock::new(1).expect("one is a stock");

fn told<R: std::fmt::Debug>(stop: Stop<R>) -> Stop<String> {
    stop.map(|refusal| format!("{refusal:?}"))
}

fn id(text: &str) -> Id {
    Id::new(text).expect("made of letters, digits and dashes")
}

/// The same trip under the same key is the same booking, whoever asks how often.
async fn booking(node: &Node, trip: &Trip) -> anyhow::Result<Settled<Booked, TripRefusal>> {
    let intent = Intent::new("trips.book", trip).keyed(trip.id.as_str());
    let trip = trip.clone();
    Ok(node.transact(intent, move |tx| book(tx, &trip)).await?)
}

/// What a guest has: money and points.
async fn holdings(node: &Node, guest: &Id) -> anyhow::Result<(Amount, u64)> {
    let view = node.view(Namespace::DEFAULT).await?;
    let account = ShowAccount::run(&view, &ShowAccountSpec { id: guest.clone() })?;
    let earned = view.get::<Loyalty>(guest)?.unwrap_or_default();
    Ok((account.balance, earned.points))
}

/// Books two trips for the same nights of the one room, the first of them twice, and
/// tells of it.
pub async fn run(data: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let storage = Storage::Directory(data.to_owned());
    let config =
        NodeConfig { registry: Registry::all().with(&LOYALTY), ..NodeConfig::new(storage) };
    let node = Node::open(config)?;
    let prepared =
        node.transact(Intent::new("trips.prepare", &()).keyed("prepare"), prepare).await?;
    prepared.result.map_err(anyhow::Error::msg)?;
    let first = Trip {
        id: id("trip-1"),
        guest: id("guest-42"),
        room: id("double"),
        from: "2030-12-23".parse()?,
        to: "2030-12-25".parse()?,
        price: Amount::new(25_800),
    };
    let second = Trip { id: id("trip-2"), ..first.clone() };
    for trip in [&first, &first, &second] {
        let settled = booking(&node, trip).await?;
        let again = if settled.replayed { ", answered again" } else { "" };
        match settled.result {
            Ok(booked) => {
                writeln!(out, "{}: booked, {} points{again}", trip.id, booked.points)?;
            }
            Err(TripRefusal::NotPaid(reason) | TripRefusal::NoRoom(reason)) => {
                writeln!(out, "{}: {}{again}", trip.id, reason.code)?;
            }
        }
        let (balance, points) = holdings(&node, &trip.guest).await?;
        writeln!(out, "  the guest has {balance} cents and {points} points")?;
    }
    match node.close() {
        Stopped::Cleanly => Ok(()),
        why => anyhow::bail!("the node stopped: {why}"),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let data = std::env::temp_dir().join("holdfast-embedding");
    println!("data is in {}: run this again and nothing changes", data.display());
    run(&data, &mut std::io::stdout()).await
}
