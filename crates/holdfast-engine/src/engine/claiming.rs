//! Taking leadership: the claim, and what begins when it counts (P7).

use holdfast_log::{Claim, EntryHeader, Hash, LogId, Nonce, entry::FEATURE_LEVEL};
use holdfast_planted::planted;
use holdfast_state::{
    LogTime, Namespace, Scan, Source, StoreError, Table as _, Version,
    table::{split_key, stored_key},
};

use super::{Engine, Role};
use crate::{
    clock::{ClockOff, LogClock},
    config::Leadership,
    event::{Action, Now, Stopped},
    idempotency::{Filing, Records},
    leading::Leading,
    pipeline::Pipeline,
    request::Failure,
    timers::DueTimers,
};

/// A claim on its way.
#[derive(Debug)]
pub(super) struct Claiming {
    pub(super) pipeline: Pipeline,
    nonce: Nonce,
    claim: Claim,
    /// Log time, from the claim on.
    clock: LogClock,
    /// Before it was sent, in microseconds.
    sent_us: u64,
}

impl Engine {
    /// Claims the first hole, having applied everything below, if the clock allows it.
    pub(super) fn claim(&mut self, now: Now) {
        let clock = match self.anchored(now) {
            Ok(clock) => clock,
            Err(off) => match self.clock_in_doubt(&off, now) {
                Some(clock) => clock,
                None => return,
            },
        };
        self.watch.unfit = None;
        let random = self.random.bytes();
        let nonce = Nonce::from_bytes(if planted!(NonceNotFresh) { [7; 16] } else { random });
        let header = self.claim_header(nonce, clock, now);
        let claim = Claim {
            node: self.config.node.clone(),
            address: self.config.address.clone(),
            lease_ms: self.config.leadership.lease_ms(),
            provenance: self.provenance,
        };
        let hole = self.reader.state().next_position;
        let beyond = planted!(ClaimNotChecked) && random[0].is_multiple_of(2);
        let mut pipeline = Pipeline::new(if beyond { hole.next() } else { hole });
        let bytes = claim.seal(&header);
        let position = pipeline.send(bytes.clone());
        self.metrics.claims.increment();
        let sent_us = now.monotonic_us;
        let claiming = Claiming { pipeline, nonce, claim, clock, sent_us };
        self.enter(Role::Claiming(Box::new(claiming)));
        self.actions.push_back(Action::Append(position, bytes));
    }

    fn claim_header(&mut self, nonce: Nonce, mut clock: LogClock, now: Now) -> EntryHeader {
        let state = *self.reader.state();
        EntryHeader {
            feature_level: FEATURE_LEVEL,
            log: state.identity.unwrap_or_else(|| LogId::from_bytes(self.random.bytes())),
            previous: if state.identity.is_some() { state.hash } else { Hash::ZERO },
            epoch: state.epoch.next(),
            nonce,
            sequence: 0,
            first_version: state.next_version,
            count: 0,
            log_time_us: clock.read(now).as_us(),
            durable: state.next_position.previous(),
        }
    }

    fn anchored(&self, now: Now) -> Result<LogClock, ClockOff> {
        let (bounds, passed_us) = match self.config.leadership {
            Leadership::Alone => (self.config.clock, None),
            Leadership::Shared(_) => (
                self.config.clock.map(|bounds| self.watch.bounds(bounds, now)),
                self.config.clock.and_then(|_| self.watch.passed_us(now)),
            ),
        };
        LogClock::anchor(self.last_log_time(), passed_us, now, bounds)
    }

    /// The time of the last entry read.
    fn last_log_time(&self) -> LogTime {
        self.last_time.max(LogTime::from_us(self.reader.state().log_time_us))
    }

    /// The wall clock contradicts the log. A node that is alone has nobody to wait for, and says so
    /// by stopping. One of several leaves it to the others; where nobody's clock fits, the log's time
    /// may be what is wrong, and goes on by what passed, which every node knows.
    fn clock_in_doubt(&mut self, off: &ClockOff, now: Now) -> Option<LogClock> {
        let reason = off.to_string();
        let Leadership::Shared(shared) = self.config.leadership else {
            self.stop(Stopped::Failed(reason));
            return None;
        };
        if self.watch.stood_back(&shared, now) {
            tracing::error!(reason, "nobody else claims; log time goes on without this clock");
            return Some(LogClock::going_on(
                self.last_log_time(),
                self.watch.since_heard_us(now),
                now,
            ));
        }
        if self.watch.unfit.is_none() {
            tracing::error!(reason, "this node leaves leadership to others");
        }
        self.watch.unfit = Some(reason);
        None
    }

