//! The scenarios in `tests/scenarios`. `UPDATE_SCENARIOS=1` rewrites them.

use std::{collections::BTreeMap, path::Path};

use holdfast_ledger::{
    COMMANDS, TIMERS,
    audit::Audit,
    row::{AccountRow, Accounts},
};
use holdfast_state::{
    Namespace, Read, Scan,
    scenario::{Mode, Vocabulary, World, check},
};

const VOCABULARY: Vocabulary<'static> = Vocabulary {
    commands: COMMANDS,
    timers: TIMERS,
    looks: &[("balances", balances), ("audit", audit)],
};

/// `A=-60[-10+5]`: balance, then pending debits and credits where there are any.
fn balances(world: &World, _: &[&str]) -> String {
    let accounts = world.view().scan::<Accounts>(&(), Scan::up(1000)).unwrap();
    let accounts: BTreeMap<String, AccountRow> =
        accounts.into_iter().map(|found| (found.key().str().unwrap(), found.row)).collect();
    let each = accounts.iter().map(|(id, row)| {
        let sums = &row.balances;
        let pending = |sign: &str, amount: i128| match amount {
            0 => String::new(),
            amount => format!("{sign}{amount}"),
        };
        let debits = pending("-", sums.debits_pending.get());
        let credits = pending("+", sums.credits_pending.get());
        let held = match (debits + &credits).as_str() {
            "" => String::new(),
            held => format!("[{held}]"),
        };
        format!("{id}={}{held}", sums.balance())
    });
    each.collect::<Vec<_>>().join(" ")
}

fn audit(world: &World, _: &[&str]) -> String {
    let mut audit = Audit::from_nothing(Namespace::DEFAULT);
    world.log().iter().for_each(|batch| audit.batch(batch));
    let report = audit.finish(&world.view()).unwrap();
    let differences: Vec<String> =
        report.differences.listed.iter().map(ToString::to_string).collect();
    if differences.is_empty() {
        format!("clean: {} accounts, {} transfers", report.accounts, report.transfers)
    } else {
        format!("DIFFERENCES\n{}", differences.join("\n"))
    }
}

#[test]
fn scenarios_come_out_as_written() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let rewrite = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mode = if rewrite { Mode::Rewrite } else { Mode::Compare };
    match check(&dir, &VOCABULARY, mode) {
        Ok(files) => assert!(files >= 12, "only {files} scenarios were found"),
        Err(error) => panic!("{error}\nreview with UPDATE_SCENARIOS=1 and the diff"),
    }
}
