//! Appends: batches out of the queue into the table.
//!
//! A worker takes what waits, puts it in one statement, and answers each append by what the
//! statement put. What was not put is looked up: it is taken, and the bytes there are answered
//! once a barrier has confirmed that they are durable; or it is trimmed. After an error nothing is
//! known, and the same statement goes out again: rows that the lost one put are found taken, by
//! our own bytes. Nothing is ever cancelled, and nothing is waited for with a limit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use holdfast_log::{Append, LogError, Position};
use tokio_postgres::{Error, Row};

use crate::link::{Link, Tries};
use crate::log::{MAX_POSITIONS_AHEAD, Shared};
use crate::queue::Waiting;
use crate::session::Session;

/// How many positions are looked up at once: what is there may be as large as entries get.
const LOOKUP_MAX: usize = 16;

/// One of those who append.
pub(crate) struct Appender {
    pub(crate) shared: Arc<Shared>,
    pub(crate) link: Arc<Link>,
}

/// What the table said of some positions.
struct Held {
    mark: u64,
    entries: BTreeMap<u64, Bytes>,
}

impl Appender {
    /// Appends for ever; ends with the runtime.
    pub(crate) async fn run(self) {
        loop {
            let (batch, under_way) = self.shared.queue.next().await;
            let mut tries = self.shared.tries();
            let batch = self.admit(batch, &mut tries).await;
            self.put(batch, tries).await;
            drop(under_way);
        }
    }

    /// Answers what is too far ahead; the others may be put.
    async fn admit(&self, batch: Vec<Waiting>, tries: &mut Tries) -> Vec<Waiting> {
        let (mut near, mut far): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|append| self.is_near(append.position));
        if far.is_empty() {
            return near;
        }
        // What is known of the tail may be old.
        let looked = self.shared.look_for_tail(&self.link, tries).await;
        (near, far) = {
            far.append(&mut near);
            far.sort_unstable_by_key(|append| append.position);
            far.into_iter().partition(|append| self.is_near(append.position))
        };
        for append in far {
            let answer = match &looked {
                Ok(_) => self.answer_far(append.position, tries).await,
                Err(error) => Err(error.clone()),
            };
            append.reply.give(answer);
        }
        near
    }

    fn is_near(&self, position: Position) -> bool {
        position.get() <= self.shared.known().tail().saturating_add(MAX_POSITIONS_AHEAD)
    }

    /// What is there already is told, however far ahead; nothing new is put.
    async fn answer_far(&self, position: Position, tries: &mut Tries) -> Result<Append, LogError> {
        let tail = self.shared.known().tail();
        if let Ok(number) = i64::try_from(position.get()) {
            let held = loop {
                let session = self.link.session(tries).await?;
                match self.look_up(&session, &[number]).await {
                    Ok(held) => break held,
                    Err(error) => self.link.failed(&session, &error, tries).await?,
                }
            };
            if let Some(answer) = held.answer(position.get()) {
                return Ok(answer);
            }
        }
        let tail = Position::new(tail).expect("the tail is 1 or more");
        Err(LogError::TooFarAhead { position, tail, max: MAX_POSITIONS_AHEAD })
    }

    /// Puts a batch, however many tries it takes.
    async fn put(&self, mut batch: Vec<Waiting>, mut tries: Tries) {
        while !batch.is_empty() {
            let session = match self.link.session(&mut tries).await {
                Ok(session) => session,
                Err(error) => return refuse(batch, &error),
            };
            let Err(error) = self.put_once(&session, &mut batch).await else { continue };
            if let Err(error) = self.link.failed(&session, &error, &mut tries).await {
                return refuse(batch, &error);
            }
        }
    }

    /// Puts what is not there and answers for all that is; what is left in the batch is neither,
    /// since the table changed in between.
    async fn put_once(&self, session: &Session, batch: &mut Vec<Waiting>) -> Result<(), Error> {
        let rows = batch.iter().map(|a| (number(a.position), a.bytes.clone())).collect();
        let put = self.insert(session, rows).await?;
        let (ours, others): (Vec<_>, Vec<_>) =
            batch.drain(..).partition(|append| put.contains(&append.position.get()));
        *batch = others;
        self.shared.filled(&put);
        for append in ours {
            append.reply.give(Ok(Append::Ok));
        }
        while !batch.is_empty() {
            let some = batch.len().min(LOOKUP_MAX);
            let positions: Vec<_> = batch[..some].iter().map(|a| number(a.position)).collect();
            let held = self.look_up(session, &positions).await?;
            let mut answered = false;
            for append in batch.drain(..some).collect::<Vec<_>>() {
                match held.answer(append.position.get()) {
                    Some(answer) => {
                        answered = true;
                        append.reply.give(Ok(answer));
                    }
                    None => batch.push(append),
                }
            }
            if !answered {
                batch.sort_unstable_by_key(|append| append.position);
                return Ok(());
            }
        }
        Ok(())
    }

    async fn insert(
        &self,
        session: &Session,
        rows: Vec<(i64, Bytes)>,
    ) -> Result<BTreeSet<u64>, Error> {
        let _going = self.shared.pulse.begin();
        let statement = &session.statements().await?.append;
        let positions: Vec<i64> = rows.iter().map(|(position, _)| *position).collect();
        let bytes: Vec<&[u8]> = rows.iter().map(|(_, bytes)| &bytes[..]).collect();
        // A trim on this node waits for its turn here and not on the server, where those who
        // share the mark could keep it waiting for ever.
        let gate = self.shared.gate.read().await;
        let doubts = session.doubts();
        let rows =
            session.client.query(statement, &[&self.shared.partition, &positions, &bytes]).await?;
        drop(gate);
        if session.doubts() != doubts {
            session.confirm().await?;
        }
        Ok(rows.iter().map(|row| unsigned(row.get(0))).collect())
    }

    /// What these positions hold, confirmed.
    async fn look_up(&self, session: &Session, positions: &[i64]) -> Result<Held, Error> {
        let statement = &session.statements().await?.lookup;
        let _going = self.shared.pulse.begin();
        let rows = session.client.query(statement, &[&self.shared.partition, &positions]).await?;
        let held = Held::read(&rows);
        let known = {
            let known = self.shared.known();
            held.mark <= known.mark() && held.entries.keys().all(|at| known.is_used(*at))
        };
        if !known {
            session.confirm().await?;
            let mut known = self.shared.known();
            known.trimmed_below(held.mark);
            held.entries.keys().for_each(|position| known.used(*position));
        }
        Ok(held)
    }
}

impl Held {
    fn read(rows: &[Row]) -> Self {
        let mut held = Self { mark: 1, entries: BTreeMap::new() };
        for row in rows {
            held.mark = unsigned(row.get(0));
            if let Some(position) = row.get::<_, Option<i64>>(1) {
                held.entries.insert(unsigned(position), Bytes::from(row.get::<_, Vec<u8>>(2)));
            }
        }
        held
    }

    /// The answer to an append that was not put; `None` if the position is free after all.
    fn answer(&self, position: u64) -> Option<Append> {
        if position < self.mark {
            return Some(Append::Trimmed);
        }
        self.entries.get(&position).cloned().map(Append::Taken)
    }
}

fn refuse(batch: Vec<Waiting>, error: &LogError) {
    for append in batch {
        append.reply.give(Err(error.clone()));
    }
}

fn number(position: Position) -> i64 {
    i64::try_from(position.get()).expect("what is put is near the tail of a table of bigints")
}

/// A number of the table as ours: constraints keep it above 0.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).expect("positions and marks in the tables are 1 or more")
}
