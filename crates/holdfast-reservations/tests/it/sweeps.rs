//! Waitlists too long for one transaction: the rest gets its turn right after, and
//! nobody comes in between.

use holdfast_reservations::{
    COMMANDS, HoldRefusal, HoldSpec, Quantity, RoomRefusal, Stock, TIMERS,
    create_resource::{CreateResource, CreateResourceSpec},
    hold,
    join_waitlist::{JoinWaitlistSpec, join_waitlist},
    leave_waitlist::{LeaveWaitlistSpec, leave_waitlist},
    offers::{HANDLER, LOOKED_MAX, OFFERS_MAX},
    release::{ReleaseSpec, release},
    resize_resource::{ResizeResourceSpec, resize_resource},
    row::{Entries, EntryStatus, Kind, Resources},
};
use holdfast_state::{
    Date, Id, Lifetime, Read as _, Stop,
    command::Write as _,
    scenario::{Vocabulary, World},
};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn night(night: Option<u32>) -> (Option<Date>, Option<Date>) {
    let date = |day: u32| Date::from_day(20_000 + day).unwrap();
    (night.map(date), night.map(|day| date(day + 1)))
}

fn create(world: &mut World, name: &str, kind: Kind, stock: u64) {
    let stock = Stock::new(stock).unwrap();
    let spec = CreateResourceSpec { id: id(name), kind, stock, metadata: None };
    world.transact(|tx| CreateResource::run(tx, &spec)).unwrap();
}

fn take(world: &mut World, name: &str, resource: &str, of: Option<u32>) -> Result<(), HoldRefusal> {
    let (from, to) = night(of);
    let spec = HoldSpec {
        id: Some(id(name)),
        resource: id(resource),
        from,
        to,
        quantity: Quantity::default(),
        expires_at: None,
        expires_in: None,
        price: None,
        metadata: None,
    };
    match world.transact(|tx| hold(tx, &spec)) {
        Ok(_) => Ok(()),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Aborted(abort)) => panic!("{abort}"),
    }
}

fn join(world: &mut World, name: &str, resource: &str, of: Option<u32>, quantity: u64) {
    let (from, to) = night(of);
    let spec = JoinWaitlistSpec {
        id: Some(id(name)),
        resource: id(resource),
        from,
        to,
        quantity: Quantity::new(quantity).unwrap(),
        offer_expires_in: Lifetime::from_us(3_600_000_000).unwrap(),
        price: None,
        metadata: None,
    };
    world.transact(|tx| join_waitlist(tx, &spec)).unwrap();
}

fn let_go(world: &mut World, name: &str) {
    world.transact(|tx| release(tx, &ReleaseSpec { id: id(name) })).unwrap();
}

fn is_offered(world: &World, name: &str) -> bool {
    let row = world.view().get::<Entries>(name).unwrap().unwrap();
    matches!(row.status, EntryStatus::Offered(_))
}

fn is_sweeping(world: &World, resource: &str) -> bool {
    world.view().get::<Resources>(resource).unwrap().unwrap().sweep.is_some()
}

fn waitlist_first(resource: &str) -> HoldRefusal {
    HoldRefusal::Room(RoomRefusal::WaitlistFirst { resource: id(resource) })
}

/// Lets the timers of a sweep fire until there is none left, and counts them.
fn timers_of_sweep(world: &mut World) -> usize {
    let fired = world.pass(1_000_000, &VOCABULARY);
    assert!(fired.iter().all(|name| name == HANDLER), "{fired:?}");
    fired.len()
}

