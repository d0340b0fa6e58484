//! The end of a run: its history is given to the checks of [`crate::check`].
//!
//! What clients asked and were told, what the log holds, what the nodes' states are. The
//! checks share nothing with the simulation but what they are given here. Two things are
//! judged here and not there, since only the workload's model can: that the log's facts say
//! what the model does, also where nobody heard an answer; and that an answer names the log
//! time of its transaction.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use holdfast_engine::SnapshotKeeper;
use holdfast_log::Position;
use holdfast_state::{
    LogTime, Source, Store as _, Table as _, Version, row::Row as _, table::split_key,
};

use super::{
    client::{self, Fate, Operation},
    naive::{Asked, Came, Naive},
    primitives::{self, expected::Moment},
    recovery::rows,
    retelling::{diverged, retell},
    truth::{Kind, Transaction, Truth},
    violation::Violation,
    workload::{Accounts, HELD, OPENING, Op},
};
use crate::check::{
    self, Place, Specification as _, acknowledged,
    agreement::{self, Digest},
    conservation::{self, Balances, Change},
    exactly_once,
    liveness::{self, Bounds, Reached},
    log, oracle,
    real_time::Span,
    replay,
    timers::{self, Armed, Fired},
    witness::{self, Placed},
    zombies::{self, Zombies},
};

/// What an account opened is taken from, so that nothing is made.
const OPENED: &str = "opened";

/// What moves between accounts.
const ASSET: &str = "units";

/// A state, and whose it is.
pub(super) struct State<'a> {
    pub(super) who: String,
    pub(super) version: Version,
    pub(super) rows: &'a dyn Source,
}

/// Everything there is to judge.
pub(super) struct History<'a> {
    pub(super) operations: &'a [Operation],
    pub(super) truth: &'a Truth,
    /// All that any position ever took, from the first on.
    pub(super) entries: Vec<(Position, Bytes)>,
    /// Digests of states on the way.
    pub(super) digests: &'a [Digest],
    /// Looks at a token bind nobody else: leaders read under a lease.
    pub(super) tokens_only: bool,
}

/// What a history that is as it must be tells.
pub(super) struct Told {
    /// Writes that deposed leaders tried.
    pub(super) zombies: Zombies,
    /// The primitives as the naive ones have them at the end.
    pub(super) primitives: primitives::naive::Naive,
}

/// The entries from the first position on, as far as they go.
pub(super) fn entries(taken: &dyn Fn(Position) -> Option<Bytes>) -> Vec<(Position, Bytes)> {
    let positions = std::iter::successors(Some(Position::first()), |at| Some(at.next()));
    positions.map_while(|at| Some((at, taken(at)?))).collect()
}

