//! What transactions count beside what they write: decisions that change nothing, such as a
//! denial, and so are in no row.
//!
//! A transaction says [`Tx::count`](crate::Tx::count); whoever ran it adds what it counted to
//! its [`Tallies`], once an outcome was reached, be it a refusal. So tallies are of one process
//! and begin at 0 with it, a request that is answered from its idempotency record counts nothing,
//! and what is counted was decided, whatever became of it after: an operation that was allowed in
//! a transaction that another operation refused is counted.
//!
//! Names are what callers gave, and there may be any number: of those beyond [`PLACES_MAX`] only
//! the sum is kept.

use std::collections::BTreeMap;

use crate::{
    instrument::{Instrument, Reading},
    table::Namespace,
};

/// How many families and names are told apart.
pub const PLACES_MAX: usize = 10_000;

/// So many more of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The name of the family that it is of.
    pub family: &'static str,
    /// As many as the family's instrument has labels.
    pub names: Names,
    /// How many.
    pub count: u64,
}

/// What something is called.
pub type Names = Box<[Box<str>]>;

/// A family, and what it is counted for.
type Place = (&'static str, Namespace, Names);

/// Everything that was counted in a process.
#[derive(Debug, Default)]
pub struct Tallies {
    counts: BTreeMap<Place, u64>,
    /// Of names that there was no room for.
    others: BTreeMap<(&'static str, Namespace), u64>,
}

impl Tallies {
    /// Adds what a transaction of this namespace counted.
    pub fn add(&mut self, namespace: Namespace, counted: Vec<Tally>) {
        for Tally { family, names, count } in counted {
            let full = self.counts.len() >= PLACES_MAX;
            let place = (family, namespace, names);
            let sum = match self.counts.get_mut(&place) {
                Some(sum) => sum,
                None if full => self.others.entry((family, namespace)).or_default(),
                None => self.counts.entry(place).or_default(),
            };
            *sum = sum.saturating_add(count);
        }
    }

    /// What was counted in a namespace of an instrument's families, by name; and what of names
    /// that were not kept, where there were any.
    #[must_use]
    pub fn read(
        &self,
        instrument: &Instrument,
        namespace: Namespace,
    ) -> (Vec<Reading>, Option<Vec<u64>>) {
        let (families, mut readings) = (instrument.families, BTreeMap::<&Names, Vec<u64>>::new());
        for (index, family) in families.iter().enumerate() {
            let from = (family.name, namespace, Names::default());
            let counts = self.counts.range(from..);
            let own = |((name, of, _), _): &(&Place, _)| *name == family.name && *of == namespace;
            for ((_, _, names), count) in counts.take_while(own) {
                readings.entry(names).or_insert_with(|| vec![0; families.len()])[index] = *count;
            }
        }
        let readings = readings.into_iter().map(|(names, values)| Reading {
            names: names.iter().map(ToString::to_string).collect(),
            values,
        });
        let others = families.iter().map(|family| self.others.get(&(family.name, namespace)));
        let others: Vec<_> = others.map(Option::<&u64>::copied).collect();
        let any = others.iter().any(Option::is_some);
        let others = others.into_iter().map(Option::unwrap_or_default).collect();
        (readings.collect(), any.then_some(others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::{Family, Shown, Source};

    const INSTRUMENT: Instrument = Instrument {
        labels: &["limit"],
        families: &[
            Family { name: "denied", shown: Shown::Counter, about: "" },
            Family { name: "allowed", shown: Shown::Counter, about: "" },
        ],
        source: Source::Counted,
    };

    fn tally(family: &'static str, name: &str, count: u64) -> Tally {
        Tally { family, names: [name.into()].into(), count }
    }

    fn reading(name: &str, values: [u64; 2]) -> Reading {
        Reading { names: vec![name.to_owned()], values: values.to_vec() }
    }

    #[test]
    fn what_was_counted_is_read_by_namespace_and_name() {
        let (mut tallies, seven) = (Tallies::default(), Namespace::new(7));
        tallies.add(seven, vec![tally("allowed", "b", 2), tally("denied", "a", 1)]);
        tallies.add(seven, vec![tally("allowed", "b", 3), tally("another", "b", 3)]);
        tallies.add(Namespace::new(8), vec![tally("denied", "b", 1)]);
        let (readings, others) = tallies.read(&INSTRUMENT, seven);
        assert_eq!(readings, [reading("a", [1, 0]), reading("b", [0, 5])]);
        assert_eq!(others, None);
        let (readings, _) = tallies.read(&INSTRUMENT, Namespace::new(8));
        assert_eq!(readings, [reading("b", [1, 0])]);
    }

    #[test]
    fn of_names_beyond_the_most_only_the_sum_is_kept() {
        let (mut tallies, namespace) = (Tallies::default(), Namespace::DEFAULT);
        let many = (0..PLACES_MAX).map(|number| tally("allowed", &number.to_string(), 1));
        tallies.add(namespace, many.collect());
        let late = || vec![tally("denied", "late", 2), tally("allowed", "3", 1)];
        tallies.add(namespace, late());
        tallies.add(namespace, late());
        let (readings, others) = tallies.read(&INSTRUMENT, namespace);
        assert_eq!((readings.len(), others), (PLACES_MAX, Some(vec![4, 0])));
        assert!(readings.contains(&reading("3", [0, 3])), "who is known goes on being counted");
    }
}
