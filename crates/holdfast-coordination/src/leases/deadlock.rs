//! Deadlocks: circles of owners of whom each waits for the next.
//!
//! An owner waits for a lease behind its holder and behind those who came before: all of
//! them must go first. These are the edges of the wait-for graph. An edge appears only
//! when somebody begins to wait or a lease is transferred, so that is when a circle can
//! close, and who would close it is refused: the victim is always the one who came last,
//! and nobody who waits is ever in a circle. Waits and grants whose time or session is over
//! are no edges.
//!
//! The search is bounded; where it would go on for longer, it says that it does not know.

use std::collections::{BTreeMap, VecDeque};

use holdfast_state::{Abort, Id, Read, Scan, Version, page::bad_key};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    queue::{ALL, waiters, waiting},
    row::{WaitRow, Waiters, Waits},
    standing::grant_of,
};
use crate::ties::Known;

/// Edges and waits that a search follows at most.
const EDGES_MAX: usize = 10_000;

/// An owner waits for a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wait {
    /// Who waits.
    pub owner: Id,
    /// For which lease.
    pub lease: Id,
}

/// What a search found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No circle.
    Nothing,
    /// Each waits behind the next, and the last behind the first.
    Circle(Vec<Wait>),
    /// The graph is too large to say.
    TooMuch,
}

/// Would `owner` wait for itself if it waited at the end of this queue?
pub(super) fn by_waiting(state: &impl Read, owner: &Id, lease: &Id) -> Result<Found, Abort> {
    Search::new(owner, EDGES_MAX).by_waiting(state, lease)
}

/// Would `owner` wait for itself if it held this lease?
pub(super) fn by_holding(state: &impl Read, owner: &Id, lease: &Id) -> Result<Found, Abort> {
    Search::new(owner, EDGES_MAX).by_holding(state, lease)
}

/// A place in a queue; `None` is behind all of them.
type Place = Option<(Version, u16)>;

/// A breadth-first search from one owner. It reads a queue again only for a place further
/// back: who waits behind somebody waits behind all who are before that one.
struct Search<'s> {
    origin: &'s Id,
    edges_max: usize,
    /// Edges and waits so far: rows read, about.
    edges: usize,
    /// Through whose wait each owner was reached.
    reached: BTreeMap<Id, Wait>,
    next: VecDeque<Id>,
    /// Up to which place each lease's queue was read.
    read: BTreeMap<Id, Place>,
    known: Known,
}

impl<'s> Search<'s> {
    fn new(origin: &'s Id, edges_max: usize) -> Self {
        let (reached, read) = (BTreeMap::new(), BTreeMap::new());
        let (next, known) = (VecDeque::new(), Known::default());
        Self { origin, edges_max, edges: 0, reached, next, read, known }
    }

    fn by_waiting(mut self, state: &impl Read, lease: &Id) -> Result<Found, Abort> {
        let wait = Wait { owner: self.origin.clone(), lease: lease.clone() };
        self.reach_ahead(state, &wait, None)?;
        let origin = self.origin;
        let found = self.run(state, |reached| reached == origin)?;
        Ok(self.told(found, None))
    }

    fn by_holding(mut self, state: &impl Read, lease: &Id) -> Result<Found, Abort> {
        let behind = waiting(state, &mut self.known, waiters(state, lease, ALL)?)?;
        let behind = behind.into_iter().map(|waiter| waiter.owner);
        let behind: Vec<Id> = behind.filter(|owner| owner != self.origin).collect();
        // The new owner waits in this queue no longer; the others wait behind it alone.
        self.read.insert(lease.clone(), None);
        self.expand(state, self.origin)?;
        let found = self.run(state, |reached| behind.contains(reached))?;
        Ok(self.told(found, Some(lease)))
    }

    /// Follows waits until the goal is reached. Returns the goal.
    fn run(&mut self, state: &impl Read, goal: impl Fn(&Id) -> bool) -> Result<Option<Id>, Abort> {
        while let Some(owner) = self.next.pop_front() {
            if goal(&owner) {
                return Ok(Some(owner));
            }
            if self.edges > self.edges_max {
                break;
            }
            self.expand(state, &owner)?;
        }
        Ok(None)
    }

    /// Reaches those who go before an owner, wherever it waits.
    fn expand(&mut self, state: &impl Read, owner: &Id) -> Result<(), Abort> {
        let waits = state.scan::<Waits>(&(owner.as_str(),), Scan::up(self.edges_max + 1))?;
        self.edges += waits.len();
        for found in waits {
            let mut key = found.key();
            let lease = key.str().and_then(|_| key.id()).map_err(|_| bad_key::<Waits>())?;
            let WaitRow { since, number } = found.row;
            let known = self.read.get(&lease);
            if known.is_some_and(|known| known.is_none_or(|known| (since, number) <= known)) {
                continue;
            }
            let waiter = state.get::<Waiters>((lease.as_str(), since, number))?;
            if !waiting(state, &mut self.known, waiter.into_iter().collect())?.is_empty() {
                let wait = Wait { owner: owner.clone(), lease };
                self.reach_ahead(state, &wait, Some((since, number)))?;
            }
        }
        Ok(())
    }