impl History<'_> {
    /// What must hold at any time.
    ///
    /// # Errors
    /// [`Violation`]
    pub(super) fn is_safe(&self) -> Result<Told, Violation> {
        let calls = client::calls(self.operations);
        exactly_once::answers(&calls)?;
        let logged = exactly_once::effects(self.truth.effects())?;
        let operations = oracle::operations(&calls);
        acknowledged::check(&operations, &logged)?;
        self.log_times_are_told()?;
        self.facts_are_the_models()?;
        self.is_one_order(&operations, &logged)?;
        self.timers_fire_once_and_not_early()?;
        self.nothing_is_made_or_lost()?;
        agreement::check(self.digests)?;
        let logged = log::read(None, self.entries.iter().cloned());
        let logged = logged.map_err(|why| Violation::Broken { why: why.to_string() })?;
        let primitives = retell(self.operations, self.truth, &self.entries)?;
        Ok(Told { zombies: zombies::check(zombies::in_log(&logged))?, primitives })
    }

    /// What must hold when the faults are over.
    ///
    /// # Errors
    /// [`Violation`]
    pub(super) fn is_well(
        &self,
        bounds: &Bounds,
        states: &[State<'_>],
        keeper: &SnapshotKeeper,
        primitives: &primitives::naive::Naive,
    ) -> Result<(), Violation> {
        let version =
            |state: &State<'_>| Reached { node: state.who.clone(), version: state.version };
        liveness::converged(&states.iter().map(version).collect::<Vec<_>>())?;
        liveness::serves(&client::calls(self.operations), bounds)?;
        self.states_are_the_logs(states, keeper)?;
        let end = Moment { version: self.truth.version(), time: self.truth.time() };
        let ended = primitives.ends(end);
        ended.map_err(|wrong| diverged(end.version, "the end".to_owned(), wrong))?;
        let Some(state) = states.first() else { return Ok(()) };
        let names = self.names();
        let derived = conservation::changes(&Balances::new(), self.changes(&names))?;
        Ok(conservation::balances(&derived, &self.balances(state.rows, &names))?)
    }

    fn log_times_are_told(&self) -> Result<(), Violation> {
        for (operation, asked) in self.operations.iter().enumerate() {
            for sending in &asked.sendings {
                let Fate::Left { answer: Ok(outcome), .. } = &sending.fate else { continue };
                let transaction = self.truth.transaction(outcome.version);
                let own = transaction.filter(|found| found.kind == Kind::Operation(operation));
                if own.is_some_and(|own| own.time != outcome.time) {
                    let (version, told) = (outcome.version.get(), outcome.time.as_us());
                    return Err(Violation::OtherTime { operation, version, told });
                }
            }
        }
        Ok(())
    }

    /// What the model is asked for a transaction.
    fn asked(&self, transaction: &Transaction) -> Asked {
        match transaction.kind {
            Kind::Operation(operation) => Asked::Do(self.operations[operation].op.clone()),
            Kind::Lapse(armed) => {
                let armed = self.truth.transaction(Version::new(armed)).map(|armed| armed.kind);
                let Some(Kind::Operation(operation)) = armed else { return Asked::Nothing };
                match self.operations[operation].op {
                    Op::Hold { from, amount, .. } => Asked::Lapse { from, amount },
                    _ => Asked::Nothing,
                }
            }
            Kind::Fired | Kind::Housekeeping => Asked::Nothing,
        }
    }

    fn facts_are_the_models(&self) -> Result<(), Violation> {
        let mut model = Naive::default();
        for (version, transaction) in (1..).zip(self.truth.story()) {
            let asked = self.asked(transaction);
            let came = model.ask(&asked);
            if matches!(asked, Asked::Do(Op::Call(_))) {
                continue;
            }
            let balances = if came.refused { Vec::new() } else { written(&model, &asked) };
            let arms = !came.refused && matches!(asked, Asked::Do(Op::Hold { .. }));
            let found = (transaction.refused, transaction.arms, &transaction.balances);
            if found != (came.refused, arms, &balances) {
                return Err(Violation::Diverged {
                    version,
                    what: format!("{asked:?}"),
                    expected: format!("{came:?}, writing {balances:?}, arming: {arms}"),
                    found: format!("{transaction:?}"),
                });
            }
        }
        Ok(())
    }

    /// Strict serializability: the order of versions explains every answer and respects real time.
    fn is_one_order(
        &self,
        operations: &[check::Operation<'_, Asked, Came>],
        logged: &BTreeMap<String, Version>,
    ) -> Result<(), Violation> {
        let unasked: Vec<(Version, Asked)> = (1..)
            .zip(self.truth.story())
            .filter(|(_, transaction)| !matches!(transaction.kind, Kind::Operation(_)))
            .map(|(version, transaction)| (Version::new(version), self.asked(transaction)))
            .collect();
        let shown = client::shown(self.operations);
        let look = Asked::Do(Op::Sum);
        let mut placed = witness::place(operations, logged);
        // What primitives answer is for their own models to judge.
        for placed in &mut placed {
            let theirs = |op: &Op| op.command().is_some();
            placed.answer =
                placed.answer.filter(|_| !matches!(placed.asked, Asked::Do(op) if theirs(op)));
        }
        placed.extend(
            unasked
                .iter()
                .map(|(version, asked)| Placed::unasked("what nobody asked for", *version, asked)),
        );
        placed.extend(shown.iter().map(|shown| {
            let place = Place::Saw(shown.version);
            let answered = shown.told.filter(|_| !self.tokens_only);
            // It may be older than what was told before it was asked, down to its token.
            let span = Span { name: &shown.name, place, sent: std::time::Duration::ZERO, answered };
            Placed { span, asked: &look, answer: shown.came.as_ref() }
        }));
        let told = witness::check(&mut Naive::default(), placed)?;
        assert_eq!(told.versions_unseen, 0, "the log tells of every version");
        Ok(())
    }

    fn timers_fire_once_and_not_early(&self) -> Result<(), Violation> {
        let (mut armed, mut fired) = (Vec::new(), Vec::new());
        for (number, transaction) in (1..).zip(self.truth.story()) {
            let at = Version::new(number);
            match (transaction.kind, self.asked(transaction)) {
                (Kind::Operation(_), Asked::Do(Op::Hold { for_us, .. })) if transaction.arms => {
                    let due = transaction.time.plus_us(for_us);
                    armed.push(Armed { timer: number, due, at });
                }
                (Kind::Lapse(timer), _) => fired.push(Fired { timer, time: transaction.time, at }),
                (Kind::Operation(_) | Kind::Fired | Kind::Housekeeping, _) => {}
            }
        }
        // That nothing due is left is waited for before the run may end.
        timers::check(&armed, &[], &fired, LogTime::ZERO)?;
        let alarms = self.truth.alarms();
        let until = LogTime::ZERO;
        timers::check(&alarms.armed, &alarms.cancelled, &alarms.fired, until)
            .map_err(Violation::Alarms)?;
        Ok(())
    }

    fn nothing_is_made_or_lost(&self) -> Result<(), Violation> {
        conservation::changes(&Balances::new(), self.changes(&self.names()))?;
        Ok(())
    }

    /// Accounts that the log tells of, and what they are called.
    fn names(&self) -> BTreeMap<u64, String> {
        let accounts = self.truth.story().iter().flat_map(|transaction| &transaction.balances);
        let accounts: BTreeSet<u64> = accounts.map(|(account, _)| *account).collect();
        let name =
            |account: u64| if account == HELD { "held".to_owned() } else { account.to_string() };
        accounts.into_iter().map(|account| (account, name(account))).collect()
    }

    /// What every transaction moved.
    fn changes<'a>(&self, names: &'a BTreeMap<u64, String>) -> Vec<Change<'a>> {
        let mut balances: BTreeMap<u64, i64> = BTreeMap::new();
        let mut changes = Vec::new();
        for (version, transaction) in (1..).zip(self.truth.story()) {
            let version = Version::new(version);
            let mut moves = |account, amount| {
                changes.push(Change { version, asset: ASSET, account, amount });
            };
            for (account, after) in &transaction.balances {
                let before = balances.insert(*account, *after).unwrap_or(0);
                moves(&names[account], after - before);
            }
            let opens = matches!(self.asked(transaction), Asked::Do(Op::Open { .. }));
            if opens && !transaction.refused {
                moves(OPENED, -OPENING);
            }
        }
        changes
    }

    /// What a state says that everybody has.
    fn balances<'a>(&self, state: &dyn Source, names: &'a BTreeMap<u64, String>) -> Balances<'a> {
        let mut found = Balances::new();
        for (key, value) in rows(state) {
            let Some((_, Accounts::ID, mut parts)) = split_key(&key) else { continue };
            let account = parts.u64().ok().and_then(|account| names.get(&account));
            let balance = i64::parse(&value).ok();
            if let (Some(account), Some(balance)) = (account, balance) {
                found.insert((ASSET, account), i128::from(balance));
            }
        }
        let opens = |transaction: &&Transaction| {
            !transaction.refused && matches!(self.asked(transaction), Asked::Do(Op::Open { .. }))
        };
        let opened = self.truth.story().iter().filter(opens).count();
        found.insert((ASSET, OPENED), -i128::from(OPENING) * opened as i128);
        found
    }

    /// Every state and every good snapshot with the log behind it are what the whole log makes.
    fn states_are_the_logs(
        &self,
        states: &[State<'_>],
        keeper: &SnapshotKeeper,
    ) -> Result<(), Violation> {
        let of = |who: &str| {
            let who = who.to_owned();
            move |why| Violation::Replay { who, why }
        };
        let whole = replay::full(&self.entries).map_err(of("the log"))?;
        let version = whole.mark().version;
        for State { who, version: at, rows } in states {
            if *at != version {
                return Err(of(who)(replay::Violation::Version { one: version, other: *at }));
            }
            replay::same(version, &whole, *rows).map_err(of(who))?;
        }
        let files =
            keeper.list().map_err(|error| Violation::CannotOpen { why: error.to_string() })?;
        for file in files {
            // One that is spoiled is nobody's to begin with.
            let Ok((kept, pairs)) = keeper.load(&file) else { continue };
            let Ok(pairs) = pairs.collect::<Result<Vec<_>, _>>() else { continue };
            let tail = replay::from_snapshot(&kept.state, pairs, &self.entries);
            let tail = tail.map_err(of(&file))?;
            replay::same(version, &whole, &tail).map_err(of(&file))?;
        }
        Ok(())
    }
}

/// The balances that something writes which was just done.
fn written(model: &Naive, asked: &Asked) -> Vec<(u64, i64)> {
    let accounts = match *asked {
        Asked::Do(Op::Open { account }) => vec![account],
        Asked::Do(Op::Transfer { from, to, .. }) => vec![from, to],
        Asked::Do(Op::Hold { from, .. }) | Asked::Lapse { from, .. } => vec![from, HELD],
        Asked::Do(
            Op::Bump { .. }
            | Op::Say
            | Op::Hush
            | Op::Sum
            | Op::Look { .. }
            | Op::Panic { .. }
            | Op::Call(_)
            | Op::Ask { .. },
        )
        | Asked::Nothing => Vec::new(),
    };
    let accounts: BTreeSet<u64> = accounts.into_iter().collect();
    accounts.into_iter().map(|account| (account, model.balance(account))).collect()
}
