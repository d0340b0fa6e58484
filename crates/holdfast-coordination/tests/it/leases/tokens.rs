//! One grant of a lease in one transaction: two grants with one token could not be told
//! apart (P24).

use holdfast_coordination::leases::{
    AcquireLeaseSpec, GuardLeaseSpec, ReleaseLeaseSpec, TransferLeaseSpec, acquire, guard, release,
    transfer,
};
use holdfast_state::{Id, Lifetime, Stop, Tx, command::Refusal, scenario::World};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn wish(owner: &str, waits: bool) -> AcquireLeaseSpec {
    let minute = Lifetime::from_us(60_000_000).unwrap();
    let wait_for = waits.then_some(minute);
    let (id, owner, ttl) = (id("l"), id(owner), Some(minute));
    AcquireLeaseSpec { id, owner, ttl, wait_for, session: None, metadata: None }
}

fn code<R: Refusal>(stop: Stop<R>) -> Stop<&'static str> {
    stop.map(|refusal| refusal.code())
}

/// The token under which this transaction is granted the lease.
fn granted(tx: &mut Tx<'_>, owner: &str) -> Result<u64, Stop<&'static str>> {
    Ok(acquire(tx, &wish(owner, false)).map_err(code)?.token.unwrap())
}

fn released(tx: &mut Tx<'_>, token: u64) -> Result<Option<u64>, Stop<&'static str>> {
    let spec = ReleaseLeaseSpec { id: id("l"), token };
    Ok(release(tx, &spec).map_err(code)?.next.map(|grant| grant.token))
}

fn handed_on(tx: &mut Tx<'_>, token: u64) -> Result<u64, Stop<&'static str>> {
    let spec = TransferLeaseSpec {
        id: id("l"),
        token,
        to: id("z"),
        ttl: None,
        session: None,
        metadata: None,
    };
    Ok(transfer(tx, &spec).map_err(code)?.grant.token)
}

const JUST: Stop<&str> = Stop::Refused("lease_just_granted");

#[test]
fn p24_a_grant_outlasts_the_transaction_that_made_it() {
    let mut world = World::default();
    let both = world.transact(|tx| {
        let token = granted(tx, "a")?;
        released(tx, token)
    });
    assert_eq!(both, Err(JUST));
    let both = world.transact(|tx| {
        let token = granted(tx, "a")?;
        handed_on(tx, token)
    });
    assert_eq!(both, Err(JUST));
    let token = world.transact(|tx| granted(tx, "a")).unwrap();
    // To release the grant of before and take the lease again is one grant.
    let again = world.transact(|tx| {
        released(tx, token)?;
        let token = granted(tx, "b")?;
        Ok::<_, Stop<&str>>((token, granted(tx, "b")?))
    });
    let (first, second) = again.unwrap();
    assert_eq!((first, second), (token + 1, token + 1));
    let twice = world.transact(|tx| {
        let token = handed_on(tx, first)?;
        handed_on(tx, token)
    });
    assert_eq!(twice, Err(JUST));
}

#[test]
fn p24_a_lease_that_passed_on_stays_there_until_the_next_transaction() {
    let mut world = World::default();
    let token = world.transact(|tx| granted(tx, "a")).unwrap();
    for owner in ["b", "c"] {
        world.transact(|tx| acquire(tx, &wish(owner, true)).map_err(code)).unwrap();
    }
    let twice = world.transact(|tx| {
        let next = released(tx, token)?.unwrap();
        released(tx, next)
    });
    assert_eq!(twice, Err(JUST));
    let next = world.transact(|tx| released(tx, token)).unwrap().unwrap();
    assert!(next > token);
}

#[test]
fn p24_what_a_guard_accepts_is_the_grant_there_is() {
    let mut world = World::default();
    let guarded = world.transact(|tx| {
        let token = granted(tx, "a")?;
        let row = guard(tx, &GuardLeaseSpec { id: id("l"), token }).map_err(code)?;
        Ok::<_, Stop<&str>>((token, row.owner))
    });
    let (token, owner) = guarded.unwrap();
    assert_eq!(owner, id("a"));
    for stale in [0, token - 1, token + 1, u64::MAX] {
        let refused = guard(&world.view(), &GuardLeaseSpec { id: id("l"), token: stale });
        assert_eq!(refused.map(|row| row.owner).map_err(code), Err(Stop::Refused("lease_stale")));
    }
}
