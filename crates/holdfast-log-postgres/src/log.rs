//! The log itself: the handle, what its tasks share, and how it begins and ends.
//!
//! Calls come from any thread and return at once: appends go into the queue, everything else
//! becomes a task of the log's own runtime, which has one thread. Callbacks run on that thread.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use bytes::Bytes;
use holdfast_log::{
    Append, Done, Durability, Log, LogError, LogServer, Position, Properties, Provenance, Read,
    Waited,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{RwLock, Semaphore, watch};
use tokio_postgres::Error;

use crate::append::{Appender, unsigned};
use crate::known::Known;
use crate::lineage::Lineage;
use crate::link::{Link, Tries};
use crate::options::PostgresOptions;
use crate::pulse::Pulse;
use crate::queue::{Queue, Waiting};
use crate::reply::{Owed, Reply};
use crate::servers::Servers;
use crate::session::{Making, Session};
use crate::sql::Sql;
use crate::steward::Steward;
use crate::wake::Heard;
use crate::{read, schema, trim};

/// How far beyond the first hole an append may go. It is the same for everyone who ever wrote to
/// the tables, since the search for the first hole begins that far below the highest position.
pub const MAX_POSITIONS_AHEAD: u64 = 1024;

/// How many workers share one connection: while the answer to one's statement is on its way, the
/// server has the next one's.
const WORKERS_PER_CONNECTION: usize = 2;

/// How many reads run at once; each may hold a piece of the log in memory.
const READS_AT_ONCE: usize = 4;

/// How long closing waits for answers that are owed.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);

/// How long closing waits for a last look at the server.
const LOOKED_WITHIN: Duration = Duration::from_secs(1);

/// A log in the tables of a PostgreSQL database, alone or with synchronous standbys.
///
/// Dropping it without [`Log::close`] answers what waits with [`LogError::Stopped`]; what a server
/// was sent may happen all the same.
pub struct PostgresLog {
    shared: Arc<Shared>,
    servers: Arc<Servers>,
    reads: Arc<Link>,
    read_slots: Arc<Semaphore>,
    options: PostgresOptions,
    /// Gone only while it is dropped.
    runtime: Option<Runtime>,
}

/// What the tasks of one log share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) sql: Sql,
    pub(crate) partition: i64,
    pub(crate) durability: Durability,
    pub(crate) queue: Queue,
    pub(crate) heard: Arc<Heard>,
    pub(crate) pulse: Pulse,
    /// Held by appends, shared, while their statement is under way; alone by a trim.
    pub(crate) gate: RwLock<()>,
    known: Mutex<Known>,
    appended: watch::Sender<u64>,
    closed: AtomicBool,
    owed: Arc<Owed>,
    /// Becomes true when the log is closed: nobody waits any longer.
    closing: watch::Sender<bool>,
    patience: Duration,
}

impl PostgresLog {
    /// Opens the log, or begins it: finds the server, makes the tables if they are missing and it
    /// may, and looks at every setting that durability rests on.
    ///
    /// Blocks the calling thread, at most for a little more than
    /// [`PostgresOptions::patience`] unless a statement hangs on the server.
    ///
    /// # Errors
    /// [`LogError::BadOptions`]; [`LogError::Refused`] if a server is not what it must be, or does
    /// not let us in; [`LogError::Unavailable`] if none can be reached that takes writes and is
    /// not older than what the memo tells of; [`LogError::Io`] for the memo.
    pub fn open(options: PostgresOptions) -> Result<Self, LogError> {
        options.check()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("log-postgres")
            .enable_all()
            .build()
            .map_err(|source| LogError::Io {
                what: "starting the log's runtime".to_owned(),
                source: Arc::new(source),
            })?;
        let sql = Sql::with_prefix(&options.prefix);
        let heard = Arc::new(Heard::nothing());
        let making = |connector, generation| Making {
            connector,
            sql: sql.clone(),
            heard: Arc::clone(&heard),
            generation,
        };
        let servers = Arc::new(Servers::new(&options, making)?);
        let reads = Arc::new(Link::new(&servers));
        let partition = i64::from(options.partition);
        let durability = on(&runtime, {
            let (reads, sql, patience) = (Arc::clone(&reads), sql.clone(), options.patience);
            async move { begin(&reads, &sql, partition, patience).await }
        })?;
        servers.hold_to(durability);
        let shared = Arc::new(Shared::new(sql, heard, durability, &options));
        let log = Self {
            shared,
            servers,
            reads,
            read_slots: Arc::new(Semaphore::new(READS_AT_ONCE)),
            options,
            runtime: Some(runtime),
        };
        log.start_tasks();
        Ok(log)
    }