#[test]
fn the_last_of_a_long_waitlist_gets_its_turn_before_anybody_else() {
    let mut world = World::default();
    create(&mut world, "sale", Kind::Units, 1);
    take(&mut world, "a", "sale", None).unwrap();
    for number in 0..2 * LOOKED_MAX {
        join(&mut world, &format!("pair-{number}"), "sale", None, 2);
    }
    join(&mut world, "single", "sale", None, 1);
    let_go(&mut world, "a");
    assert!(is_sweeping(&world, "sale") && !is_offered(&world, "single"));
    assert_eq!(take(&mut world, "b", "sale", None), Err(waitlist_first("sale")));
    // Who joins now waits for the turn that comes, whatever is free.
    join(&mut world, "late", "sale", None, 1);
    assert!(!is_offered(&world, "late"));
    assert_eq!(timers_of_sweep(&mut world), 2);
    assert!(is_offered(&world, "single") && !is_offered(&world, "late"));
    assert!(!is_sweeping(&world, "sale"));
    let sold_out = take(&mut world, "b", "sale", None);
    assert!(matches!(sold_out, Err(HoldRefusal::Room(RoomRefusal::SoldOut { .. }))));
}

#[test]
fn many_offers_are_made_in_order_and_in_parts() {
    let mut world = World::default();
    create(&mut world, "sale", Kind::Units, 0);
    let waiting = OFFERS_MAX + 10;
    for number in 0..waiting {
        join(&mut world, &format!("w{number}"), "sale", None, 1);
    }
    let offered = |world: &World| {
        (0..waiting).filter(|number| is_offered(world, &format!("w{number}"))).collect::<Vec<_>>()
    };
    let stock = Stock::new(OFFERS_MAX as u64 + 5).unwrap();
    let spec = ResizeResourceSpec { id: id("sale"), stock, from: None, to: None };
    world.transact(|tx| resize_resource(tx, &spec)).unwrap();
    assert_eq!(offered(&world), (0..OFFERS_MAX).collect::<Vec<_>>());
    assert_eq!(take(&mut world, "b", "sale", None), Err(waitlist_first("sale")));
    assert_eq!(timers_of_sweep(&mut world), 1);
    assert_eq!(offered(&world), (0..OFFERS_MAX + 5).collect::<Vec<_>>());
    assert_eq!(timers_of_sweep(&mut world), 0);
}

#[test]
fn other_nights_and_resources_do_not_wait_for_a_sweep() {
    let mut world = World::default();
    create(&mut world, "room", Kind::Nights, 2);
    create(&mut world, "other", Kind::Nights, 1);
    for name in ["a", "b"] {
        take(&mut world, name, "room", Some(5)).unwrap();
    }
    for number in 0..=LOOKED_MAX {
        join(&mut world, &format!("w{number}"), "room", Some(5), 2);
    }
    let_go(&mut world, "a");
    assert!(is_sweeping(&world, "room"));
    assert_eq!(take(&mut world, "c", "room", Some(5)), Err(waitlist_first("room")));
    assert_eq!(take(&mut world, "c", "room", Some(6)), Ok(()));
    assert_eq!(take(&mut world, "d", "other", Some(5)), Ok(()));
    join(&mut world, "elsewhere", "room", Some(8), 1);
    assert!(is_offered(&world, "elsewhere"));
    // More becomes free meanwhile: the sweep begins again, and serves the head.
    let_go(&mut world, "b");
    assert!(is_offered(&world, "w0") && !is_offered(&world, "w1"));
    assert!(!is_sweeping(&world, "room"));
    assert_eq!(timers_of_sweep(&mut world), 0);
}

#[test]
fn a_sweep_that_begins_again_has_one_timer() {
    let mut world = World::default();
    create(&mut world, "room", Kind::Nights, 3);
    for name in ["a", "b", "c"] {
        take(&mut world, name, "room", Some(5)).unwrap();
    }
    for number in 0..2 * LOOKED_MAX {
        join(&mut world, &format!("w{number}"), "room", Some(5), 3);
    }
    let_go(&mut world, "a");
    let_go(&mut world, "b");
    assert!(is_sweeping(&world, "room"));
    // Leaving while it goes on does not disturb it.
    let left = LeaveWaitlistSpec { id: id("w600") };
    world.transact(|tx| leave_waitlist(tx, &left)).unwrap();
    assert_eq!(timers_of_sweep(&mut world), 1);
    assert!(!is_sweeping(&world, "room"));
    assert_eq!(take(&mut world, "d", "room", Some(5)), Ok(()));
}
