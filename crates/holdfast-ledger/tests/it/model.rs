//! Random commands against a naive ledger: every outcome and every balance, after
//! each step, at any version and time, and what the audit says.

mod naive;

use holdfast_ledger::{
    COMMANDS, Limit, Metadata, TIMERS, TransferSpec,
    audit::Audit,
    balance_at::{BalanceAt, BalanceAtSpec, Moment},
    close_account::{CloseAccount, CloseAccountSpec},
    open_account::{OpenAccount, OpenAccountSpec},
    post_pending::{PostPendingSpec, post_pending},
    reopen_account::{ReopenAccount, ReopenAccountSpec},
    row::Accounts,
    transfer,
    transfer_linked::{TransferLinked, TransferLinkedSpec},
    void_pending::{VoidPendingSpec, void_pending},
};
use holdfast_state::{
    Amount, Batch, Id, Lifetime, LogTime, Namespace, Read as _, Stop,
    command::{Query as _, Refusal, Write as _},
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

use naive::{Expiry, Naive, Step, Sums, Wanted};

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

/// The names of accounts and transfers that the model numbers.
fn id(kind: char, number: u8) -> Id {
    Id::new(&format!("{kind}{number}")).unwrap()
}

fn amount() -> impl Strategy<Value = i128> {
    prop_oneof![
        1 => -1..=0_i128,
        12 => 1..60_i128,
        1 => Just(i128::MAX / 2),
        1 => Just(i128::MAX - 30),
    ]
}

fn expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![
        6 => Just(Expiry::Never),
        3 => (1..90_u64).prop_map(Expiry::In),
        2 => (0..400_u64).prop_map(Expiry::At),
        1 => (1..90_u64).prop_map(Expiry::Both),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let accounts = (0..7_u8, 0..7_u8);
    let options =
        (prop::bool::weighted(0.5), expiry(), prop::option::weighted(0.2, 0..2_u8), 0..8_u8);
    (0..24_u8, accounts, amount(), options).prop_map(
        |(id, (debit, credit), amount, (pending, expiry, asset, metadata))| Wanted {
            id,
            debit,
            credit,
            amount,
            pending,
            expiry,
            asset,
            metadata: metadata == 0,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..6_u8, 0..2_u8, 0..3_u8).prop_map(|(account, asset, limit)| Step::Open { account, asset: asset % 2 * (account % 3 / 2), limit }),
        1 => (0..7_u8).prop_map(Step::Close),
        1 => (0..7_u8).prop_map(Step::Reopen),
        12 => wanted().prop_map(Step::Transfer),
        3 => prop::collection::vec(wanted(), 0..4).prop_map(Step::Linked),
        5 => (0..24_u8, prop::option::of(amount())).prop_map(|(id, amount)| Step::Post { id, amount }),
        3 => (0..24_u8).prop_map(Step::Void),
        3 => (0..60_u64).prop_map(Step::Advance),
    ]
}

const LIMITS: [Limit; 3] =
    [Limit::None, Limit::DebitsNotAboveCredits, Limit::CreditsNotAboveDebits];
const ASSETS: [&str; 2] = ["EUR", "USD"];

fn spec(wanted: &Wanted, beginning: LogTime) -> TransferSpec {
    let seconds = |s: u64| s * 1_000_000;
    let lifetime = |s| Some(Lifetime::from_us(seconds(s)).unwrap());
    let (expires_at, expires_in) = match wanted.expiry {
        Expiry::Never => (None, None),
        Expiry::In(s) => (None, lifetime(s)),
        Expiry::At(s) => (Some(beginning.plus_us(seconds(s))), None),
        Expiry::Both(s) => (Some(beginning.plus_us(seconds(s))), lifetime(s)),
    };
    TransferSpec {
        id: Some(id('t', wanted.id)),
        debit_account: id('a', wanted.debit),
        credit_account: id('a', wanted.credit),
        amount: Amount::new(wanted.amount),
        asset: wanted.asset.map(|asset| ASSETS[usize::from(asset)].parse().unwrap()),
        pending: wanted.pending,
        expires_at,
        expires_in,
        metadata: wanted.metadata.then(|| Metadata::new(r#"{"for":"dinner"}"#).unwrap()),
    }
}

/// `done`, `existed`, or the refusal's code.
fn said<T, R: Refusal>(result: Result<T, Stop<R>>, existed: impl Fn(&T) -> bool) -> String {
    match result {
        Ok(outcome) if existed(&outcome) => "existed".to_owned(),
        Ok(_) => "done".to_owned(),
        Err(Stop::Refused(refusal)) => refusal.code().to_owned(),
        Err(Stop::Aborted(abort)) => panic!("{abort}"),
    }
}

/// Takes the step in the ledger, and says what came of it.
fn take(world: &mut World, step: &Step, beginning: LogTime) -> String {
    match step {
        Step::Open { account, asset, limit } => {
            let spec = OpenAccountSpec {
                id: id('a', *account),
                asset: ASSETS[usize::from(*asset)].parse().unwrap(),
                limit: LIMITS[usize::from(*limit)],
                metadata: None,
            };
            said(world.transact(|tx| OpenAccount::run(tx, &spec)), |done| done.existed)
        }
        Step::Close(account) => {
            let spec = CloseAccountSpec { id: id('a', *account) };
            said(world.transact(|tx| CloseAccount::run(tx, &spec)), |done| done.existed)
        }
        Step::Reopen(account) => {
            let spec = ReopenAccountSpec { id: id('a', *account) };
            said(world.transact(|tx| ReopenAccount::run(tx, &spec)), |done| done.existed)
        }
        Step::Transfer(wanted) => {
            let spec = spec(wanted, beginning);
            said(world.transact(|tx| transfer(tx, &spec)), |done| done.existed)
        }
        Step::Linked(all) => {
            let transfers = all.iter().map(|wanted| spec(wanted, beginning)).collect();
            let spec = TransferLinkedSpec { transfers };
            said(world.transact(|tx| TransferLinked::run(tx, &spec)), |done| done.existed)
        }
        Step::Post { id: number, amount } => {
            let spec = PostPendingSpec { id: id('t', *number), amount: amount.map(Amount::new) };
            said(world.transact(|tx| post_pending(tx, &spec)), |done| done.existed)
        }
        Step::Void(number) => {
            let spec = VoidPendingSpec { id: id('t', *number) };
            said(world.transact(|tx| void_pending(tx, &spec)), |done| done.existed)
        }
        Step::Advance(seconds) => {
            format!("fired {}", world.pass(seconds * 1_000_000, &VOCABULARY).len())
        }
    }
}

fn sums(world: &World, account: u8) -> Option<Sums> {
    let row = world.view().get::<Accounts>(id('a', account).as_str()).unwrap()?;
    let sums = row.balances;
    Some(Sums {
        debits: [sums.debits_posted.get(), sums.debits_pending.get()],
        credits: [sums.credits_posted.get(), sums.credits_pending.get()],
    })
}

fn balances(world: &World) -> Vec<Option<Sums>> {
    (0..7).map(|account| sums(world, account)).collect()
}

fn at(world: &World, account: u8, at: Moment) -> Option<Sums> {
    let spec = BalanceAtSpec { account: id('a', account), at };
    let sums = BalanceAt::run(&world.view(), &spec).ok()?.balances;
    Some(Sums {
        debits: [sums.debits_posted.get(), sums.debits_pending.get()],
        credits: [sums.credits_posted.get(), sums.credits_pending.get()],
    })
}

fn version(world: &World) -> u64 {
    world.log().iter().map(|batch| u64::from(batch.count)).sum()
}

fn audited(world: &World, from: usize, start: Audit) -> Vec<String> {
    let mut audit = start;
    let batches: &[Batch] = &world.log()[from..];
    batches.iter().for_each(|batch| audit.batch(batch));
    let report = audit.finish(&world.view()).unwrap();
    report.differences.listed.iter().map(ToString::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_does_what_the_naive_one_does(steps in prop::collection::vec(step(), 1..120)) {
        let (mut world, mut naive) = (World::default(), Naive::default());
        let beginning = world.now();
        // Enough accounts to begin with that most transfers find two.
        let opened = (0..5).map(|account| Step::Open {
            account, asset: account / 4, limit: account % 3,
        });
        let mut seen = Vec::new();
        let mut middle = None;
        for (index, step) in opened.chain(steps.iter().cloned()).enumerate() {
            let (did, expected) = (take(&mut world, &step, beginning), naive.take(&step));
            prop_assert_eq!(did, expected, "{:?}", step);
            prop_assert_eq!(balances(&world), naive.balances(), "{:?}", step);
            seen.push((version(&world), world.now(), balances(&world)));
            if index == steps.len() / 2 {
                middle = Some((world.log().len(), Audit::from_state(&world.view()).unwrap()));
            }
        }
        // Each moment's last word stands, as long as a later step had no word at it.
        for (index, (version, time, then)) in seen.iter().enumerate() {
            let last_of_time = seen[index + 1..].iter().all(|(_, later, _)| later > time);
            for account in 0..7 {
                let then = then[usize::from(account)].clone().unwrap_or_default();
                let found = at(&world, account, Moment::Version(*version));
                prop_assert_eq!(found.unwrap_or_default(), then.clone(), "at {}", version);
                if last_of_time {
                    let found = at(&world, account, Moment::Time(*time));
                    prop_assert_eq!(found.unwrap_or_default(), then, "at {}", time);
                }
            }
        }
        prop_assert_eq!(audited(&world, 0, Audit::from_nothing(Namespace::DEFAULT)), [""; 0]);
        let (from, start) = middle.expect("the run has a middle");
        prop_assert_eq!(audited(&world, from, start), [""; 0]);
    }
}
