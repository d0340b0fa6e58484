//! Leading: evaluating requests into batches, and sealing batches into entries.
//!
//! The evaluator's order is the log's order. What a transaction wrote is seen by
//! the next through the overlay; its answer waits until the log has confirmed
//! everything that it saw (P12).

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use holdfast_log::{
    EntryBuilder, EntryHeader, Epoch, Hash, LogId, Nonce, Position, ReaderState,
    entry::{FEATURE_LEVEL, HEADER_BYTES},
};
use holdfast_state::{
    Batch, BatchBuilder, Budget, LogTime, Overlay, Source, Stop, Tx, TxContext, Version,
};

use crate::{
    clock::LogClock,
    event::Now,
    idempotency::Filing,
    pipeline::{Pipeline, Waiting},
    request::{Answer, Asked, Decision, Failure, Outcome, Request},
    timers::DueTimers,
};

/// Everything that only a leader has. Thrown away when leadership ends (P9).
#[derive(Debug)]
pub(crate) struct Leading {
    epoch: Epoch,
    nonce: Nonce,
    identity: LogId,
    /// Of the last entry sealed.
    sequence: u64,
    hash: Hash,
    next_version: Version,
    overlay: Overlay,
    batch: OpenBatch,
    pub(crate) clock: LogClock,
    pub(crate) pipeline: Pipeline,
    pub(crate) filing: Filing,
    pub(crate) timers: DueTimers,
}

/// What is evaluated but not sealed.
#[derive(Debug)]
struct OpenBatch {
    builder: BatchBuilder,
    first: Version,
    time: LogTime,
    waiting: Vec<Waiting>,
}

impl OpenBatch {
    fn new(first: Version, capacity: usize) -> Self {
        let mut memory = Vec::with_capacity(HEADER_BYTES + capacity);
        memory.resize(HEADER_BYTES, 0);
        let builder = BatchBuilder::reusing(memory);
        Self { builder, first, time: LogTime::ZERO, waiting: Vec::new() }
    }
}

/// What evaluating a request came to.
pub(crate) struct Evaluated {
    /// What fairness charges for it.
    pub(crate) cost: i64,
    /// The answer, when it need not wait.
    pub(crate) now: Option<Waiting>,
    /// The store failed under it.
    pub(crate) doubt: Option<String>,
}

impl Leading {
    /// Leadership as the reader knows it after our own claim.
    pub(crate) fn begin(
        state: &ReaderState,
        clock: LogClock,
        filing: Filing,
        timers: DueTimers,
    ) -> Self {
        let next_version = Version::new(state.next_version);
        Self {
            epoch: state.epoch,
            nonce: state.nonce,
            identity: state.identity.expect("a claim was read"),
            sequence: state.sequence,
            hash: state.hash,
            next_version,
            overlay: Overlay::default(),
            batch: OpenBatch::new(next_version, 0),
            clock,
            pipeline: Pipeline::new(state.next_position),
            filing,
            timers,
        }
    }

