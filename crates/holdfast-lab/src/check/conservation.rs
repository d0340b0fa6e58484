//! Nothing is made or lost on the way: within every transaction what accounts lose others
//! gain, and the balances at the end are the sum of all changes.
//!
//! Units of anything that moves do as well as money: asset and account are names.

use std::collections::BTreeMap;

use holdfast_state::Version;

/// What an account gained or lost in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The transaction.
    pub version: Version,
    /// Of what.
    pub asset: &'a str,
    /// Who.
    pub account: &'a str,
    /// How much, in the minor unit of the asset.
    pub amount: i64,
}

/// Balances by asset and account. Accounts with nothing may be left out.
pub type Balances<'a> = BTreeMap<(&'a str, &'a str), i128>;

/// Something was made, or lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A transaction's changes do not add up to nothing.
    #[error("version {version} changes the sum of {asset} by {sum}")]
    Unbalanced {
        /// The transaction.
        version: Version,
        /// Of what.
        asset: String,
        /// What was made, or lost if below zero.
        sum: i128,
    },
    /// Changes of a version that another came after.
    #[error("changes of version {version} come after those of version {before}")]
    OutOfOrder {
        /// The version before.
        before: Version,
        /// The version that came late.
        version: Version,
    },
    /// A balance is not what its changes add up to.
    #[error("account {account} has {found} of {asset}; its changes add up to {derived}")]
    Balance {
        /// Of what.
        asset: String,
        /// Whose.
        account: String,
        /// What its changes add up to.
        derived: i128,
        /// What it is.
        found: i128,
    },
    /// All accounts together have not what was there.
    #[error(
        "all accounts have {found} of {asset} at version {version}, and should have {expected}"
    )]
    Total {
        /// When.
        version: Version,
        /// Of what.
        asset: String,
        /// What was there to begin with.
        expected: i128,
        /// What is there.
        found: i128,
    },
}

/// Adds up the changes, which come in version order; in every transaction they must come to
/// nothing, asset by asset.
///
/// # Errors
/// [`Violation::Unbalanced`], [`Violation::OutOfOrder`]
pub fn changes<'a>(
    initial: &Balances<'a>,
    changes: impl IntoIterator<Item = Change<'a>>,
) -> Result<Balances<'a>, Violation> {
    let mut balances = initial.clone();
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    let mut current = Version::ZERO;
    for change in changes {
        let (before, version) = (current, change.version);
        if version < before {
            return Err(Violation::OutOfOrder { before, version });
        }
        if version > before {
            adds_up(before, &sums)?;
            sums.clear();
            current = version;
        }
        let amount = i128::from(change.amount);
        *sums.entry(change.asset).or_default() += amount;
        *balances.entry((change.asset, change.account)).or_default() += amount;
    }
    adds_up(current, &sums)?;
    Ok(balances)
}

fn adds_up(version: Version, sums: &BTreeMap<&str, i128>) -> Result<(), Violation> {
    match sums.iter().find(|(_, sum)| **sum != 0) {
        None => Ok(()),
        Some((asset, sum)) => {
            Err(Violation::Unbalanced { version, asset: (*asset).to_owned(), sum: *sum })
        }
    }
}

/// Compares derived balances with those that were found.
///
/// # Errors
/// [`Violation::Balance`]
pub fn balances(derived: &Balances<'_>, found: &Balances<'_>) -> Result<(), Violation> {
    for (asset, account) in derived.keys().chain(found.keys()) {
        let of = |balances: &Balances<'_>| balances.get(&(*asset, *account)).copied().unwrap_or(0);
        let (derived, found) = (of(derived), of(found));
        if derived != found {
            let (asset, account) = ((*asset).to_owned(), (*account).to_owned());
            return Err(Violation::Balance { asset, account, derived, found });
        }
    }
    Ok(())
}

/// Compares what all accounts have together at some version with what was there.
///
/// # Errors
/// [`Violation::Total`]
pub fn total(
    version: Version,
    found: &Balances<'_>,
    expected: &BTreeMap<&str, i128>,
) -> Result<(), Violation> {
    let mut sums: BTreeMap<&str, i128> = expected.keys().map(|asset| (*asset, 0)).collect();
    for ((asset, _), balance) in found {
        *sums.entry(asset).or_default() += balance;
    }
    for (asset, found) in sums {
        let expected = expected.get(asset).copied().unwrap_or(0);
        if found != expected {
            let asset = asset.to_owned();
            return Err(Violation::Total { version, asset, expected, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn change(version: u64, account: &'static str, amount: i64) -> Change<'static> {
        Change { version: Version::new(version), asset: "EUR", account, amount }
    }

    #[test]
    fn changes_that_add_up_give_the_balances() {
        let moved = [change(1, "a", -5), change(1, "b", 5), change(4, "b", -2)];
        let back = change(4, "a", 2);
        let derived = changes(&Balances::new(), moved.into_iter().chain([back])).unwrap();
        let found = Balances::from([(("EUR", "a"), -3), (("EUR", "b"), 3)]);
        assert_eq!(derived, found);
        assert_eq!(balances(&derived, &found), Ok(()));
    }

    #[test]
    fn a_transaction_that_makes_money_is_found_wherever_it_stands() {
        let whole = [change(1, "a", -5), change(1, "b", 5)];
        for (bad, sum) in [(change(2, "a", 1), 1), (change(2, "a", -1), -1)] {
            let last = whole.into_iter().chain([bad]);
            let inside = last.clone().chain([change(3, "a", 0)]);
            let expected =
                Violation::Unbalanced { version: Version::new(2), asset: "EUR".into(), sum };
            assert_eq!(changes(&Balances::new(), last), Err(expected.clone()));
            assert_eq!(changes(&Balances::new(), inside), Err(expected));
        }
    }

    #[test]
    fn two_halves_of_two_transactions_do_not_make_a_whole() {
        let halves = [change(1, "a", -5), change(2, "b", 5)];
        let wrong = changes(&Balances::new(), halves).unwrap_err();
        assert_eq!(wrong.to_string(), "version 1 changes the sum of EUR by -5");
        let late = [change(2, "a", 0), change(1, "a", 0)];
        assert!(matches!(changes(&Balances::new(), late), Err(Violation::OutOfOrder { .. })));
    }

    #[test]
    fn a_balance_that_is_not_the_sum_is_found_on_either_side() {
        let some = Balances::from([(("EUR", "a"), 3)]);
        let nothing = Balances::from([(("EUR", "b"), 0)]);
        assert!(matches!(balances(&some, &nothing), Err(Violation::Balance { found: 0, .. })));
        assert!(matches!(balances(&nothing, &some), Err(Violation::Balance { found: 3, .. })));
    }

    #[test]
    fn a_total_that_moved_is_found() {
        let found = Balances::from([(("EUR", "a"), 3), (("EUR", "b"), 4)]);
        let at = Version::new(9);
        assert_eq!(total(at, &found, &BTreeMap::from([("EUR", 7)])), Ok(()));
        let wrong = total(at, &found, &BTreeMap::from([("EUR", 8)])).unwrap_err();
        let text = "all accounts have 7 of EUR at version 9, and should have 8";
        assert_eq!(wrong.to_string(), text);
        assert!(total(at, &found, &BTreeMap::new()).is_err());
        assert!(total(at, &Balances::new(), &BTreeMap::from([("EUR", 7)])).is_err());
    }
}
