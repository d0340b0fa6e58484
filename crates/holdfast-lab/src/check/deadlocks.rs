//! Who waits for whom: a circle of them does not last, and only who would close one is turned
//! away.
//!
//! The graph is made here once more, from what was answered in the order of versions, and shares
//! nothing with the server's search: leases with holders and queues, and after each step every
//! worker that reaches itself by way of those before it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    time::Duration,
};

/// What happened in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The worker has the lease.
    Holds(String),
    /// The worker is in the lease's queue, and gets it in its turn.
    Queues(String),
    /// The worker found the lease held and will try again.
    Tries(String),
    /// The worker was turned away since it would have closed this circle.
    Victim {
        /// The lease that it asked for.
        lease: String,
        /// Who waits for which lease; the one before waits behind each, the last's behind the first.
        circle: Vec<(String, String)>,
    },
    /// The worker gave the lease back: the next in its queue has it.
    Frees(String),
    /// The worker waits no more.
    GivesUp,
}

/// A step, in the order of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whose.
    pub worker: String,
    /// When it was asked for.
    pub sent: Duration,
    /// When it was answered.
    pub answered: Duration,
    /// It was asked for more than once, since nobody answered: the server was away meanwhile.
    pub repeated: bool,
    /// What happened.
    pub event: Event,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadlocks {
    /// How many were turned away, each of them on a circle.
    pub victims: u64,
    /// The most workers in a circle.
    pub longest_circle: usize,
    /// The longest until a victim was told, of those that did not have to ask again.
    pub longest: Duration,
}

/// A circle lasted, or was none, or a lease had two holders.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Nobody broke it in time.
    #[error("{} waited for one another for {lasted:?}; {bound:?} are allowed", Named(workers))]
    Lasted {
        /// Who.
        workers: Vec<String>,
        /// For how long, at least.
        lasted: Duration,
        /// How long they may.
        bound: Duration,
    },
    /// Somebody was turned away without being on a circle.
    #[error("{worker} was turned away from {lease}: {why}")]
    Phantom {
        /// Who.
        worker: String,
        /// From which lease.
        lease: String,
        /// What is not so.
        why: String,
    },
    /// A lease went to somebody while it was another's.
    #[error("{worker} was granted {lease}, which {holder} holds or is next to have")]
    Taken {
        /// Who was granted it.
        worker: String,
        /// Which lease.
        lease: String,
        /// Whose it was.
        holder: String,
    },
}

struct Named<'a>(&'a [String]);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" and "))
    }
}

/// Checks all steps, in the order of versions.
///
/// # Errors
/// [`Violation`]
pub fn check(steps: &[Step], bound: Duration) -> Result<Deadlocks, Violation> {
    let mut graph = Graph::default();
    let mut found = Deadlocks::default();
    let mut since: BTreeMap<String, Duration> = BTreeMap::new();
    for step in steps {
        if let Event::Victim { lease, circle } = &step.event {
            graph.is_real(&step.worker, lease, circle)?;
            let told = step.answered.saturating_sub(step.sent);
            if !step.repeated {
                lasted(vec![step.worker.clone()], told, bound)?;
                found.longest = found.longest.max(told);
            }
            found.victims += 1;
            found.longest_circle = found.longest_circle.max(circle.len());
        }
        graph.step(step)?;
        let circular = graph.circular();
        let broken: Vec<String> =
            since.keys().filter(|worker| !circular.contains(*worker)).cloned().collect();
        let begun = broken.iter().filter_map(|worker| since.remove(worker)).min();
        if let Some(begun) = begun {
            lasted(broken, step.sent.saturating_sub(begun), bound)?;
        }
        for worker in circular {
            since.entry(worker).or_insert(step.answered);
        }
    }
    match (since.values().min(), steps.last()) {
        (Some(begun), Some(last)) => {
            let workers = since.keys().cloned().collect();
            // It was never broken, so it lasted longer than any bound.
            let for_now = last.answered.saturating_sub(*begun).max(bound + Duration::from_nanos(1));
            lasted(workers, for_now, bound).map(|()| found)
        }
        _ => Ok(found),
    }
}

fn lasted(workers: Vec<String>, lasted: Duration, bound: Duration) -> Result<(), Violation> {
    if lasted <= bound { Ok(()) } else { Err(Violation::Lasted { workers, lasted, bound }) }
}

