//! Every state that can come about, breadth first.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
};

/// Something that goes from state to state in steps.
pub trait System {
    /// A state.
    type State;

    /// Where it begins.
    fn start(&mut self) -> Self::State;

    /// Everything that may happen next, always in the same order.
    fn steps(&mut self, state: &Self::State) -> Vec<(Step, Self::State)>;

    /// Writes a state's bytes; states are the same if these are.
    fn encode(&self, state: &Self::State, into: &mut Vec<u8>);

    /// What must not be, and is.
    fn violation(&mut self, state: &Self::State) -> Option<String>;

    /// A state in a line, for traces.
    fn show(&self, state: &Self::State) -> String;
}

/// What happens, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// In a word.
    pub what: &'static str,
    /// Which node's step it is; `None` for the log's own.
    pub node: Option<u8>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.node {
            Some(node) => write!(f, "node {node}: {}", self.what),
            None => write!(f, "the log: {}", self.what),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// States that were seen.
    pub states: usize,
    /// How many steps the furthest of them is away.
    pub depth: usize,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an exploration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There are no more states, and none of them violates anything.
    Holds,
    /// There are more states than were to be looked at.
    BoundReached,
    /// A state violates something, and there is no shorter way to any that does.
    Violated(Trace),
}

/// A shortest way to a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What is wrong at the end.
    pub violation: String,
    /// Each step, and the state after it.
    pub steps: Vec<(Step, String)>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (step, state)) in (1..).zip(&self.steps) {
            writeln!(f, "  {number:>2} {:<28} {state}", step.to_string())?;
        }
        write!(f, "  {}", self.violation)
    }
}

/// From which state a state was reached first, and by which of its steps.
type Parent = (u32, u16);

/// Looks at every state, or at the first `states_max`.
pub fn explore<S: System>(system: &mut S, states_max: usize) -> Explored {
    let start = system.start();
    let mut seen: HashSet<Box<[u8]>> = HashSet::new();
    let mut parents: Vec<Parent> = vec![(0, 0)];
    let mut bytes = Vec::new();
    system.encode(&start, &mut bytes);
    seen.insert(bytes.as_slice().into());
    let mut queue = VecDeque::from([(0_u32, 0_usize, start)]);
    let mut depth = 0;
    while let Some((number, way, state)) = queue.pop_front() {
        depth = way;
        for (choice, (_, next)) in (0..).zip(system.steps(&state)) {
            bytes.clear();
            system.encode(&next, &mut bytes);
            if seen.contains(bytes.as_slice()) {
                continue;
            }
            seen.insert(bytes.as_slice().into());
            let id = u32::try_from(parents.len()).expect("memory ends before");
            parents.push((number, choice));
            if let Some(violation) = system.violation(&next) {
                let steps = retrace(system, &parents, id);
                let outcome = Outcome::Violated(Trace { violation, steps });
                return Explored { states: parents.len(), depth: way + 1, outcome };
            }
            queue.push_back((id, way + 1, next));
        }
        if parents.len() > states_max {
            return Explored { states: parents.len(), depth, outcome: Outcome::BoundReached };
        }
    }
    Explored { states: parents.len(), depth, outcome: Outcome::Holds }
}

fn retrace<S: System>(system: &mut S, parents: &[Parent], mut id: u32) -> Vec<(Step, String)> {
    let mut choices = Vec::new();
    while id != 0 {
        let (parent, choice) = parents[usize::try_from(id).expect("it is an index")];
        choices.push(choice);
        id = parent;
    }
    let mut state = system.start();
    let mut steps = Vec::new();
    for choice in choices.into_iter().rev() {
        let taken = system.steps(&state).into_iter().nth(usize::from(choice));
        let (step, next) = taken.expect("steps come in the same order every time");
        steps.push((step, system.show(&next)));
        state = next;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counters; each step adds one to either. The sum must not reach a bound.
    struct Counters {
        most: u8,
        wrong: u8,
    }

    impl System for Counters {
        type State = (u8, u8);

        fn start(&mut self) -> (u8, u8) {
            (0, 0)
        }

        fn steps(&mut self, (a, b): &(u8, u8)) -> Vec<(Step, (u8, u8))> {
            let step = |node| Step { what: "counts", node: Some(node) };
            let (a, b) = (*a, *b);
            let both = [(step(0), (a + 1, b)), (step(1), (a, b + 1))];
            both.into_iter().filter(|(_, (a, b))| *a <= self.most && *b <= self.most).collect()
        }

        fn encode(&self, state: &(u8, u8), into: &mut Vec<u8>) {
            into.extend([state.0, state.1]);
        }

        fn violation(&mut self, (a, b): &(u8, u8)) -> Option<String> {
            (a + b == self.wrong).then(|| "too many".to_owned())
        }

        fn show(&self, state: &(u8, u8)) -> String {
            format!("{state:?}")
        }
    }

    #[test]
    fn every_state_is_seen_once() {
        let explored = explore(&mut Counters { most: 4, wrong: 99 }, 1_000);
        assert_eq!(explored, Explored { states: 25, depth: 8, outcome: Outcome::Holds });
        let bounded = explore(&mut Counters { most: 4, wrong: 99 }, 10);
        assert_eq!(bounded.outcome, Outcome::BoundReached);
    }

    #[test]
    fn the_way_to_a_violation_is_a_shortest_one() {
        let explored = explore(&mut Counters { most: 4, wrong: 3 }, 1_000);
        let Outcome::Violated(trace) = explored.outcome else { panic!("{explored:?}") };
        let states: Vec<&str> = trace.steps.iter().map(|(_, state)| &**state).collect();
        assert_eq!(states, ["(1, 0)", "(2, 0)", "(3, 0)"]);
        assert!(trace.to_string().ends_with("too many"), "{trace}");
    }
}