    /// A claim counts, ours or another's.
    pub(super) fn claimed(&mut self, header: &EntryHeader, now: Now) {
        self.metrics.epoch.set(header.epoch.get());
        let alone = self.config.leadership == Leadership::Alone;
        match &self.role {
            Role::Claiming(claiming) if claiming.nonce == header.nonce => self.lead(now),
            Role::Claiming(_) | Role::Leading(_) if alone => self.stop(Stopped::Deposed),
            Role::Claiming(_) => {
                self.metrics.claims_lost.increment();
                self.draw_another_while();
                self.follow(now);
            }
            Role::Leading(_) => {
                tracing::warn!(epoch = %header.epoch, "another node leads; this one follows");
                self.draw_another_while();
                self.follow(now);
            }
            Role::Reading { .. } | Role::Stopped(_) => {}
        }
    }

    /// Our claim counts.
    fn lead(&mut self, now: Now) {
        let state = *self.reader.state();
        let oldest = match oldest_bucket(self.state.as_ref()) {
            Ok(oldest) => oldest,
            Err(error) => return self.stop(Stopped::StateInDoubt(error.to_string())),
        };
        let stopped = Role::Stopped(Stopped::Cleanly);
        let Role::Claiming(claiming) = std::mem::replace(&mut self.role, stopped) else {
            unreachable!("only a claim that was sent comes to lead")
        };
        let filing = Filing::new(self.config.retention_us, oldest);
        let timers = DueTimers::new(self.config.timers.clone());
        let claimed = (claiming.claim, claiming.sent_us);
        let leading = Leading::begin(&state, claimed, claiming.clock, filing, timers);
        self.metrics.claims_won.increment();
        self.watch.told = None;
        self.snapshots_since(state.next_position);
        self.actions.push_back(Action::Led(Version::new(state.next_version)));
        self.enter(Role::Leading(Box::new(leading)));
        match self.config.leadership {
            Leadership::Alone => {
                self.lease.extend_to(u64::MAX);
                self.answer_reads();
            }
            Leadership::Shared(_) => self.proved_by(0, claiming.sent_us),
        }
        self.tick(now);
    }

    /// The place of our claim was taken by something else. Whoever waits has another node to ask, or
    /// waits on where there is none.
    pub(super) fn claim_is_taken(&mut self, now: Now) {
        match self.config.leadership {
            Leadership::Alone => self.read_on(now),
            Leadership::Shared(_) => self.follow(now),
        }
    }

    /// The next claim comes as much later as chance says.
    pub(super) fn draw_another_while(&mut self) {
        self.watch.draw(self.random.next());
    }

    /// Leads no more, or came too late to: the overlay and what is in flight are thrown away (P9).
    ///
    /// Everything below the newer claim was read, so what counted was answered before this; what
    /// did not can count no more. Nobody is left in the dark.
    pub(super) fn follow(&mut self, now: Now) {
        let failure = Failure::NotLeader { leader: self.known_leader() };
        self.lease.end();
        let role = std::mem::replace(&mut self.role, Role::Reading { at_the_hole: false });
        if let Role::Leading(leading) = role {
            self.metrics.step_downs.increment();
            for waiting in leading.abandon(&failure) {
                self.reply(waiting);
            }
        }
        self.turn_away_all(&failure);
        self.quarantine.end();
        self.resigning = false;
        self.undigested = 0;
        self.tell_who_leads();
        self.read_on(now);
        self.finish_if_done(now);
    }
}

fn oldest_bucket(state: &dyn Source) -> Result<Option<u32>, StoreError> {
    let from = stored_key(Namespace::SYSTEM, Records::ID, &());
    let to = stored_key(Namespace::SYSTEM, Records::ID, &(u32::MAX,));
    let first = state.scan(&from, &to, Scan::up(1))?;
    let bucket = first.first().and_then(|(key, _)| split_key(key)?.2.u32().ok());
    Ok(bucket)
}
