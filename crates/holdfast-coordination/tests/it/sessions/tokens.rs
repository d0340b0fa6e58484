//! One grant of a lease in one transaction, also where sessions begin and end in it (P24).

use holdfast_coordination::{
    leases::{AcquireLeaseSpec, GuardLeaseSpec, acquire, guard},
    sessions::{self, CloseSessionSpec, OpenSessionSpec, close, open},
    ties::row::{Sessions, Ties},
};
use holdfast_state::{
    Id, Lifetime, Read as _, Scan, Stop, Tx,
    command::Refusal,
    scenario::{Vocabulary, World},
};

use crate::timers;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn code<R: Refusal>(stop: Stop<R>) -> Stop<&'static str> {
    stop.map(|refusal| refusal.code())
}

fn opens(tx: &mut Tx<'_>, session: &str) -> Result<u64, Stop<&'static str>> {
    let ttl = Lifetime::from_us(60_000_000).unwrap();
    let spec = OpenSessionSpec { id: Some(id(session)), ttl, owner: None, metadata: None };
    Ok(open(tx, &spec).map_err(code)?.version)
}

fn closes(tx: &mut Tx<'_>, session: &str) -> Result<bool, Stop<&'static str>> {
    let spec = CloseSessionSpec { id: id(session), version: None };
    Ok(close(tx, &spec).map_err(code)?.in_pieces)
}

/// Asks for the lease; its token, if it was granted.
fn asks(
    tx: &mut Tx<'_>,
    owner: &str,
    session: Option<&str>,
) -> Result<Option<u64>, Stop<&'static str>> {
    let long = Lifetime::from_us(60_000_000).unwrap();
    let spec = AcquireLeaseSpec {
        id: id("l"),
        owner: id(owner),
        ttl: session.is_none().then_some(long),
        wait_for: Some(long),
        session: session.map(id),
        metadata: None,
    };
    Ok(acquire(tx, &spec).map_err(code)?.token)
}

fn guards(tx: &Tx<'_>, token: u64) -> Result<Id, Stop<&'static str>> {
    Ok(guard(tx, &GuardLeaseSpec { id: id("l"), token }).map_err(code)?.owner)
}

/// Fires what is due at once.
fn fire(world: &mut World) -> Vec<String> {
    let timers = timers();
    world.pass(1, &Vocabulary { commands: &[], timers: &timers, looks: &[] })
}

#[test]
fn p24_a_grant_whose_session_ends_in_its_transaction_counts_no_more_and_passes_on_in_the_next() {
    let mut world = World::default();
    let token = world.transact(|tx| {
        opens(tx, "s")?;
        let token = asks(tx, "a", Some("s"))?.unwrap();
        asks(tx, "b", None)?;
        assert_eq!(guards(tx, token), Ok(id("a")));
        assert!(closes(tx, "s")?);
        assert_eq!(guards(tx, token), Err(Stop::Refused("lease_stale")));
        assert_eq!(asks(tx, "b", None), Err(Stop::Refused("lease_just_granted")));
        Ok::<_, Stop<&str>>(token)
    });
    assert_eq!(fire(&mut world), [sessions::SWEEP]);
    let next = world.transact(|tx| asks(tx, "b", None)).unwrap().unwrap();
    assert!(next > token.unwrap());
}

#[test]
fn p24_a_lease_that_passed_on_does_not_pass_on_again_when_that_session_ends_too() {
    let mut world = World::default();
    let first = world.transact(|tx| {
        opens(tx, "s")?;
        opens(tx, "t")?;
        asks(tx, "a", Some("s"))
    });
    world.transact(|tx| asks(tx, "b", Some("t"))).unwrap();
    world.transact(|tx| asks(tx, "c", None)).unwrap();
    let left = world.transact(|tx| {
        assert!(!closes(tx, "s")?);
        closes(tx, "t")
    });
    assert_eq!(left, Ok(true));
    assert_eq!(fire(&mut world), [sessions::SWEEP]);
    let third = world.transact(|tx| asks(tx, "c", None)).unwrap();
    assert!(third > first.unwrap().map(|token| token + 1));
    assert_eq!(world.view().scan::<Ties>(&(), Scan::up(10)).unwrap().len(), 0);
}

#[test]
fn two_sessions_of_one_id_and_one_transaction_are_two() {
    let mut world = World::default();
    let token = world.transact(|tx| {
        opens(tx, "s")?;
        let token = asks(tx, "a", Some("s"))?.unwrap();
        closes(tx, "s")?;
        opens(tx, "s")?;
        assert_eq!(guards(tx, token), Err(Stop::Refused("lease_stale")));
        Ok::<_, Stop<&str>>(token)
    });
    assert_eq!(fire(&mut world), [sessions::SWEEP]);
    let held = world.transact(|tx| guards(tx, token.unwrap()));
    assert_eq!(held, Err(Stop::Refused("lease_stale")));
    assert!(world.view().get::<Sessions>("s").unwrap().is_some());
}