/// Leases as they must stand.
#[derive(Debug, Default)]
struct Graph {
    holders: BTreeMap<String, String>,
    queues: BTreeMap<String, VecDeque<String>>,
    /// What each worker waits for, in a queue or by trying.
    waits: BTreeMap<String, String>,
}

impl Graph {
    fn step(&mut self, step: &Step) -> Result<(), Violation> {
        let worker = &step.worker;
        match &step.event {
            Event::Holds(lease) => self.hold(worker, lease)?,
            Event::Queues(lease) => {
                let queue = self.queues.entry(lease.clone()).or_default();
                if !queue.contains(worker) {
                    queue.push_back(worker.clone());
                }
                self.waits.insert(worker.clone(), lease.clone());
            }
            Event::Tries(lease) => {
                self.waits.insert(worker.clone(), lease.clone());
            }
            Event::Frees(lease) => {
                self.holders.remove(lease);
                if let Some(next) = self.queues.get_mut(lease).and_then(VecDeque::pop_front) {
                    self.waits.remove(&next);
                    self.holders.insert(lease.clone(), next);
                }
            }
            Event::Victim { .. } => {}
            Event::GivesUp => {
                if let Some(lease) = self.waits.remove(worker) {
                    self.queues.entry(lease).or_default().retain(|waiting| waiting != worker);
                }
            }
        }
        Ok(())
    }

