//! Callers: writers, readers who want the newest, and sessions; and what they saw.
//!
//! Accounts that never go below zero and transfers between them, which a naive ledger
//! ([`Ledger`](crate::check::specification::Ledger)) can follow. Every try is written down with
//! its times ([`Call`]): a write is repeated under its key, at another node, until somebody
//! answers. Readers go from node to node and ask each for the newest. A session goes from node
//! to node as well, sends back the highest version that it was told, and writes now and then.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use holdfast_state::Version;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::wire::{self, Ask, Came, Wire};
use crate::{
    check::{
        Call, Heard, Place, Reply,
        specification::ledger::{Answer, Asked},
    },
    random::Random,
    request::operation,
};

/// Accounts that transfers go between.
const ACCOUNTS: u64 = 8;

/// What each has at first: little enough for some transfers to be refused.
const FUNDED: i64 = 1_000;

/// The most that one transfer moves.
const MOVED_MAX: u64 = 400;

/// One write in so many is asked again, though it was answered.
const ASKED_AGAIN: u64 = 8;

/// Readers in a [`crowd`](Load::crowd).
pub(super) const CROWD: usize = 16;

/// Where the money comes from; the model does not follow it.
const WORLD: u64 = ACCOUNTS;

/// Rest before the next try, when the last brought no answer.
const REST: Duration = Duration::from_millis(10);

/// After the end, what is open is still asked for so long.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);

/// A try as a client saw it.
pub(super) type Tried = Call<Asked, Reply<Answer>>;

/// How many callers of each kind there are, and how long they rest.
#[derive(Clone, Copy, Debug)]
pub struct Callers {
    /// Who write.
    pub writers: usize,
    /// Who read the newest.
    pub readers: usize,
    /// What those ask for.
    pub ask_for: Newest,
    /// Who read what they wrote.
    pub sessions: usize,
    /// The mean rest between an answer and what is asked next.
    pub rest: Duration,
}

impl Default for Callers {
    /// Modest: servers, nodes and callers share a machine.
    fn default() -> Self {
        let rest = Duration::from_millis(25);
        Self { writers: 6, readers: 4, ask_for: Newest::Linearizable, sessions: 3, rest }
    }
}

/// What is asked for by readers who are judged as though they had asked for the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newest {
    /// The newest.
    Linearizable,
    /// Whatever a node has: the control, which must be found out.
    Stale,
}

impl Newest {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Stale => "stale",
        }
    }
}

/// What linearizable reads rest on, at the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The log, asked for each.
    Confirmed,
    /// The leader's lease.
    Lease,
}

impl Reads {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Lease];

    /// As the configuration calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Lease => "lease",
        }
    }
}

/// What a session was answered.
#[derive(Clone, Debug)]
pub(super) struct SessionStep {
    /// Which session.
    pub(super) session: usize,
    /// The highest version that it had been told before.
    pub(super) token: Version,
    /// The node that it asked.
    pub(super) node: usize,
    pub(super) asked: Asked,
    pub(super) place: Place,
    pub(super) answer: Answer,
}

/// What callers saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Writes, and linearizable reads that were answered.
    pub(super) calls: Vec<Tried>,
    /// What sessions were answered, each in its order.
    pub(super) sessions: Vec<SessionStep>,
}

/// Callers at work.
#[derive(Debug)]
pub(super) struct Load {
    nodes: Vec<SocketAddr>,
    callers: Callers,
    seed: u64,
    begun: Instant,
    over: AtomicBool,
    /// When the latest acknowledged write was sent, and its version.
    sent_us: AtomicU64,
    version: AtomicU64,
    /// Which of [`Reads::ALL`] all nodes have now; another number while that changes.
    reads: AtomicUsize,
    read: [AtomicU64; Reads::ALL.len()],
}

/// Nodes are being started again with other settings.
const CHANGING: usize = Reads::ALL.len();