    /// Reaches the holder of a lease and those who wait before a place.
    fn reach_ahead(&mut self, state: &impl Read, wait: &Wait, before: Place) -> Result<(), Abort> {
        let lease = wait.lease.as_str();
        let queue = match before {
            None => waiters(state, &wait.lease, ALL)?,
            Some((since, number)) => {
                let to = (lease, since, number);
                let found = state.range::<Waiters>(&(lease,), &to, Scan::up(ALL))?;
                found.into_iter().map(|found| found.row).collect()
            }
        };
        let holder = grant_of(state, &wait.lease)?.map(|held| held.row.owner);
        self.edges += queue.len() + 1;
        self.read.insert(wait.lease.clone(), before);
        let queue = waiting(state, &mut self.known, queue)?.into_iter();
        for owner in holder.into_iter().chain(queue.map(|waiter| waiter.owner)) {
            if !self.reached.contains_key(&owner) {
                self.reached.insert(owner.clone(), wait.clone());
                self.next.push_back(owner);
            }
        }
        Ok(())
    }

    /// What was found: the waits from the origin to the goal, which waits for `last` too.
    fn told(&self, goal: Option<Id>, last: Option<&Id>) -> Found {
        let Some(goal) = goal else {
            let all = self.edges <= self.edges_max;
            return if all { Found::Nothing } else { Found::TooMuch };
        };
        let mut circle = Vec::new();
        circle.extend(last.map(|lease| Wait { owner: goal.clone(), lease: lease.clone() }));
        let mut at = &goal;
        loop {
            let wait = &self.reached[at];
            circle.push(wait.clone());
            if wait.owner == *self.origin {
                break;
            }
            at = &wait.owner;
        }
        circle.reverse();
        Found::Circle(circle)
    }
}

#[cfg(test)]
mod tests {
    use holdfast_state::{Lifetime, scenario::World};

    use super::*;
    use crate::leases::{AcquireLeaseSpec, acquire};

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn ask(world: &mut World, owner: &str, lease: &str) -> bool {
        let hour = Lifetime::from_us(3_600_000_000).unwrap();
        let (id, owner) = (id(lease), id(owner));
        let (ttl, wait_for) = (Some(hour), Some(hour));
        let spec = AcquireLeaseSpec { id, owner, ttl, wait_for, session: None, metadata: None };
        world.transact(|tx| acquire(tx, &spec)).is_ok()
    }

    /// Each of so many owners holds a lease, and all but the last wait for the next.
    fn chain(length: usize) -> World {
        let mut world = World::default();
        for number in 0..length {
            assert!(ask(&mut world, &format!("o{number}"), &format!("l{number}")));
        }
        for number in 1..length {
            assert!(ask(&mut world, &format!("o{}", number - 1), &format!("l{number}")));
        }
        world
    }

    #[test]
    fn a_search_that_was_cut_short_does_not_say_that_there_is_nothing() {
        let view = chain(20).view();
        let search = |edges_max, lease| {
            Search::new(&id("o19"), edges_max).by_waiting(&view, &id(lease)).unwrap()
        };
        let Found::Circle(circle) = search(1_000, "l0") else { panic!("the chain is closed") };
        let expected = (0..20).map(|number| Wait {
            owner: id(&format!("o{}", (number + 19) % 20)),
            lease: id(&format!("l{number}")),
        });
        assert_eq!(circle, expected.collect::<Vec<_>>());
        assert_eq!(search(10, "l0"), Found::TooMuch);
        assert_eq!(search(1_000, "free"), Found::Nothing);
    }

    #[test]
    fn as_many_wait_as_may_and_each_place_is_read_once() {
        let mut world = World::default();
        assert!(ask(&mut world, "holder", "l"));
        for number in 0..ALL {
            assert!(ask(&mut world, &format!("o{number}"), "l"), "{number}");
        }
        assert!(!ask(&mut world, "late", "l"));
        let (view, late) = (world.view(), id("late"));
        let mut search = Search::new(&late, EDGES_MAX);
        let wait = Wait { owner: late.clone(), lease: id("l") };
        search.reach_ahead(&view, &wait, None).unwrap();
        assert_eq!(search.run(&view, |_| false), Ok(None));
        assert_eq!(search.edges, 1 + 2 * ALL);
    }
}
