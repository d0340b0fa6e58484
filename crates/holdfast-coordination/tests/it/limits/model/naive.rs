//! Limits as lists of what was ever accepted, for people to believe.

use std::collections::BTreeMap;

use holdfast_coordination::limits::Quota;

/// What was accepted: when, and how much.
pub(crate) type Accepted = Vec<(u64, u64)>;

/// Is there room for a cost, after all that was accepted? By the definitions:
///
/// - sliding log: what the window that ends now holds, with it, is at most `max`;
/// - sliding counter: so is what this fixed window holds with a share of the last one's;
/// - token bucket and GCRA: from each time something was accepted until now, at most a burst
///   and what the rate gave since came, and never more than a burst at once.
pub(crate) fn has_room(quota: &Quota, accepted: &Accepted, now: u64, cost: u64) -> bool {
    let sum = |counts: &dyn Fn(u64) -> bool| -> u64 {
        accepted.iter().filter(|(at, _)| counts(*at)).map(|(_, cost)| cost).sum()
    };
    match *quota {
        Quota::SlidingLog { max, window } => {
            sum(&|at| at + window.as_us() > now) + cost <= max.get()
        }
        Quota::SlidingCounter { max, window } => {
            let window = window.as_us();
            let number = now / window;
            let last = u128::from(sum(&|at| at / window + 1 == number));
            let this = u128::from(sum(&|at| at / window == number) + cost);
            let share = u128::from(window - now % window);
            last * share + this * u128::from(window) <= u128::from(max.get()) * u128::from(window)
        }
        Quota::TokenBucket { capacity, refill, every } => {
            conforms((capacity.get(), refill.get(), every.as_us()), accepted, now, cost)
        }
        Quota::Gcra { max, window, burst } => {
            let burst = burst.unwrap_or(max).get();
            conforms((burst, max.get(), window.as_us()), accepted, now, cost)
        }
        Quota::Concurrency { .. } => unreachable!("it has a model of its own"),
    }
}

fn conforms(
    (burst, rate, period): (u64, u64, u64),
    accepted: &Accepted,
    now: u64,
    cost: u64,
) -> bool {
    let [burst, rate, period, cost] = [burst, rate, period, cost].map(u128::from);
    let mut since = cost;
    let fits =
        |since: u128, at: u64| since * period <= burst * period + rate * u128::from(now - at);
    fits(since, now)
        && accepted.iter().rev().all(|(at, cost)| {
            since += u128::from(*cost);
            fits(since, *at)
        })
}

#[derive(Clone, Debug)]
pub(crate) struct NaiveRule {
    pub(crate) name: u8,
    /// By how many of tenant and user it counts.
    pub(crate) by: u8,
    /// Only this tenant's requests.
    pub(crate) only: Option<u8>,
    pub(crate) quota: Quota,
    pub(crate) dry_run: bool,
    /// By tenant and user, as far as it counts by them.
    counters: BTreeMap<(Option<u8>, Option<u8>), Accepted>,
}

impl NaiveRule {
    pub(crate) fn new(name: u8, by: u8, only: Option<u8>, quota: Quota, dry_run: bool) -> Self {
        Self { name, by, only, quota, dry_run, counters: BTreeMap::new() }
    }

    fn key(&self, request: &Request) -> (Option<u8>, Option<u8>) {
        let tenant = (self.by > 0).then_some(request.tenant);
        let user = if self.by > 1 { request.user } else { None };
        (tenant, user)
    }

    fn applies(&self, request: &Request) -> bool {
        let known = self.by < 2 || request.user.is_some();
        known && self.only.is_none_or(|tenant| tenant == request.tenant)
    }

    fn accepted(&self, request: &Request) -> Accepted {
        self.counters.get(&self.key(request)).cloned().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) tenant: u8,
    pub(crate) user: Option<u8>,
    pub(crate) cost: u64,
}

/// What one rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Says {
    pub(crate) rule: u8,
    pub(crate) room: bool,
    pub(crate) denies: bool,
    /// The largest cost there is room for, after the request.
    pub(crate) remaining: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    pub(crate) rules: Vec<NaiveRule>,
    pub(crate) now: u64,
}

impl Naive {
    /// The rules that apply: of each name, the first.
    fn applying(&self, request: &Request) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for (place, rule) in self.rules.iter().enumerate() {
            let named = found.iter().any(|other| self.rules[*other].name == rule.name);
            if !named && rule.applies(request) {
                found.push(place);
            }
        }
        found
    }

    /// Is it more than a rule ever allows?
    pub(crate) fn is_too_much(&self, request: &Request) -> bool {
        let rules = self.applying(request).into_iter().map(|place| &self.rules[place]);
        rules.filter(|rule| !rule.dry_run).any(|rule| request.cost > rule.quota.at_once().get())
    }

    /// Is it allowed? What every rule says; charged if `charge`.
    pub(crate) fn check(&mut self, request: &Request, charge: bool) -> (bool, Vec<Says>) {
        let now = self.now;
        let applying = self.applying(request);
        let room = |naive: &Self, place: usize| {
            let rule = &naive.rules[place];
            has_room(&rule.quota, &rule.accepted(request), now, request.cost)
        };
        let rooms: Vec<_> = applying.iter().map(|place| room(self, *place)).collect();
        let denies = |naive: &Self, place: usize, room: bool| !room && !naive.rules[place].dry_run;
        let mut both = applying.iter().zip(&rooms);
        let allowed = !both.any(|(place, room)| denies(self, *place, *room));
        for (place, room) in applying.iter().zip(&rooms) {
            let rule = &mut self.rules[*place];
            if allowed && charge && *room {
                let key = rule.key(request);
                rule.counters.entry(key).or_default().push((now, request.cost));
            }
        }
        let says = applying.iter().zip(&rooms).map(|(place, room)| {
            let rule = &self.rules[*place];
            let (accepted, most) = (rule.accepted(request), rule.quota.at_once().get());
            let fits = |cost: &u64| has_room(&rule.quota, &accepted, now, *cost);
            Says {
                rule: rule.name,
                room: *room,
                denies: denies(self, *place, *room),
                remaining: (1..=most).rev().find(fits).unwrap_or(0),
            }
        });
        (allowed, says.collect())
    }

    /// Would there be room for the request `us` from now, if nothing came between?
    pub(crate) fn has_room_in(&self, name: u8, request: &Request, us: u64) -> bool {
        let applying = self.applying(request);
        let place = applying.into_iter().find(|place| self.rules[*place].name == name).unwrap();
        let rule = &self.rules[place];
        has_room(&rule.quota, &rule.accepted(request), self.now + us, request.cost)
    }

    /// These are the rules now: those that count what they counted go on.
    pub(crate) fn put(&mut self, mut rules: Vec<NaiveRule>) {
        for rule in &mut rules {
            let same = self.rules.iter().find(|old| {
                (old.name, old.by, old.only) == (rule.name, rule.by, rule.only)
                    && old.quota.keeps(&rule.quota)
            });
            rule.counters = same.map(|old| old.counters.clone()).unwrap_or_default();
        }
        self.rules = rules;
    }
}
