//! Edges with slices, clocks that run faster and slower than log time, answers that are late
//! or lost, edges that die: no window holds more than its quota, and a limit denies too
//! early by no more than is stated.

use holdfast_coordination::limits::{
    COMMANDS, CheckLimitSpec, Descriptors, PutLimitSpec, Rules, TIMERS, TakeSliceSpec, Units,
    check,
    check::CheckedLimit,
    edge::{EdgeSlice, Take},
    put, slice,
    slice::SliceTtl,
};
use holdfast_state::{
    Id, Lifetime,
    scenario::{Vocabulary, World},
};
use proptest::prelude::*;

const VOCABULARY: Vocabulary<'static> =
    Vocabulary { commands: COMMANDS, timers: TIMERS, looks: &[] };

const EDGES: u64 = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An edge is asked, so often.
    Ask {
        edge: u64,
        times: u64,
    },
    /// An edge asks for another slice; the answer takes so long, or never comes.
    Refill {
        edge: u64,
        late_us: u64,
        lost: bool,
    },
    /// An edge forgets what it held.
    Die {
        edge: u64,
    },
    /// Somebody asks the server.
    Check {
        cost: u64,
    },
    Pass {
        us: u64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Setting {
    max: u64,
    window_us: u64,
    size: u64,
    ttl_us: u64,
    /// Log time runs so many thousandths as fast as the edges' clocks.
    pace: u64,
}

struct Run {
    setting: Setting,
    world: World,
    edges: Vec<EdgeSlice>,
    /// By the edges' clocks.
    now_us: u64,
    /// What was allowed: log time, and how much.
    allowed: Vec<(u64, u64)>,
    /// When an edge died, or did not hear what it was granted.
    faults: Vec<u64>,
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

impl Run {
    fn new(setting: Setting) -> Self {
        let mut world = World::default();
        let window = Lifetime::from_us(setting.window_us).unwrap();
        let rules = format!(
            r#"[{{"name":"all","quota":{{"algorithm":"sliding_log","max":{},"window":"{window}"}}}}]"#,
            setting.max
        );
        let rules: Rules = serde_json::from_str(&rules).unwrap();
        let spec = PutLimitSpec { id: id("api"), rules, if_match: None, if_none_match: None };
        world.transact(|tx| put(tx, &spec)).unwrap();
        let edges = (0..EDGES).map(|_| EdgeSlice::default()).collect();
        Self { setting, world, edges, now_us: 0, allowed: Vec::new(), faults: Vec::new() }
    }

    fn pass(&mut self, us: u64) {
        self.now_us += us;
        self.world.pass(us * self.setting.pace / 1000, &VOCABULARY);
    }

    fn edge(&mut self, edge: u64) -> &mut EdgeSlice {
        &mut self.edges[usize::try_from(edge).unwrap()]
    }

    fn take(&mut self, step: Step) {
        let now = self.world.now().as_us();
        match step {
            Step::Ask { edge, times } => {
                let now_us = self.now_us;
                let took = (0..times).filter(|_| self.edge(edge).take(1, now_us) == Take::Allowed);
                let took = took.count().try_into().unwrap();
                self.allowed.push((now, took));
            }
            Step::Refill { edge, late_us, lost } => self.refill(edge, late_us, lost),
            Step::Die { edge } => {
                *self.edge(edge) = EdgeSlice::default();
                self.faults.push(now);
            }
            Step::Check { cost } => self.check(cost),
            Step::Pass { us } => self.pass(us),
        }
    }

    fn refill(&mut self, edge: u64, late_us: u64, lost: bool) {
        let Setting { size, ttl_us, .. } = self.setting;
        let ttl = Lifetime::from_us(ttl_us).unwrap();
        let (sent_us, used) = (self.now_us, self.edge(edge).give_back());
        let spec = TakeSliceSpec {
            id: id("api"),
            slice: id(&format!("edge-{edge}")),
            descriptors: Descriptors::default(),
            permits: Units::new(size),
            ttl: SliceTtl::new(ttl).unwrap(),
            used,
        };
        let outcome = self.world.transact(|tx| slice(tx, &spec)).unwrap();
        assert!(outcome.permits <= size);
        if outcome.permits < size {
            self.bounded(outcome.permits + 1);
        }
        if lost {
            self.faults.push(self.world.now().as_us());
        }
        self.pass(late_us);
        if !lost {
            self.edge(edge).granted(outcome.permits, sent_us, ttl_us);
        }
    }

    fn check(&mut self, cost: u64) {
        let (descriptors, cost_units) = (Descriptors::default(), Units::new(cost).unwrap());
        let spec = CheckLimitSpec {
            id: id("api"),
            descriptors,
            cost: cost_units,
            dry_run: false,
            holder: None,
        };
        let outcome = self.world.transact(|tx| check(tx, &spec)).unwrap();
        if outcome.outcome == CheckedLimit::Allowed {
            self.allowed.push((self.world.now().as_us(), cost));
        } else {
            self.bounded(cost);
        }
    }

    /// So much was denied: it came too early by no more than the slices explain.
    fn bounded(&self, denied: u64) {
        let Setting { max, window_us, size, ttl_us, .. } = self.setting;
        let now = self.world.now().as_us();
        let allowed = self.allowed.iter().filter(|(at, _)| at + window_us > now);
        let allowed: u64 = allowed.map(|(_, cost)| cost).sum();
        let faults = self.faults.iter().filter(|at| **at + window_us + ttl_us > now).count();
        let explained = size * (2 * EDGES + u64::try_from(faults).unwrap());
        assert!(allowed + explained + denied > max, "{allowed} + {explained} + {denied}");
    }

    /// Every window that ends with something that was allowed.
    fn no_window_holds_more(&self) {
        for (end, _) in &self.allowed {
            let within = |at: u64| at <= *end && at + self.setting.window_us > *end;
            let held = self.allowed.iter().filter(|(at, _)| within(*at)).map(|(_, cost)| cost);
            assert!(held.sum::<u64>() <= self.setting.max);
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let late = || prop_oneof![3 => Just(0), 1 => 0..2_000_000_u64];
    prop_oneof![
        4 => (0..EDGES, 1..12_u64).prop_map(|(edge, times)| Step::Ask { edge, times }),
        4 => (0..EDGES, late(), prop::bool::weighted(0.1))
            .prop_map(|(edge, late_us, lost)| Step::Refill { edge, late_us, lost }),
        1 => (0..EDGES).prop_map(|edge| Step::Die { edge }),
        2 => (1..4_u64).prop_map(|cost| Step::Check { cost }),
        4 => prop_oneof![0..300_000_u64, 0..6_000_000_u64].prop_map(|us| Step::Pass { us }),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    let parts = (20..80_u64, 1_000_000..15_000_000_u64, 2..12_u64, 200_000..4_000_000_u64);
    (parts, 909..1101_u64).prop_map(|((max, window_us, size, ttl_us), pace)| Setting {
        max,
        window_us,
        size,
        ttl_us,
        pace,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn slices_never_allow_more_and_deny_little_too_early(
        setting in setting(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut run = Run::new(setting);
        steps.into_iter().for_each(|step| run.take(step));
        run.no_window_holds_more();
    }
}
