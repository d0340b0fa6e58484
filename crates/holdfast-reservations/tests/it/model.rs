//! Random commands against naive reservations: every outcome, every level, every hold
//! and every place in a waitlist, after each step.

mod naive;

use std::collections::BTreeMap;

use holdfast_reservations::{
    COMMANDS, HoldSpec, Quantity, Stock, TIMERS,
    audit::Audit,
    availability::{AvailabilitySpec, ShowAvailability},
    confirm::{ConfirmSpec, confirm},
    create_resource::{CreateResource, CreateResourceSpec},
    extend::{ExtendSpec, extend},
    get_hold::{GetHold, GetHoldSpec},
    get_waitlist_entry::{GetWaitlistEntry, GetWaitlistEntrySpec},
    hold,
    join_waitlist::{JoinWaitlistSpec, join_waitlist},
    leave_waitlist::{LeaveWaitlistSpec, leave_waitlist},
    move_hold::{MoveSpec, move_hold},
    release::{ReleaseSpec, release},
    resize_resource::{ResizeResourceSpec, resize_resource},
    row::{Entries, EntryStatus, Kind, Levels, Status},
};
use holdfast_state::{
    Date, Id, Lifetime, Namespace, Read as _, Scan, Stop,
    command::{Query as _, Refusal, Write as _},
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

use naive::{DAYS, Level, Naive, State, Step, Want};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

/// The stocks that the three resources begin with.
const STOCKS: [u64; 3] = [3, 2, 1];

fn id(kind: char, number: u8) -> Id {
    Id::new(&format!("{kind}{number}")).unwrap()
}

/// Model days as dates.
fn date(day: u8) -> Date {
    Date::from_day(20_000 + u32::from(day)).unwrap()
}

fn want() -> impl Strategy<Value = Want> {
    let stay = prop_oneof![
        8 => (0..DAYS, 1..4_u8).prop_map(|(from, nights)| (Some(from), Some((from + nights).min(DAYS)))),
        1 => (prop::option::of(0..DAYS), prop::option::of(0..DAYS)),
    ];
    (0..8_u8, stay, 1..4_u64, prop::bool::weighted(0.9)).prop_map(
        |(resource, (from, to), quantity, fitting)| match resource {
            0 | 1 if fitting => Want { resource: 0, from: None, to: None, quantity },
            7 if !fitting => Want { resource: 3, from, to, quantity },
            resource => Want { resource: resource % 3, from, to, quantity },
        },
    )
}

fn day() -> impl Strategy<Value = Option<u8>> {
    prop::option::weighted(0.4, 0..=DAYS)
}

fn step() -> impl Strategy<Value = Step> {
    let resize = (0..4_u8, 0..5_u64, day(), day());
    let shift = (0..16_u8, prop::option::weighted(0.3, 0..4_u8), day(), day());
    let quantity = prop::option::weighted(0.4, 1..4_u64);
    prop_oneof![
        2 => resize.prop_map(|(resource, stock, from, to)| Step::Resize { resource, stock, from, to }),
        8 => (0..16_u8, want(), prop::option::weighted(0.7, 1..90_u64))
            .prop_map(|(id, want, expires)| Step::Hold { id, want, expires }),
        3 => (0..16_u8).prop_map(Step::Confirm),
        4 => (0..16_u8).prop_map(Step::Release),
        2 => (0..16_u8, 1..120_u64).prop_map(|(id, seconds)| Step::Extend { id, seconds }),
        4 => (shift, quantity).prop_map(|((id, resource, from, to), quantity)| Step::Move { id, resource, from, to, quantity }),
        6 => (0..16_u8, want(), 1..60_u64)
            .prop_map(|(id, want, offer)| Step::Join { id, want, offer }),
        1 => (0..16_u8).prop_map(Step::Leave),
        2 => (0..16_u8).prop_map(Step::Accept),
        1 => (0..16_u8).prop_map(Step::Decline),
        3 => (0..60_u64).prop_map(Step::Advance),
    ]
}

/// `done`, `existed`, or the refusal's code.
fn said<T, R: Refusal>(result: Result<T, Stop<R>>, existed: impl Fn(&T) -> bool) -> &'static str {
    match result {
        Ok(outcome) if existed(&outcome) => "existed",
        Ok(_) => "done",
        Err(Stop::Refused(refusal)) => refusal.code(),
        Err(Stop::Aborted(abort)) => panic!("{abort}"),
    }
}