    fn hold(&mut self, worker: &str, lease: &str) -> Result<(), Violation> {
        self.waits.remove(worker);
        match self.holders.insert(lease.to_owned(), worker.to_owned()) {
            Some(holder) if holder != worker => {
                let (worker, lease) = (worker.to_owned(), lease.to_owned());
                Err(Violation::Taken { worker, lease, holder })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Those who must go before this worker can: the holder of what it waits for, and whoever
    /// came before it.
    fn before(&self, worker: &str) -> Vec<&str> {
        let Some(lease) = self.waits.get(worker) else { return Vec::new() };
        let queue = self.queues.get(lease).into_iter().flatten().map(String::as_str);
        let earlier = queue.take_while(|waiting| *waiting != worker);
        self.holders.get(lease).map(String::as_str).into_iter().chain(earlier).collect()
    }

    /// Everybody who waits for itself.
    fn circular(&self) -> BTreeSet<String> {
        self.waits.keys().filter(|worker| self.reaches_itself(worker)).cloned().collect()
    }

    fn reaches_itself(&self, worker: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = self.before(worker);
        while let Some(next) = open.pop() {
            if next == worker {
                return true;
            }
            if seen.insert(next) {
                open.extend(self.before(next));
            }
        }
        false
    }

    /// Would the worker have closed this very circle?
    fn is_real(
        &mut self,
        worker: &str,
        lease: &str,
        circle: &[(String, String)],
    ) -> Result<(), Violation> {
        // As though it had been let in.
        let queues = Event::Queues(lease.to_owned());
        let as_though = |event| Step {
            worker: worker.to_owned(),
            sent: Duration::ZERO,
            answered: Duration::ZERO,
            repeated: false,
            event,
        };
        self.step(&as_though(queues))?;
        let links = circle.iter().zip(circle.iter().cycle().skip(1));
        let broken = links.into_iter().find(|((waits, at), (ahead, _))| {
            self.waits.get(waits) != Some(at) || !self.before(waits).contains(&ahead.as_str())
        });
        let why = if circle.first().is_none_or(|(first, at)| (&**first, &**at) != (worker, lease)) {
            Some("the circle that it was told does not begin with it".to_owned())
        } else {
            broken.map(|((waits, at), (ahead, _))| {
                format!("{waits} did not wait for {at} behind {ahead}, as it was told")
            })
        };
        self.step(&as_though(Event::GivesUp))?;
        let (worker, lease) = (worker.to_owned(), lease.to_owned());
        why.map_or(Ok(()), |why| Err(Violation::Phantom { worker, lease, why }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(2);

    /// Steps a second apart.
    fn steps(steps: Vec<(&str, Event)>) -> Vec<Step> {
        let seconds = (0..).map(Duration::from_secs);
        let steps = seconds.zip(steps);
        let step = |(sent, (worker, event)): (Duration, (&str, Event))| {
            let answered = sent + Duration::from_millis(10);
            Step { worker: worker.to_owned(), sent, answered, repeated: false, event }
        };
        steps.map(step).collect()
    }

    fn holds(lease: &str) -> Event {
        Event::Holds(lease.to_owned())
    }

    fn queues(lease: &str) -> Event {
        Event::Queues(lease.to_owned())
    }

    fn tries(lease: &str) -> Event {
        Event::Tries(lease.to_owned())
    }

    fn frees(lease: &str) -> Event {
        Event::Frees(lease.to_owned())
    }

    fn victim(lease: &str, circle: &[(&str, &str)]) -> Event {
        let owned = |(who, at): &(&str, &str)| ((*who).to_owned(), (*at).to_owned());
        Event::Victim { lease: lease.to_owned(), circle: circle.iter().map(owned).collect() }
    }

    #[test]
    fn who_would_close_a_circle_is_turned_away_and_the_others_go_on() {
        let steps = steps(vec![
            ("a", holds("x")),
            ("b", holds("y")),
            ("c", holds("z")),
            ("a", queues("y")),
            ("b", queues("z")),
            ("c", victim("x", &[("c", "x"), ("a", "y"), ("b", "z")])),
            ("c", frees("z")),
            ("b", holds("z")),
            ("b", frees("y")),
            ("a", holds("y")),
        ]);
        let found = check(&steps, BOUND).unwrap();
        assert_eq!((found.victims, found.longest_circle), (1, 3));
        assert_eq!(found.longest, Duration::from_millis(10));
    }

    #[test]
    fn a_circle_that_lasts_is_found_whether_or_not_it_is_broken() {
        let mut lasting = steps(vec![
            ("a", holds("x")),
            ("b", holds("y")),
            ("a", tries("y")),
            ("b", tries("x")),
            ("a", tries("y")),
            ("c", holds("z")),
            ("b", Event::GivesUp),
            ("b", frees("y")),
        ]);
        let wrong = check(&lasting, BOUND).unwrap_err();
        let text = "a and b waited for one another for 2.99s; 2s are allowed";
        assert_eq!(wrong.to_string(), text);
        lasting.truncate(4);
        assert!(matches!(check(&lasting, BOUND), Err(Violation::Lasted { .. })));
        // Broken in time.
        lasting.extend([Step { event: Event::GivesUp, ..lasting[3].clone() }]);
        assert_eq!(check(&lasting, BOUND), Ok(Deadlocks::default()));
    }

    #[test]
    fn a_phantom_is_found() {
        let before = vec![("a", holds("x")), ("b", holds("y")), ("a", queues("y"))];
        let wrong = |event| {
            check(&steps([before.clone(), vec![("c", event)]].concat()), BOUND).unwrap_err()
        };
        let text = wrong(victim("x", &[("c", "x"), ("a", "y")])).to_string();
        assert_eq!(text, "c was turned away from x: a did not wait for y behind c, as it was told");
        let text = wrong(victim("x", &[])).to_string();
        assert!(text.ends_with("the circle that it was told does not begin with it"), "{text}");
    }

    #[test]
    fn a_victim_that_waits_long_to_be_told_is_found() {
        let mut late = steps(vec![("a", holds("x")), ("a", victim("x", &[("a", "x")]))]);
        late[1].answered += BOUND;
        assert!(matches!(check(&late, BOUND), Err(Violation::Lasted { .. })));
        // Nobody can be told by a server that is away.
        late[1].repeated = true;
        assert!(check(&late, BOUND).is_ok());
    }

    #[test]
    fn a_lease_has_one_holder_and_goes_to_the_next_in_its_queue() {
        let wrong = check(&steps(vec![("a", holds("x")), ("b", holds("x"))]), BOUND).unwrap_err();
        let text = "b was granted x, which a holds or is next to have";
        assert_eq!(wrong.to_string(), text);
        let out_of_turn = steps(vec![
            ("a", holds("x")),
            ("b", queues("x")),
            ("c", queues("x")),
            ("a", frees("x")),
            ("c", holds("x")),
        ]);
        assert!(matches!(check(&out_of_turn, BOUND), Err(Violation::Taken { .. })));
    }
}