impl Load {
    pub(super) fn new(nodes: Vec<SocketAddr>, callers: Callers, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            nodes,
            callers,
            seed,
            begun: Instant::now(),
            over: AtomicBool::new(false),
            sent_us: AtomicU64::new(0),
            version: AtomicU64::new(0),
            reads: AtomicUsize::new(CHANGING),
            read: [AtomicU64::new(0), AtomicU64::new(0)],
        })
    }

    /// The clock of everything that is written down.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Was a write acknowledged that was sent after `then`? Its version, or a later one's.
    pub(super) fn written_since(&self, then: Duration) -> Option<Version> {
        let is = u128::from(self.sent_us.load(Ordering::SeqCst)) > then.as_micros();
        is.then(|| Version::new(self.version.load(Ordering::SeqCst)))
    }

    /// All nodes have this from now on; `None` while that changes.
    pub(super) fn nodes_have(&self, reads: Option<Reads>) {
        let number = reads.and_then(|reads| Reads::ALL.iter().position(|other| *other == reads));
        self.reads.store(number.unwrap_or(CHANGING), Ordering::SeqCst);
    }

    /// How many linearizable reads were answered while all nodes had this.
    pub(super) fn answered(&self, reads: Reads) -> u64 {
        let number = Reads::ALL.iter().position(|other| *other == reads);
        number.map_or(0, |number| self.read[number].load(Ordering::SeqCst))
    }

    /// Opens the accounts.
    ///
    /// # Errors
    /// When a node answers what it never should.
    pub(super) async fn prepare(self: &Arc<Self>) -> anyhow::Result<Seen> {
        let mut caller = Caller::new(Arc::clone(self), 0);
        for account in (0..=ACCOUNTS).rev() {
            let limit = if account == WORLD { "none" } else { "debits_not_above_credits" };
            let balance = if account == WORLD { 0 } else { FUNDED };
            let open = json!({ "id": id(account), "asset": "EUR", "limit": limit });
            let mut operations = vec![operation("ledger.open_account", open)];
            let (from, to) = (id(WORLD), id(account));
            let fund = json!({ "debit_account": from, "credit_account": to, "amount": FUNDED });
            operations.extend((account != WORLD).then(|| operation("ledger.transfer", fund)));
            let body = json!({ "mode": "all", "operations": operations });
            let ask = Ask::post("/v1/transactions", format!("open-{account}"), body);
            let asked = Asked::Open { account, balance };
            caller.insist(asked, &ask).await?.context("nobody opens accounts")?;
        }
        Ok(caller.seen)
    }

    /// Works until [`end`](Self::end) is called; what was seen then.
    ///
    /// # Errors
    /// When a node answers what it never should.
    pub(super) async fn run(self: Arc<Self>) -> anyhow::Result<Seen> {
        let Callers { writers, readers, sessions, .. } = self.callers;
        let mut callers = JoinSet::new();
        let new = |number: usize| Caller::new(Arc::clone(&self), number + 1);
        for number in 0..writers {
            callers.spawn(new(number).write());
        }
        for number in writers..writers + readers {
            callers.spawn(new(number).read());
        }
        for session in 0..sessions {
            callers.spawn(new(writers + readers + session).visit(session));
        }
        let mut seen = Seen::default();
        while let Some(caller) = callers.join_next().await {
            seen.add(caller??);
        }
        Ok(seen)
    }

    /// Readers who want the newest of this node, all at once; what they saw. Of a halted node: they
    /// are the first that it answers when it goes on.
    ///
    /// # Errors
    /// When a node answers what it never should.
    pub(super) async fn crowd(self: Arc<Self>, node: usize) -> anyhow::Result<Seen> {
        let mut readers = JoinSet::new();
        for number in 0..CROWD {
            let mut caller = Caller::new(Arc::clone(&self), number);
            caller.node = node;
            readers.spawn(async move {
                let (asked, ask) = caller.look(caller.load.callers.ask_for.as_str());
                caller.attempt(asked, &ask).await?;
                anyhow::Ok(caller.seen)
            });
        }
        let mut seen = Seen::default();
        while let Some(reader) = readers.join_next().await {
            seen.add(reader??);
        }
        Ok(seen)
    }

    /// Callers finish what they asked for, and end.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

impl Seen {
    pub(super) fn add(&mut self, mut other: Self) {
        self.calls.append(&mut other.calls);
        self.sessions.append(&mut other.sessions);
    }
}

fn id(account: u64) -> String {
    format!("account-{account}")
}

/// One caller.
struct Caller {
    load: Arc<Load>,
    number: usize,
    /// A connection to each node, and which it asks now.
    wires: Vec<Wire>,
    node: usize,
    random: Random,
    /// Keys given so far.
    keys: u64,
    seen: Seen,
}

impl Caller {
    fn new(load: Arc<Load>, number: usize) -> Self {
        let seed = load.seed ^ ((number as u64) << 32);
        let wires = load.nodes.iter().map(|_| Wire::default()).collect();
        let node = number % load.nodes.len();
        Self {
            load,
            number,
            wires,
            node,
            random: Random::new(seed),
            keys: 0,
            seen: Seen::default(),
        }
    }

    async fn write(mut self) -> anyhow::Result<Seen> {
        while !self.load.is_over() {
            let (asked, ask) = self.transfer();
            self.insist(asked, &ask).await?;
            // As one does who lost the answer: another node gives it again.
            if self.random.below(ASKED_AGAIN) == 0 {
                self.go_on();
                self.attempt(asked, &ask).await?;
            }
            self.rest().await;
        }
        Ok(self.seen)
    }

    /// Reads the newest, from one node after the other.
    async fn read(mut self) -> anyhow::Result<Seen> {
        while !self.load.is_over() {
            self.go_on();
            let reads = self.load.reads.load(Ordering::SeqCst);
            let (asked, ask) = self.look(self.load.callers.ask_for.as_str());
            if self.attempt(asked, &ask).await?.is_none() {
                tokio::time::sleep(REST).await;
                continue;
            }
            if reads == self.load.reads.load(Ordering::SeqCst)
                && let Some(count) = self.load.read.get(reads)
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
            self.rest().await;
        }
        Ok(self.seen)
    }

