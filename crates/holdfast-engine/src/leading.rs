//! Leading: evaluating requests into batches, and sealing batches into entries.
//!
//! The evaluator's order is the log's order. What a transaction wrote is seen by
//! the next through the overlay; its answer waits until the log has confirmed
//! everything that it saw (P12).

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use holdfast_log::{
    Claim, EntryBuilder, EntryHeader, Epoch, Hash, LogId, Nonce, Position, Provenance, ReaderState,
    entry::{FEATURE_LEVEL, HEADER_BYTES},
};
use holdfast_planted::planted;
use holdfast_state::{
    Batch, BatchBuilder, Budget, LogTime, Overlay, Source, Stop, Tx, TxContext, Version,
    tally::Tally,
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
    /// What it claimed, to say it again.
    claim: Claim,
    /// When an entry was last sent, in microseconds.
    sent_us: u64,
    /// When who leads was last said.
    said_us: u64,
    /// The entry is sent that gives leadership up: nothing comes after it.
    pub(crate) resigned: bool,
}

/// A renewal goes out though others are at work once who leads was not said for so many leases:
/// whoever joined behind the claim knows no other source.
const LEASES_UNSAID: u64 = 8;

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
    /// The answer, when no entry that is to be sent carries it.
    pub(crate) now: Option<Waiting>,
    /// The store failed under it.
    pub(crate) doubt: Option<String>,
    /// What it counted, if it came to an outcome.
    pub(crate) counted: Vec<Tally>,
}

impl Leading {
    /// Leadership as the reader knows it after our own claim, which was sent after `sent_us`.
    pub(crate) fn begin(
        state: &ReaderState,
        (claim, sent_us): (Claim, u64),
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
            claim,
            sent_us,
            said_us: sent_us,
            resigned: false,
        }
    }

    /// The log is on another server than when it was claimed, or said last.
    pub(crate) const fn moved(&mut self, provenance: Provenance) {
        self.claim.provenance = provenance;
        // As long ago as can be: it is due.
        self.said_us = 0;
    }

    /// How long the lease runs from when an entry is sent, in microseconds.
    pub(crate) const fn lease_us(&self) -> u64 {
        self.claim.lease_ms.saturating_mul(1_000)
    }

    /// How long until others should hear of this leader again, in microseconds.
    pub(crate) fn until_heartbeat_us(&self, now: Now) -> u64 {
        let idle = self.pipeline.depth() == 0 && !self.has_batch();
        let quiet_us = self.sent_us.saturating_add(self.lease_us() / 3);
        let unsaid_us = self.said_us.saturating_add(self.lease_us().saturating_mul(LEASES_UNSAID));
        let due_us = if idle { quiet_us.min(unsaid_us) } else { unsaid_us };
        due_us.saturating_sub(now.monotonic_us)
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
        let (counted, wrote) = if answer.is_ok() {
            (tx.take_counted(), tx.commit())
        } else {
            drop(tx);
            (Vec::new(), false)
        };
        let answer = self.place(answer, wrote, time);
        let doubt = match &answer {
            Err(Failure::Aborted(holdfast_state::Abort::Store(error))) => Some(error.to_string()),
            Ok(_) | Err(_) => None,
        };
        let waiting = Waiting { reply: request.reply, answer };
        let at_once =
            planted!(AcknowledgedBeforeDurable) || (planted!(ReadsOverlayAtOnce) && !wrote);
        let now = if at_once { Some(waiting) } else { self.wait(waiting) };
        Evaluated { cost, now, doubt, counted }
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

    /// Puts an answer into the entry that is sent next; gives it back when there is
    /// nothing to send.
    fn wait(&mut self, waiting: Waiting) -> Option<Waiting> {
        if self.has_batch() {
            self.batch.waiting.push(waiting);
            return None;
        }
        Some(waiting)
    }

    /// The header of the entry that comes next, before any transaction that is not sealed.
    fn next_header(&self, durable: Option<Position>) -> EntryHeader {
        EntryHeader {
            feature_level: FEATURE_LEVEL,
            log: self.identity,
            previous: self.hash,
            epoch: self.epoch,
            nonce: self.nonce,
            sequence: self.sequence + 1,
            first_version: self.batch.first.get(),
            count: 0,
            log_time_us: self.batch.time.as_us(),
            durable,
        }
    }

    /// Makes the batch an entry and hands it to the pipeline.
    pub(crate) fn seal(&mut self, durable: Option<Position>, now: Now) -> (Position, Bytes) {
        let header = EntryHeader { count: self.batch.builder.count(), ..self.next_header(durable) };
        // The next batch will be about as large as this one.
        let capacity = self.batch.builder.len();
        let after = OpenBatch::new(self.next_version, capacity);
        let batch = std::mem::replace(&mut self.batch, after);
        let bytes = EntryBuilder::around(batch.builder.into_bytes()).seal(&header);
        self.sent(&header, bytes, now, batch.waiting)
    }

    /// Makes an entry that says who leads, and hands it to the pipeline.
    pub(crate) fn renew(&mut self, durable: Option<Position>, now: Now) -> (Position, Bytes) {
        self.said_us = now.monotonic_us;
        self.say(self.claim.lease_ms, durable, now)
    }

    /// Makes the entry that gives leadership up, and hands it to the pipeline.
    pub(crate) fn resign(&mut self, durable: Option<Position>, now: Now) -> (Position, Bytes) {
        self.resigned = true;
        self.say(0, durable, now)
    }

    fn say(&mut self, lease_ms: u64, durable: Option<Position>, now: Now) -> (Position, Bytes) {
        if !self.has_batch() {
            self.batch.time = self.clock.read(now);
        }
        let header = self.next_header(durable);
        let bytes = Claim { lease_ms, ..self.claim.clone() }.seal_renewal(&header);
        self.sent(&header, bytes, now, Vec::new())
    }

    fn sent(
        &mut self,
        header: &EntryHeader,
        bytes: Bytes,
        now: Now,
        waiting: Vec<Waiting>,
    ) -> (Position, Bytes) {
        self.sequence = header.sequence;
        self.hash = Hash::of(&bytes);
        self.sent_us = now.monotonic_us;
        let (sequence, sent_us) = (header.sequence, self.sent_us);
        let position = self.pipeline.send_entry(sequence, bytes.clone(), sent_us, waiting);
        (position, bytes)
    }

    /// The number of the entry that was sealed last.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Notes that the store holds this batch now, whose last version this is.
    pub(crate) fn applied(&mut self, batch: &Batch, version: Version) {
        self.overlay.applied(version);
        for change in batch.changes().map_while(Result::ok) {
            change.facts().map_while(Result::ok).for_each(|fact| self.timers.applied(fact));
        }
    }

    /// Ends leadership: whoever waits is told this.
    pub(crate) fn abandon(self, failure: &Failure) -> Vec<Waiting> {
        let batch = self.batch.waiting.into_iter();
        let mut waiting = self.pipeline.abandon(failure);
        waiting.extend(batch.map(|waiting| Waiting { answer: Err(failure.clone()), ..waiting }));
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
    let found = filing.find(tx, request.namespace, key).map_err(Failure::Aborted)?;
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
    let refused = decision == Decision::Refused;
    if !(planted!(RecordLeftOut) || planted!(RefusalNotRecorded) && refused) {
        filing.record(tx, filed, decision, &body).map_err(aborted)?;
    }
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