    fn start_tasks(&self) {
        let mut links = vec![Arc::clone(&self.reads)];
        for _ in 0..self.options.connections {
            let link = Arc::new(Link::new(&self.servers));
            links.push(Arc::clone(&link));
            for _ in 0..WORKERS_PER_CONNECTION {
                let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&link));
                self.runtime().spawn(Appender { shared, link }.run());
            }
        }
        let channel = self.shared.sql.channel(self.shared.partition);
        let steward = Steward {
            shared: Arc::clone(&self.shared),
            servers: Arc::clone(&self.servers),
            link: Link::listening(&self.servers, &channel),
            links,
            appended: self.shared.appended.subscribe(),
            channel,
        };
        self.runtime().spawn(steward.run());
    }

    /// Which server's history the log is on. Claims record it, but for how far its WAL is.
    #[must_use]
    pub fn lineage(&self) -> Lineage {
        self.servers.lineage().expect("an open log has been connected")
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is taken only by drop")
    }

    /// Whether calls are still taken; if not, the answer is given.
    fn admits<T>(&self, done: Done<T>) -> Option<Reply<T>> {
        // Owed first, so that a close that begins now waits for this answer.
        let reply = Reply::owed(done, &self.shared.owed);
        if self.shared.closed.load(Ordering::SeqCst) {
            reply.give(Err(LogError::Closed));
            return None;
        }
        Some(reply)
    }
}

/// Runs a task of the log's and waits for it, whatever thread this is.
fn on<T: Send + 'static>(
    runtime: &Runtime,
    task: impl Future<Output = Result<T, LogError>> + Send + 'static,
) -> Result<T, LogError> {
    let (answer, answered) = mpsc::sync_channel(1);
    runtime.spawn(async move { drop(answer.send(task.await)) });
    let ended = |_| LogError::Stopped { reason: "opening the log ended in a panic".to_owned() };
    answered.recv().map_err(ended)?
}

/// Finds the server and sees to the tables; answers how durable commits are.
async fn begin(
    link: &Link,
    sql: &Sql,
    partition: i64,
    patience: Duration,
) -> Result<Durability, LogError> {
    let mut tries = Tries::with_patience(patience);
    schema::ensure(link, sql, partition, &mut tries).await?;
    Ok(link.session(&mut tries).await?.durability)
}

impl Shared {
    fn new(sql: Sql, heard: Arc<Heard>, durability: Durability, options: &PostgresOptions) -> Self {
        Self {
            sql,
            partition: i64::from(options.partition),
            durability,
            queue: Queue::bounded(options.max_queued_bytes),
            heard,
            pulse: Pulse::default(),
            gate: RwLock::new(()),
            known: Mutex::new(Known::nothing()),
            appended: watch::Sender::new(0),
            closed: AtomicBool::new(false),
            owed: Arc::default(),
            closing: watch::Sender::new(false),
            patience: options.patience,
        }
    }

    /// What is known durable.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tries of a new call.
    pub(crate) fn tries(&self) -> Tries {
        Tries::with_patience(self.patience)
    }

    /// These positions were put by this process, durably.
    pub(crate) fn filled(&self, put: &std::collections::BTreeSet<u64>) {
        let Some(highest) = put.last() else { return };
        {
            let mut known = self.known();
            put.iter().for_each(|position| known.used(*position));
        }
        self.heard.filled(*highest);
        self.appended.send_modify(|appended| *appended = (*appended).max(*highest));
    }

    /// Looks for the first hole; what is below it is confirmed, and known from now on.
    pub(crate) async fn look_for_tail(
        &self,
        link: &Link,
        tries: &mut Tries,
    ) -> Result<Position, LogError> {
        loop {
            let session = link.session(tries).await?;
            match self.look_for_tail_once(&session).await {
                Ok(tail) => return Ok(Position::new(tail).expect("a tail is 1 or more")),
                Err(error) => link.failed(&session, &error, tries).await?,
            }
        }
    }

    async fn look_for_tail_once(&self, session: &Session) -> Result<u64, Error> {
        let bound = self.known().tail();
        let from = i64::try_from(bound).expect("what is known came from a table of bigints");
        let ahead = i64::try_from(MAX_POSITIONS_AHEAD).expect("it is small");
        let _going = self.pulse.begin();
        let statement = &session.statements().await?.tail;
        let rows = session.client.query(statement, &[&self.partition, &from, &ahead]).await?;
        let mark = rows.first().map_or(1, |row| unsigned(row.get(0)));
        let positions = rows.iter().filter_map(|row| row.get::<_, Option<i64>>(1)).map(unsigned);
        let tail = first_hole(bound.max(mark), &positions.collect::<Vec<_>>());
        if tail > bound || mark > self.known().mark() {
            session.confirm().await?;
        }
        let mut known = self.known();
        known.trimmed_below(mark);
        known.used_below(tail);
        Ok(tail)
    }
}

/// The first hole, given that everything below `bound` is used, and the used positions in order up
/// to the highest one. Everything that far below the highest is used too.
fn first_hole(bound: u64, positions: &[u64]) -> u64 {
    let highest = positions.last().copied().unwrap_or(0);
    let mut hole = bound.max(highest.saturating_sub(MAX_POSITIONS_AHEAD));
    for position in positions {
        if *position > hole {
            break;
        }
        hole = hole.max(position + 1);
    }
    hole
}

