//! The log's protocol, explored within the bounds of every day: as it is nothing goes wrong,
//! and without each of its rules something does.
//!
//! One test for each case, so that they run beside each other.

use holdfast_lab::model::{Case, Explored, Outcome, cases};

/// More states than any case has.
const STATES_MAX: usize = 5_000_000;

fn run(name: &str) -> (Case, Explored) {
    let found = cases().into_iter().find(|case| case.name == name);
    let case = found.unwrap_or_else(|| panic!("no case is called {name}"));
    let explored = case.run(STATES_MAX);
    eprintln!("{name}: {} states, {} steps deep", explored.states, explored.depth);
    (case, explored)
}

fn holds(name: &str) {
    let (case, explored) = run(name);
    assert_eq!(case.without, None);
    assert_eq!(explored.outcome, Outcome::Holds);
}

/// Without the rule something goes wrong, and not before so many steps.
fn goes_wrong(rule: &str, name: &str, steps: usize, what: &str) {
    let (case, explored) = run(name);
    assert_eq!(case.without, Some(rule));
    let Outcome::Violated(trace) = explored.outcome else { panic!("{explored:?}") };
    assert_eq!(trace.steps.len(), steps, "{trace}");
    assert!(trace.violation.contains(what), "{trace}");
}