    /// Goes from node to node with what it was told.
    async fn visit(mut self, session: usize) -> anyhow::Result<Seen> {
        let mut token = Version::default();
        while !self.load.is_over() {
            self.go_on();
            let writes = self.random.below(4) == 0;
            let (asked, mut ask) = if writes { self.transfer() } else { self.look("session") };
            ask.after = Some(token);
            let node = self.node;
            let answered = if writes {
                self.insist(asked, &ask).await?
            } else {
                self.once(&ask).await?.map(|reply| (reply, asked)).map(told).transpose()?
            };
            let Some(Reply { place, body: answer, .. }) = answered else {
                tokio::time::sleep(REST).await;
                continue;
            };
            self.seen.sessions.push(SessionStep { session, token, node, asked, place, answer });
            token = token.max(place.version());
            self.rest().await;
        }
        Ok(self.seen)
    }

    fn transfer(&mut self) -> (Asked, Ask) {
        let from = self.random.below(ACCOUNTS);
        let to = (from + 1 + self.random.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = i64::try_from(1 + self.random.below(MOVED_MAX)).expect("it is small");
        let body = json!({ "debit_account": id(from), "credit_account": id(to), "amount": amount });
        self.keys += 1;
        let key = format!("c{}-{}", self.number, self.keys);
        (Asked::Transfer { from, to, amount }, Ask::post("/v1/ledger/transfers", key, body))
    }

    fn look(&mut self, consistency: &'static str) -> (Asked, Ask) {
        let account = self.random.below(ACCOUNTS);
        let path = format!("/v1/ledger/accounts/{}", id(account));
        (Asked::Balance { account }, Ask::get(path, consistency))
    }

    /// Asks until there is an answer; `None` when the run is over and there is none.
    async fn insist(&mut self, asked: Asked, ask: &Ask) -> anyhow::Result<Option<Reply<Answer>>> {
        let mut over = None;
        loop {
            if let Some(reply) = self.attempt(asked, ask).await? {
                return Ok(Some(reply));
            }
            let since = if self.load.is_over() {
                *over.get_or_insert_with(Instant::now)
            } else {
                Instant::now()
            };
            if since.elapsed() > SETTLED_WITHIN {
                return Ok(None);
            }
            self.go_on();
            tokio::time::sleep(REST).await;
        }
    }

    /// Asks once, and writes down what came of it: of a read only an answer.
    async fn attempt(&mut self, asked: Asked, ask: &Ask) -> anyhow::Result<Option<Reply<Answer>>> {
        let sent = self.load.now();
        let came = self.wires[self.node].ask(self.load.nodes[self.node], ask).await?;
        let at = self.load.now();
        let heard = match came {
            Came::Answer(answer) => Heard::Answered { at, answer: told((answer, asked))? },
            Came::Nothing => Heard::Nothing,
            Came::Unknown => Heard::Unknown,
        };
        let reply = match &heard {
            Heard::Answered { answer, .. } => Some(answer.clone()),
            Heard::Nothing | Heard::Unknown => None,
        };
        let key = ask.key.clone();
        if let Some(reply) = reply.as_ref().filter(|_| key.is_some()) {
            let us = u64::try_from(sent.as_micros()).context("a run is not that long")?;
            self.load.sent_us.fetch_max(us, Ordering::SeqCst);
            self.load.version.fetch_max(reply.place.version().get(), Ordering::SeqCst);
        }
        if key.is_some() || reply.is_some() {
            self.seen.calls.push(Call { key, asked, sent, heard });
        }
        Ok(reply)
    }

    /// Asks once.
    async fn once(&mut self, ask: &Ask) -> anyhow::Result<Option<wire::Answer>> {
        match self.wires[self.node].ask(self.load.nodes[self.node], ask).await? {
            Came::Answer(answer) => Ok(Some(answer)),
            Came::Nothing | Came::Unknown => Ok(None),
        }
    }

    fn go_on(&mut self) {
        self.node = (self.node + 1) % self.load.nodes.len();
    }

    async fn rest(&mut self) {
        let mean = u64::try_from(self.load.callers.rest.as_millis()).unwrap_or(u64::MAX);
        let rest = mean / 2 + self.random.below(mean + 1);
        tokio::time::sleep(Duration::from_millis(rest)).await;
    }
}

/// What an answer says, in the model's words.
fn told((answer, asked): (wire::Answer, Asked)) -> anyhow::Result<Reply<Answer>> {
    let wire::Answer { version, replayed, refused, body } = answer;
    let (place, said) = match (asked, refused.as_deref()) {
        (Asked::Open { .. } | Asked::Transfer { .. }, None) => (Place::Is(version), Answer::Done),
        (Asked::Transfer { .. }, Some("exceeds_limit")) => (Place::Is(version), Answer::Lacks),
        (Asked::Balance { .. }, None) => (Place::Saw(version), Answer::Amount(balance(&body)?)),
        // A session that was told of nothing yet may see a time before the accounts.
        (Asked::Balance { .. }, Some("account_not_found")) => {
            (Place::Saw(version), Answer::NoAccount)
        }
        _ => bail!("{asked:?} was answered {body}"),
    };
    Ok(Reply { place, replayed, body: said })
}

fn balance(account: &Value) -> anyhow::Result<i64> {
    account["balance"].as_i64().with_context(|| format!("no balance in {account}"))
}