fn lifetime(seconds: u64) -> Lifetime {
    Lifetime::from_us(seconds * 1_000_000).unwrap()
}

fn quantity(number: u64) -> Quantity {
    Quantity::new(number).unwrap()
}

/// The hold that an entry was offered.
fn offer_of(world: &World, entry: u8) -> Option<Id> {
    match world.view().get::<Entries>(id('w', entry).as_str()).unwrap()?.status {
        EntryStatus::Offered(hold) => Some(hold),
        EntryStatus::Waiting | EntryStatus::Left => None,
    }
}

/// Takes the step, and says what came of it.
fn take(world: &mut World, step: &Step) -> &'static str {
    match step {
        Step::Resize { resource, stock, from, to } => {
            let (stock, from, to) = (Stock::new(*stock).unwrap(), from.map(date), to.map(date));
            let spec = ResizeResourceSpec { id: id('r', *resource), stock, from, to };
            said(world.transact(|tx| resize_resource(tx, &spec)), |done| done.existed)
        }
        Step::Hold { id: number, want, expires } => {
            let spec = HoldSpec {
                id: Some(id('h', *number)),
                resource: id('r', want.resource),
                from: want.from.map(date),
                to: want.to.map(date),
                quantity: quantity(want.quantity),
                expires_at: None,
                expires_in: expires.map(lifetime),
                price: None,
                metadata: None,
            };
            said(world.transact(|tx| hold(tx, &spec)), |done| done.existed)
        }
        Step::Confirm(number) => end(world, Some(id('h', *number)), true),
        Step::Release(number) => end(world, Some(id('h', *number)), false),
        Step::Accept(entry) => end(world, offer_of(world, *entry), true),
        Step::Decline(entry) => end(world, offer_of(world, *entry), false),
        Step::Extend { id: number, seconds } => {
            let expires_in = Some(lifetime(*seconds));
            let spec = ExtendSpec { id: id('h', *number), expires_at: None, expires_in };
            said(world.transact(|tx| extend(tx, &spec)), |done| done.existed)
        }
        Step::Move { id: number, resource, from, to, quantity: of } => {
            let spec = MoveSpec {
                id: id('h', *number),
                resource: resource.map(|resource| id('r', resource)),
                from: from.map(date),
                to: to.map(date),
                quantity: of.map(quantity),
                price: None,
            };
            said(world.transact(|tx| move_hold(tx, &spec)), |done| done.existed)
        }
        Step::Join { id: number, want, offer } => {
            let spec = JoinWaitlistSpec {
                id: Some(id('w', *number)),
                resource: id('r', want.resource),
                from: want.from.map(date),
                to: want.to.map(date),
                quantity: quantity(want.quantity),
                offer_expires_in: lifetime(*offer),
                price: None,
                metadata: None,
            };
            said(world.transact(|tx| join_waitlist(tx, &spec)), |done| done.existed)
        }
        Step::Leave(number) => {
            let spec = LeaveWaitlistSpec { id: id('w', *number) };
            said(world.transact(|tx| leave_waitlist(tx, &spec)), |done| done.existed)
        }
        Step::Advance(seconds) => {
            world.pass(seconds * 1_000_000, &VOCABULARY);
            "done"
        }
    }
}

fn end(world: &mut World, id: Option<Id>, confirms: bool) -> &'static str {
    let Some(id) = id else { return "no offer" };
    if confirms {
        said(world.transact(|tx| confirm(tx, &ConfirmSpec { id })), |done| done.existed)
    } else {
        said(world.transact(|tx| release(tx, &ReleaseSpec { id })), |done| done.existed)
    }
}