impl Log for PostgresLog {
    fn append(&self, position: Position, bytes: Bytes, done: Done<Append>) {
        let Some(reply) = self.admits(done) else { return };
        let (len, max) = (bytes.len(), self.options.max_entry_bytes);
        if len > max {
            reply.give(Err(LogError::TooLarge { bytes: len, max }));
            return;
        }
        self.shared.queue.push(Waiting { position, bytes, reply });
    }

    fn read(&self, from: Position, max_bytes: usize, done: Done<Vec<Read>>) {
        let Some(reply) = self.admits(done) else { return };
        let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&self.reads));
        let slots = Arc::clone(&self.read_slots);
        self.runtime().spawn(async move {
            let slot = slots.acquire().await;
            let answer = read::read(&shared, &link, from, max_bytes).await;
            drop(slot);
            reply.give(answer);
        });
    }

    fn tail(&self, done: Done<Position>) {
        let Some(reply) = self.admits(done) else { return };
        let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&self.reads));
        self.runtime().spawn(async move {
            reply.give(shared.look_for_tail(&link, &mut shared.tries()).await);
        });
    }

    fn trim(&self, below: Position, done: Done<()>) {
        let Some(reply) = self.admits(done) else { return };
        let (shared, link) = (Arc::clone(&self.shared), Arc::clone(&self.reads));
        self.runtime().spawn(async move {
            let moved = trim::move_mark(&shared, &link, below).await;
            let deletes = moved.is_ok();
            reply.give(moved);
            if deletes {
                trim::delete_below(&shared, &link, below).await;
            }
        });
    }

    fn wait(&self, position: Position, done: Done<Waited>) {
        let reply = Reply::new(done);
        let shared = Arc::clone(&self.shared);
        self.runtime().spawn(async move {
            let mut closing = shared.closing.subscribe();
            if !*closing.borrow() && shared.known().is_used(position.get()) {
                return reply.give(Ok(Waited::MayHold));
            }
            let told = tokio::select! {
                biased;
                _ = closing.wait_for(|closed| *closed) => Err(LogError::Closed),
                waited = shared.heard.wait(position.get()) => Ok(waited),
            };
            reply.give(told);
        });
    }

    fn provenance(&self) -> Provenance {
        self.lineage().provenance()
    }

    fn is_where(&self, recorded: &Provenance) -> Result<(), LogError> {
        self.servers.is_where(recorded)
    }

    fn close(&self, done: Done<()>) {
        let reply = Reply::new(done);
        if self.shared.closed.swap(true, Ordering::SeqCst) {
            reply.give(Err(LogError::Closed));
            return;
        }
        self.shared.closing.send_replace(true);
        let (shared, servers) = (Arc::clone(&self.shared), Arc::clone(&self.servers));
        let link = Arc::clone(&self.reads);
        self.runtime().spawn(async move {
            let settled = tokio::time::timeout(CLOSED_WITHIN, shared.owed.settled()).await;
            // The next life shall know how far the server was at the end of this one.
            let look = async { link.session_once().await.ok()?.look().await.ok() };
            if let Ok(Some(found)) = tokio::time::timeout(LOOKED_WITHIN, look).await {
                servers.seen(found.lineage);
            }
            let recorded = servers.record();
            reply.give(match settled {
                Ok(()) => recorded,
                Err(_) => Err(LogError::Unavailable {
                    reason: "it was closed while answers were owed, and the server did not give \
                             them; what they were for may have happened"
                        .to_owned(),
                }),
            });
        });
    }

    fn properties(&self) -> Properties {
        Properties {
            max_entry_bytes: self.options.max_entry_bytes,
            durability: self.shared.durability,
            empty_read_is_linearizable: true,
            max_positions_ahead: MAX_POSITIONS_AHEAD,
        }
    }

    fn server(&self) -> Option<LogServer> {
        let mut facts = Vec::new();
        let address = self.servers.address();
        // Only a server that takes writes is ever used.
        facts.extend(address.is_some().then(|| ("role", "primary".to_owned())));
        if let Some(Lineage { system, timeline, .. }) = self.servers.lineage() {
            facts.push(("system_identifier", system.to_string()));
            facts.push(("timeline", timeline.to_string()));
        }
        Some(LogServer { engine: "postgresql", address, facts })
    }
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        // Its last handle may be dropped by a callback, on the runtime's own thread: so it is not
        // waited for. Tasks are dropped, and with them what they owe is answered.
        self.runtime.take().expect("dropped once").shutdown_background();
    }
}

impl fmt::Debug for PostgresLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLog")
            .field("options", &self.options)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hole_is_found_in_what_the_table_shows() {
        for (bound, positions, hole) in [
            (1, &[][..], 1),
            (5, &[], 5),
            (1, &[1, 2, 3], 4),
            (1, &[1, 3], 2),
            (1, &[2, 3], 1),
            (3, &[3, 4, 7], 5),
            (6, &[2, 3, 6, 8], 7),
            (1, &[3976, 3977, 5000], 3978),
            (1, &[3977, 5000], 3976),
        ] {
            assert_eq!(first_hole(bound, positions), hole, "{bound} {positions:?}");
        }
    }
}
