//! Random commands and time against naive leases: every outcome, and after each
//! transaction who holds what, until when, and who waits.

mod naive;

use std::collections::BTreeMap;

use holdfast_coordination::leases::{
    AcquireLeaseSpec, COMMANDS, GuardLeaseSpec, Lease, ReleaseLeaseSpec, RenewLeaseSpec, TIMERS,
    TransferLeaseSpec, WithdrawSpec, acquire,
    get::{GetLease, GetLeaseSpec},
    guard, release, renew, transfer, withdraw,
};
use holdfast_state::{
    Id, Lifetime, LogTime, Read, Stop, Tx,
    command::{Query as _, Refusal},
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

use naive::{Naive, Step};

const LEASES: u8 = 4;
const OWNERS: u8 = 5;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

fn lease(number: u8) -> Id {
    Id::new(&format!("l{number}")).unwrap()
}

/// Names that sort otherwise than they come.
fn owner(number: u8) -> Id {
    Id::new(["m", "b", "z", "a", "q"][usize::from(number)]).unwrap()
}

fn number_of(owner_id: &Id) -> u8 {
    (0..OWNERS).find(|number| owner(*number) == *owner_id).unwrap()
}

fn us(us: u64) -> Lifetime {
    Lifetime::from_us(us).unwrap()
}

fn right() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.85)
}

fn step() -> impl Strategy<Value = Step> {
    let (lease, owner) = (0..LEASES, 0..OWNERS);
    let ttl = || prop::option::weighted(0.3, 1..40_u64);
    prop_oneof![
        8 => (lease.clone(), owner.clone(), 1..40_u64, prop::option::weighted(0.8, 1..60_u64))
            .prop_map(|(lease, owner, ttl, wait_for)| Step::Acquire { lease, owner, ttl, wait_for }),
        2 => (lease.clone(), right(), ttl())
            .prop_map(|(lease, right, ttl)| Step::Renew { lease, right, ttl }),
        2 => (lease.clone(), right()).prop_map(|(lease, right)| Step::Release { lease, right }),
        1 => (lease.clone(), right(), owner.clone(), ttl())
            .prop_map(|(lease, right, to, ttl)| Step::Transfer { lease, right, to, ttl }),
        1 => (lease.clone(), owner).prop_map(|(lease, owner)| Step::Withdraw { lease, owner }),
        1 => (lease, right()).prop_map(|(lease, right)| Step::Guard { lease, right }),
    ]
}

fn transaction() -> impl Strategy<Value = (Vec<Step>, u64)> {
    let one = prop::collection::vec(step(), 1..2);
    let more = prop::collection::vec(step(), 2..5);
    (prop_oneof![4 => one, 1 => more], prop_oneof![Just(0), 0..10_u64])
}

fn look(state: &impl Read, number: u8) -> Lease {
    GetLease::run(state, &GetLeaseSpec { id: lease(number) }).unwrap()
}

/// The token of the grant there is, or one that is not.
fn token(tx: &Tx<'_>, number: u8, right: bool) -> u64 {
    let token = look(tx, number).grant.map_or(1, |grant| grant.token);
    if right { token } else { token - 1 }
}

fn code<R: Refusal>(stop: Stop<R>) -> Stop<String> {
    stop.map(|refusal| refusal.code().to_owned())
}

/// Takes a step in the leases, and says what came of it.
fn take(tx: &mut Tx<'_>, step: &Step) -> Result<String, Stop<String>> {
    Ok(match step {
        Step::Acquire { lease: number, owner: name, ttl, wait_for } => {
            let (id, owner, ttl) = (lease(*number), owner(*name), us(*ttl));
            let wait_for = wait_for.map(us);
            let spec = AcquireLeaseSpec { id, owner, ttl, wait_for, metadata: None };
            let done = acquire(tx, &spec).map_err(code)?;
            let before = if done.existed { " before" } else { "" };
            match done.ahead {
                None => format!("granted{before}"),
                Some(ahead) => format!("waiting{before} behind {ahead}"),
            }
        }
        Step::Renew { lease: number, right, ttl } => {
            let (id, token, ttl) = (lease(*number), token(tx, *number, *right), ttl.map(us));
            renew(tx, &RenewLeaseSpec { id, token, ttl }).map_err(code)?;
            "renewed".to_owned()
        }
        Step::Release { lease: number, right } => {
            let (id, token) = (lease(*number), token(tx, *number, *right));
            let done = release(tx, &ReleaseLeaseSpec { id, token }).map_err(code)?;
            format!("released {:?}", done.next.map(|grant| number_of(&grant.owner)))
        }
        Step::Transfer { lease: number, right, to, ttl } => {
            let (id, token, to) = (lease(*number), token(tx, *number, *right), owner(*to));
            let ttl = ttl.map(us);
            let spec = TransferLeaseSpec { id, token, to, ttl, metadata: None };
            transfer(tx, &spec).map_err(code)?;
            "transferred".to_owned()
        }
        Step::Withdraw { lease: number, owner: name } => {
            let spec = WithdrawSpec { id: lease(*number), owner: owner(*name) };
            withdraw(tx, &spec).map_err(code)?;
            "withdrawn".to_owned()
        }
        Step::Guard { lease: number, right } => {
            let (id, token) = (lease(*number), token(tx, *number, *right));
            let row = guard(tx, &GuardLeaseSpec { id, token }).map_err(code)?;
            format!("valid {}", number_of(&row.owner))
        }
    })
}

/// Grants that were seen, with their tokens.
#[derive(Default)]
struct Tokens(BTreeMap<u8, (u64, u64)>);

impl Tokens {
    /// A grant keeps its token; the next has a higher one.
    fn see(&mut self, lease: u8, grant: u64, token: u64) {
        let before = self.0.insert(lease, (grant, token));
        if let Some((earlier, old)) = before {
            assert!(if earlier == grant { token == old } else { token > old }, "{old} {token}");
        }
    }
}

/// Is all as the model has it?
fn compare(world: &World, naive: &Naive, start: LogTime, tokens: &mut Tokens) {
    for number in 0..LEASES {
        let found = look(&world.view(), number);
        let held = naive.leases.get(&number);
        let waits =
            found.waiters.iter().map(|waiter| (number_of(&waiter.owner), waiter.waits_until));
        let queue = held.map_or(&[][..], |held| &held.queue);
        let expected = queue.iter().map(|waiting| (waiting.owner, start.plus_us(waiting.until)));
        assert_eq!(waits.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let grant = found.grant.as_ref();
        let shown = grant.map(|grant| (number_of(&grant.owner), grant.expires_at));
        assert_eq!(shown, held.map(|held| (held.owner, start.plus_us(held.ends))));
        if let (Some(grant), Some(held)) = (grant, held) {
            tokens.see(number, held.grant, grant.token);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn leases_do_what_naive_ones_do(transactions in prop::collection::vec(transaction(), 1..60)) {
        let (mut world, mut naive) = (World::default(), Naive::default());
        let (start, mut tokens) = (world.now(), Tokens::default());
        for (steps, us) in &transactions {
            let did = world.transact(|tx| {
                steps.iter().map(|step| take(tx, step)).collect::<Result<Vec<_>, _>>()
            });
            let did = did.map_err(|stop| match stop {
                Stop::Refused(code) => code,
                Stop::Aborted(abort) => panic!("{abort}"),
            });
            prop_assert_eq!(did, naive.take(steps), "{:?}", steps);
            compare(&world, &naive, start, &mut tokens);
            world.pass(*us, &VOCABULARY);
            naive.pass(*us);
            compare(&world, &naive, start, &mut tokens);
        }
    }
}
