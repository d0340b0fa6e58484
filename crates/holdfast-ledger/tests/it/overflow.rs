//! Sums at the end of what an amount holds: out of reach over the wire, where an
//! amount has 53 bits, but not for code that calls the ledger.

use holdfast_ledger::{
    COMMANDS, Limit, TIMERS, TransferRefusal, TransferSpec,
    open_account::{OpenAccount, OpenAccountSpec},
    transfer,
};
use holdfast_state::{
    Amount, Id, Stop,
    command::Write as _,
    scenario::{Vocabulary, World},
};

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn make(world: &mut World, name: &str, amount: i128, pending: bool) -> Result<(), TransferRefusal> {
    let mut spec = TransferSpec::posted(Some(id(name)), id("a"), id("b"), Amount::new(amount));
    spec.pending = pending;
    match world.transact(|tx| transfer(tx, &spec)) {
        Ok(_) => Ok(()),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Aborted(abort)) => panic!("{abort}"),
    }
}

#[test]
fn a_sum_that_does_not_fit_is_refused_and_posting_never_overflows() {
    let mut world = World::default();
    for (account, limit) in [("a", Limit::None), ("b", Limit::None)] {
        let asset = "EUR".parse().unwrap();
        let spec = OpenAccountSpec { id: id(account), asset, limit, metadata: None };
        world.transact(|tx| OpenAccount::run(tx, &spec)).unwrap();
    }
    make(&mut world, "1", i128::MAX - 10, false).unwrap();
    make(&mut world, "2", 10, true).unwrap();
    let overflows = Err(TransferRefusal::Overflows { account: id("a") });
    assert_eq!(make(&mut world, "3", 1, false), overflows);
    assert_eq!(make(&mut world, "3", 1, true), overflows);
    assert_eq!(make(&mut world, "3", i128::MAX, true), overflows);
    let spec = holdfast_ledger::post_pending::PostPendingSpec { id: id("2"), amount: None };
    let posted = world.transact(|tx| holdfast_ledger::post_pending::post_pending(tx, &spec));
    assert_eq!(posted.unwrap().transfer.posted_amount, Some(Amount::new(10)));
    assert_eq!(make(&mut world, "3", 1, false), overflows);
    let vocabulary = Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };
    assert!(world.pass(1, &vocabulary).is_empty());
}
