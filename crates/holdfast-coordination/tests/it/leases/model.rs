//! Random commands and time against naive leases: every outcome, and after each
//! transaction who holds what, until when, and who waits.

mod naive;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_coordination::{
    leases::{
        AcquireLeaseSpec, GuardLeaseSpec, Lease, ReleaseLeaseSpec, RenewLeaseSpec,
        TransferLeaseSpec, WithdrawSpec, acquire,
        get::{GetLease, GetLeaseSpec},
        guard, release, renew,
        row::{Leases, Waiters},
        transfer, withdraw,
    },
    sessions::{self, CloseSessionSpec, OpenSessionSpec, RenewSessionSpec, close, open},
    ties::{Tie, row::Ties},
};
use holdfast_state::{
    Id, Lifetime, LogTime, Read, Scan, Stop, Tx,
    command::{Query as _, Refusal},
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

use crate::timers;
use naive::{Naive, Step, Wish};

const LEASES: u8 = 4;
const OWNERS: u8 = 5;
const SESSIONS: u8 = 3;

fn lease(number: u8) -> Id {
    Id::new(&format!("l{number}")).unwrap()
}

/// Names that sort otherwise than they come.
fn owner(number: u8) -> Id {
    Id::new(["m", "b", "z", "a", "q"][usize::from(number)]).unwrap()
}

fn session(number: u8) -> Id {
    Id::new(&format!("s{number}")).unwrap()
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
    let session = || prop::option::weighted(0.5, 0..SESSIONS);
    let wish = (
        owner.clone(),
        prop::option::weighted(0.7, 1..40_u64),
        prop::option::weighted(0.8, 1..60_u64),
        session(),
    );
    let wish =
        wish.prop_map(|(owner, ttl, wait_for, session)| Wish { owner, ttl, wait_for, session });
    prop_oneof![
        8 => (lease.clone(), wish).prop_map(|(lease, wish)| Step::Acquire { lease, wish }),
        2 => (lease.clone(), right(), ttl())
            .prop_map(|(lease, right, ttl)| Step::Renew { lease, right, ttl }),
        2 => (lease.clone(), right()).prop_map(|(lease, right)| Step::Release { lease, right }),
        1 => (lease.clone(), right(), owner.clone(), ttl(), session()).prop_map(
            |(lease, right, to, ttl, session)| Step::Transfer { lease, right, to, ttl, session }
        ),
        1 => (lease.clone(), owner).prop_map(|(lease, owner)| Step::Withdraw { lease, owner }),
        1 => (lease, right()).prop_map(|(lease, right)| Step::Guard { lease, right }),
        3 => (0..SESSIONS, 1..60_u64).prop_map(|(session, ttl)| Step::Open { session, ttl }),
        2 => (0..SESSIONS, ttl())
            .prop_map(|(session, ttl)| Step::RenewSession { session, ttl }),
        1 => (0..SESSIONS).prop_map(|session| Step::Close { session }),
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
        Step::Acquire { lease: number, wish } => {
            let (id, owner, ttl) = (lease(*number), owner(wish.owner), wish.ttl.map(us));
            let (wait_for, session) = (wish.wait_for.map(us), wish.session.map(session));
            let spec = AcquireLeaseSpec { id, owner, ttl, wait_for, session, metadata: None };
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
        Step::Transfer { lease: number, right, to, ttl, session: number_of_session } => {
            let (id, token, to) = (lease(*number), token(tx, *number, *right), owner(*to));
            let (ttl, session) = (ttl.map(us), number_of_session.map(session));
            let spec = TransferLeaseSpec { id, token, to, ttl, session, metadata: None };
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
            let grant = guard(tx, &GuardLeaseSpec { id, token }).map_err(code)?;
            format!("valid {}", number_of(&grant.owner))
        }
        Step::Open { .. } | Step::RenewSession { .. } | Step::Close { .. } => {
            return take_session(tx, step);
        }
    })
}

fn take_session(tx: &mut Tx<'_>, step: &Step) -> Result<String, Stop<String>> {
    Ok(match step {
        Step::Open { session: number, ttl } => {
            let (id, ttl) = (Some(session(*number)), us(*ttl));
            let spec = OpenSessionSpec { id, ttl, owner: None, metadata: None };
            let done = open(tx, &spec).map_err(code)?;
            format!("opened{}", if done.existed { " before" } else { "" })
        }
        Step::RenewSession { session: number, ttl } => {
            let (id, ttl) = (session(*number), ttl.map(us));
            let spec = RenewSessionSpec { id, version: None, ttl };
            sessions::renew(tx, &spec).map_err(code)?;
            "renewed".to_owned()
        }
        Step::Close { session: number } => {
            let spec = CloseSessionSpec { id: session(*number), version: None };
            close(tx, &spec).map_err(code)?;
            "closed".to_owned()
        }
        step => unreachable!("{step:?} is none of sessions"),
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
        let (held, queue) = naive.shown(number);
        let waits =
            found.waiters.iter().map(|waiter| (number_of(&waiter.owner), waiter.waits_until));
        let expected = queue.iter().map(|waiting| (waiting.owner, start.plus_us(waiting.until)));
        assert_eq!(waits.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        let grant = found.grant.as_ref();
        let shown = grant.map(|grant| (number_of(&grant.owner), grant.expires_at));
        assert_eq!(shown, held.map(|(held, ends)| (held.owner, start.plus_us(ends))));
        if let (Some(grant), Some((held, _))) = (grant, held) {
            tokens.see(number, held.grant, grant.token);
        }
    }
    assert_eq!(ties(world), hanging(world));
}

/// What hangs on sessions, as they have it: session, life, kind, and names by kind.
type Hanging = BTreeSet<(String, u64, u16, u16, String, String)>;

fn ties(world: &World) -> Hanging {
    let rows = world.view().scan::<Ties>(&(), Scan::up(1000)).unwrap();
    let parts = rows.iter().map(|found| {
        let mut key = found.key();
        let life = (key.str().unwrap(), key.u64().unwrap(), key.u16().unwrap());
        let names = (key.u16().unwrap(), key.str().unwrap(), key.str().unwrap());
        (life.0, life.1, life.2, names.0, names.1, names.2)
    });
    parts.collect()
}

/// The same as leases and queues have it.
fn hanging(world: &World) -> Hanging {
    let view = world.view();
    let part = |tie: &Tie, kind, lease: String, owner: &str| {
        let session = tie.session.as_str().to_owned();
        (session, tie.opened.get(), tie.number, kind, lease, owner.to_owned())
    };
    let waiters = view.scan::<Waiters>(&(), Scan::up(1000)).unwrap();
    let places = waiters.iter().filter_map(|found| {
        let tie = found.row.tie.as_ref()?;
        Some(part(tie, 0, found.key().str().unwrap(), &found.row.owner))
    });
    let leases = view.scan::<Leases>(&(), Scan::up(1000)).unwrap();
    let grants = leases
        .iter()
        .filter_map(|found| Some(part(found.row.tie.as_ref()?, 1, found.key().str().unwrap(), "")));
    places.chain(grants).collect()
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
            let (timers, us) = (timers(), (*us).max(u64::from(naive.is_left())));
            world.pass(us, &Vocabulary { commands: &[], timers: &timers, looks: &[] });
            naive.pass(us);
            compare(&world, &naive, start, &mut tokens);
        }
    }
}