    /// Bytes gathered and not sealed.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch.builder.len()
    }

    /// Answers that wait for the log.
    pub(crate) fn answers_waiting(&self) -> usize {
        self.batch.waiting.len() + self.pipeline.answers()
    }

    /// Is there anything to seal?
    pub(crate) fn has_batch(&self) -> bool {
        !self.batch.builder.is_empty()
    }

    /// Runs a request against everything evaluated before it.
    pub(crate) fn evaluate(
        &mut self,
        state: &dyn Source,
        request: Request,
        given: (Now, u64, Budget),
    ) -> Evaluated {
        let (now, seed, budget) = given;
        let time = self.clock.read(now);
        if self.batch.builder.is_empty() {
            self.batch.time = time;
        }
        let context = TxContext {
            version: self.next_version,
            now: time,
            entry_time: self.batch.time,
            namespace: request.namespace,
            seed,
            budget,
        };
        let mut tx = Tx::begin(state, &mut self.overlay, &mut self.batch.builder, context);
        let answer = run(&mut tx, &mut self.filing, &request);
        let cost = i64::from(tx.cost()) + 1;
        let wrote = if answer.is_ok() {
            tx.commit()
        } else {
            drop(tx);
            false
        };
        let answer = self.place(answer, wrote, time);
        let doubt = match &answer {
            Err(Failure::Aborted(holdfast_state::Abort::Store(error))) => Some(error.to_string()),
            Ok(_) | Err(_) => None,
        };
        let waiting = Waiting { reply: request.reply, answer };
        Evaluated { cost, now: self.wait(waiting), doubt }
    }

    /// Gives the outcome its version.
    fn place(&mut self, ran: Result<Ran, Failure>, wrote: bool, time: LogTime) -> Answer {
        let last = Version::new(self.next_version.get() - 1);
        let version = if wrote { self.next_version } else { last };
        if wrote {
            self.next_version = self.next_version.next();
        }
        Ok(match ran? {
            Ran::Fresh(decision, body) => {
                Outcome { decision, body, version, time, replayed: false }
            }
            Ran::Stored(outcome) => outcome,
        })
    }

    /// Puts an answer behind all that it rests on; gives it back when that is
    /// nothing.
    fn wait(&mut self, waiting: Waiting) -> Option<Waiting> {
        if self.has_batch() {
            self.batch.waiting.push(waiting);
            return None;
        }
        self.pipeline.wait(waiting).err()
    }

    /// Makes the batch an entry and hands it to the pipeline.
    pub(crate) fn seal(&mut self, durable: Option<Position>) -> (Position, Bytes) {
        // The next batch will be about as large as this one.
        let capacity = self.batch.builder.len();
        let after = OpenBatch::new(self.next_version, capacity);
        let batch = std::mem::replace(&mut self.batch, after);
        let header = EntryHeader {
            feature_level: FEATURE_LEVEL,
            log: self.identity,
            previous: self.hash,
            epoch: self.epoch,
            nonce: self.nonce,
            sequence: self.sequence + 1,
            first_version: batch.first.get(),
            count: batch.builder.count(),
            log_time_us: batch.time.as_us(),
            durable,
        };
        let bytes = EntryBuilder::around(batch.builder.into_bytes()).seal(&header);
        self.sequence = header.sequence;
        self.hash = Hash::of(&bytes);
        let position = self.pipeline.send_entry(header.sequence, bytes.clone(), batch.waiting);
        (position, bytes)
    }

    /// Notes that the store holds this batch now, whose last version this is.
    pub(crate) fn applied(&mut self, batch: &Batch, version: Version) {
        self.overlay.applied(version);
        for change in batch.changes().map_while(Result::ok) {
            change.facts().map_while(Result::ok).for_each(|fact| self.timers.applied(fact));
        }
    }

    /// Ends leadership: whoever waits learns that the outcome is not known here.
    pub(crate) fn abandon(self, reason: &str) -> Vec<Waiting> {
        let unknown = || Err(Failure::OutcomeUnknown { reason: reason.to_owned() });
        let batch = self.batch.waiting.into_iter();
        let mut waiting = self.pipeline.abandon(reason);
        waiting.extend(batch.map(|waiting| Waiting { answer: unknown(), ..waiting }));
        waiting
    }
}

/// What a transaction came to, before it has a place.
enum Ran {
    Fresh(Decision, Bytes),
    Stored(Outcome),
}

fn run(tx: &mut Tx<'_>, filing: &mut Filing, request: &Request) -> Result<Ran, Failure> {
    let Some(Asked { fingerprint, key: Some(key) }) = &request.asked else {
        let (decision, body) = decide(tx, request)?;
        return Ok(Ran::Fresh(decision, body.into()));
    };
    let found = filing.find(tx, request.namespace, key).map_err(aborted)?;
    if let Some(record) = found {
        if !record.is_of(*fingerprint) {
            return Err(Failure::KeyReused);
        }
        return Ok(Ran::Stored(Outcome {
            decision: record.decision(),
            version: record.version,
            time: record.time,
            replayed: true,
            body: Vec::from(record.body).into(),
        }));
    }
    let (decision, body) = decide(tx, request)?;
    let filed = (request.namespace, &**key, *fingerprint);
    filing.record(tx, filed, decision, &body).map_err(aborted)?;
    Ok(Ran::Fresh(decision, body.into()))
}

/// Runs the work. A refusal has written nothing, a panic harms nobody else.
fn decide(tx: &mut Tx<'_>, request: &Request) -> Result<(Decision, Vec<u8>), Failure> {
    let ended = catch_unwind(AssertUnwindSafe(|| (request.work)(tx)));
    if let (Ok(_), Some(abort)) = (&ended, tx.aborted()) {
        return Err(Failure::Aborted(abort));
    }
    match ended {
        Ok(Ok(body)) => Ok((Decision::Done, body)),
        Ok(Err(Stop::Refused(body))) => {
            tx.rollback();
            Ok((Decision::Refused, body))
        }
        Ok(Err(stop @ Stop::Aborted(_))) => Err(aborted(stop)),
        Err(panic) => Err(Failure::Panicked { message: message_of(panic.as_ref()) }),
    }
}

fn aborted(stop: Stop<Vec<u8>>) -> Failure {
    match stop {
        Stop::Aborted(abort) => Failure::Aborted(abort),
        Stop::Refused(_) => unreachable!("only the work refuses"),
    }
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
