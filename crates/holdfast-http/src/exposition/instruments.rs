//! What primitives show of the state, and what their transactions counted, as series.
//!
//! Names are what callers gave, so there may be any number of them: of each instrument the
//! [`NAMES_MAX`] things have series of their own that have the most of its first family, and
//! all others are one series whose labels are `*`, which no name is. So the sum over all
//! series is the sum over all things. For all namespaces together an instrument reads
//! [`ROWS_MAX`] rows; whether that was enough is a series as well.

use std::cmp::Reverse;

use holdfast_node::Node;
use holdfast_state::{
    Abort, Namespace, Read as _, View,
    instrument::{BoundedView, Family, Instrument, ReadState, Reading, Shown, Source},
    tally::Tallies,
};

use super::page::{Page, label, seconds};

/// Things of one instrument that have series of their own.
pub const NAMES_MAX: usize = 100;

/// Rows that one instrument reads, for one page.
pub const ROWS_MAX: usize = 50_000;

/// Stands for all names that are not shown.
const OTHERS: &str = "*";

/// Reads everything and shows it.
pub(super) fn show_all(page: &mut Page, node: &Node, namespaces: &[Namespace]) {
    let partition = node.partition();
    let views: Vec<_> = namespaces.iter().map(|each| partition.view(*each)).collect();
    let mut cut = Vec::new();
    for instrument in node.registry().instruments() {
        let Some(first) = instrument.families.first() else { continue };
        let rows = match instrument.source {
            Source::State(read) => match look(instrument, read, &views, ROWS_MAX) {
                Ok((rows, was_cut)) => {
                    cut.push((first.name, was_cut));
                    rows
                }
                Err(abort) => {
                    tracing::warn!(instrument = first.name, %abort, "nothing is read");
                    continue;
                }
            },
            Source::Counted => counted(instrument, &partition.metrics().tallies.lock(), namespaces),
        };
        show(page, instrument, folded(instrument.families, rows, NAMES_MAX));
    }
    let help = "1 where an instrument's numbers are of a part, there being too much to read.";
    page.family("instrument_cut", "gauge", help);
    for (name, was_cut) in cut {
        page.sample("instrument_cut", &label("instrument", name), u8::from(was_cut));
    }
}

/// Labels, and a value for each family.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    /// The namespace and the names; of what has lost its names, [`OTHERS`] for each.
    names: Vec<String>,
    values: Vec<u64>,
}

impl Row {
    fn of(
        instrument: &Instrument,
        namespace: Namespace,
        Reading { names, values }: Reading,
    ) -> Self {
        assert_eq!(names.len(), instrument.labels.len(), "a name for each label");
        assert_eq!(values.len(), instrument.families.len(), "a value for each family");
        let names = std::iter::once(namespace.get().to_string()).chain(names).collect();
        Self { names, values }
    }

    fn of_others(names: usize, values: Vec<u64>) -> Self {
        Self { names: vec![OTHERS.to_owned(); names], values }
    }

    fn has_names(&self) -> bool {
        self.names.iter().all(|name| name != OTHERS)
    }
}

/// What transactions counted. As a rule it is all there: nothing is read beyond a bound.
fn counted(instrument: &Instrument, tallies: &Tallies, namespaces: &[Namespace]) -> Vec<Row> {
    let mut rows = Vec::new();
    for namespace in namespaces {
        let (readings, others) = tallies.read(instrument, *namespace);
        rows.extend(readings.into_iter().map(|it| Row::of(instrument, *namespace, it)));
        rows.extend(others.map(|values| Row::of_others(1 + instrument.labels.len(), values)));
    }
    rows
}

fn look(
    instrument: &Instrument,
    read: ReadState,
    views: &[View],
    rows: usize,
) -> Result<(Vec<Row>, bool), Abort> {
    let (mut left, mut cut, mut found) = (rows, false, Vec::new());
    for view in views {
        let (bounded, namespace) = (BoundedView::new(view, left), view.namespace());
        found.extend(read(&bounded)?.into_iter().map(|it| Row::of(instrument, namespace, it)));
        left = bounded.left();
        cut |= bounded.was_cut();
    }
    Ok((found, cut))
}

/// Those that have the most of the first family, by name, and what the others come to.
fn folded(families: &[Family], mut rows: Vec<Row>, names_max: usize) -> Vec<Row> {
    let order = |row: &Row| (!row.has_names(), Reverse(row.values[0]), row.names.clone());
    rows.sort_by_cached_key(order);
    let named = rows.iter().take_while(|row| row.has_names()).count();
    let others = rows.split_off(names_max.min(named));
    rows.sort_by(|a, b| a.names.cmp(&b.names));
    let rest = others.into_iter().reduce(|all, each| {
        let values = families.iter().zip(all.values.into_iter().zip(each.values));
        let values = values.map(|(family, (all, each))| match family.shown {
            Shown::Counter | Shown::Level => all.saturating_add(each),
            Shown::Age => all.max(each),
        });
        Row { names: all.names, values: values.collect() }
    });
    rows.extend(rest.map(|Row { names, values }| Row::of_others(names.len(), values)));
    rows
}

fn show(page: &mut Page, instrument: &Instrument, rows: Vec<Row>) {
    let labels = |names: &[String]| {
        let known = std::iter::once(&"namespace").chain(instrument.labels);
        known.zip(names).map(|(name, value)| label(name, value)).collect::<Vec<_>>().join(",")
    };
    let rows: Vec<_> = rows.into_iter().map(|row| (labels(&row.names), row.values)).collect();
    for (index, family) in instrument.families.iter().enumerate() {
        let (kind, suffix) = match family.shown {
            Shown::Counter => ("counter", "_total"),
            Shown::Level | Shown::Age => ("gauge", ""),
        };
        page.family(family.name, kind, family.about);
        let name = format!("{}{suffix}", family.name);
        for (labels, values) in &rows {
            match family.shown {
                Shown::Counter | Shown::Level => page.sample(&name, labels, values[index]),
                Shown::Age => page.sample(&name, labels, seconds(values[index])),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: &[Family] = &[
        Family { name: "ready", shown: Shown::Level, about: "" },
        Family { name: "age", shown: Shown::Age, about: "" },
    ];

    fn row(namespace: &str, name: &str, values: [u64; 2]) -> Row {
        Row { names: vec![namespace.to_owned(), name.to_owned()], values: values.to_vec() }
    }

    #[test]
    fn those_with_the_most_are_shown_and_the_others_are_together() {
        let rows = || {
            vec![
                row("1", "a", [3, 10]),
                row("1", "b", [7, 1]),
                row("2", "a", [3, 30]),
                row("2", "c", [0, 40]),
            ]
        };
        let shown = folded(FAMILIES, rows(), 2);
        let expected = [row("1", "a", [3, 10]), row("1", "b", [7, 1]), row("*", "*", [3, 40])];
        assert_eq!(shown, expected);
        assert_eq!(folded(FAMILIES, rows(), 4).len(), 4, "there are no others");
        assert_eq!(folded(FAMILIES, rows(), 0), [row("*", "*", [13, 40])]);
        assert_eq!(folded(FAMILIES, Vec::new(), 2), []);
        let lost = || Row::of_others(2, vec![9, 50]);
        let with_lost = || rows().into_iter().chain([lost()]).collect();
        assert_eq!(folded(FAMILIES, with_lost(), 4).last(), Some(&lost()), "however much it is");
        assert_eq!(folded(FAMILIES, with_lost(), 2).last(), Some(&row("*", "*", [12, 50])));
    }
}