/// Stock, held and sold of every slot, by what a user is shown.
fn levels(world: &World) -> Vec<Level> {
    let mut all = Vec::new();
    for resource in 0..3_u8 {
        let (from, to) =
            if resource == 0 { (None, None) } else { (Some(date(0)), Some(date(DAYS))) };
        let spec = AvailabilitySpec { resource: id('r', resource), from, to };
        let shown = ShowAvailability::run(&world.view(), &spec).unwrap();
        for level in shown.levels {
            assert_eq!(level.available + level.held + level.sold, level.stock);
            all.push((level.stock, level.held, level.sold));
        }
    }
    all
}

fn holds(world: &World) -> BTreeMap<u8, State> {
    let state = |number: u8| {
        let shown = GetHold::run(&world.view(), &GetHoldSpec { id: id('h', number) }).ok()?;
        Some(match shown.status {
            Status::Held => State::Held,
            Status::Confirmed => State::Confirmed,
            Status::Released => State::Released,
            Status::Cancelled => State::Cancelled,
            Status::Expired => State::Expired,
        })
    };
    (0..16).filter_map(|number| Some((number, state(number)?))).collect()
}

fn waiting(world: &World) -> BTreeMap<u8, String> {
    let status = |number: u8| {
        let spec = GetWaitlistEntrySpec { id: id('w', number) };
        let shown = GetWaitlistEntry::run(&world.view(), &spec).ok()?;
        Some(serde_json::to_value(shown.status).unwrap().as_str().unwrap().to_owned())
    };
    (0..16).filter_map(|number| Some((number, status(number)?))).collect()
}

/// A level that says nothing has no row.
fn no_idle_rows(world: &World) -> bool {
    let rows = world.view().scan::<Levels>(&(), Scan::up(1000)).unwrap();
    rows.iter().all(|found| !found.row.is_nothing())
}

fn world() -> World {
    let mut world = World::default();
    for (number, stock) in (0..3_u8).zip(STOCKS) {
        let kind = if number == 0 { Kind::Units } else { Kind::Nights };
        let stock = Stock::new(stock).unwrap();
        let spec = CreateResourceSpec { id: id('r', number), kind, stock, metadata: None };
        world.transact(|tx| CreateResource::run(tx, &spec)).unwrap();
    }
    world
}

fn audited(world: &World, from: usize, mut audit: Audit) -> Vec<String> {
    world.log()[from..].iter().for_each(|batch| audit.batch(batch));
    audit.finish(&world.view()).unwrap().differences.in_words().listed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn reservations_do_what_the_naive_ones_do(steps in prop::collection::vec(step(), 1..150)) {
        let (mut world, mut naive) = (world(), Naive::new(STOCKS));
        let mut middle = None;
        for (index, step) in steps.iter().enumerate() {
            let (did, expected) = (take(&mut world, step), naive.take(step));
            prop_assert_eq!(did, expected, "{:?}", step);
            prop_assert_eq!(levels(&world), naive.levels(), "{:?}", step);
            prop_assert_eq!(holds(&world), naive.holds(), "{:?}", step);
            let expected = naive.waiting().into_iter().map(|(id, word)| (id, word.to_owned()));
            prop_assert_eq!(waiting(&world), expected.collect(), "{:?}", step);
            prop_assert!(no_idle_rows(&world), "{:?}", step);
            if index == steps.len() / 2 {
                middle = Some((world.log().len(), Audit::from_state(&world.view()).unwrap()));
            }
        }
        prop_assert_eq!(audited(&world, 0, Audit::from_nothing(Namespace::DEFAULT)), [""; 0]);
        let (from, start) = middle.expect("the run has a middle");
        prop_assert_eq!(audited(&world, from, start), [""; 0]);
    }
}
