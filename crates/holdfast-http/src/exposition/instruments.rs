//! What primitives show of the state, as series.
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
    instrument::{BoundedView, Family, Instrument, Reading, Shown},
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
        match read(instrument, &views, ROWS_MAX) {
            Ok((rows, was_cut)) => {
                show(page, instrument, folded(instrument.families, rows, NAMES_MAX));
                cut.push((first.name, was_cut));
            }
            Err(abort) => tracing::warn!(instrument = first.name, %abort, "nothing is read"),
        }
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
    /// The namespace and the names.
    names: Vec<String>,
    values: Vec<u64>,
}

fn read(instrument: &Instrument, views: &[View], rows: usize) -> Result<(Vec<Row>, bool), Abort> {
    let (mut left, mut cut, mut found) = (rows, false, Vec::new());
    for view in views {
        let bounded = BoundedView::new(view, left);
        let namespace = view.namespace().get().to_string();
        for Reading { names, values } in (instrument.read)(&bounded)? {
            assert_eq!(names.len(), instrument.labels.len(), "a name for each label");
            assert_eq!(values.len(), instrument.families.len(), "a value for each family");
            let names = std::iter::once(namespace.clone()).chain(names).collect();
            found.push(Row { names, values });
        }
        left = bounded.left();
        cut |= bounded.was_cut();
    }
    Ok((found, cut))
}

/// Those that have the most of the first family, by name, and what the others come to.
fn folded(families: &[Family], mut rows: Vec<Row>, names_max: usize) -> Vec<Row> {
    rows.sort_by(|a, b| (Reverse(a.values[0]), &a.names).cmp(&(Reverse(b.values[0]), &b.names)));
    let others = rows.split_off(names_max.min(rows.len()));
    rows.sort_by(|a, b| a.names.cmp(&b.names));
    let rest = others.into_iter().reduce(|all, each| {
        let values = families.iter().zip(all.values.into_iter().zip(each.values));
        let values = values.map(|(family, (all, each))| match family.shown {
            Shown::Counter | Shown::Level => all.saturating_add(each),
            Shown::Age => all.max(each),
        });
        Row { names: all.names, values: values.collect() }
    });
    rows.extend(rest.map(|Row { names, values }| Row {
        names: names.into_iter().map(|_| OTHERS.to_owned()).collect(),
        values,
    }));
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
    }
}
