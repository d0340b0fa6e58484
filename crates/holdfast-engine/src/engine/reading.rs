//! Before leading: reading the log to its first hole, and claiming that (P7).

use holdfast_log::{Claim, EntryHeader, Hash, LogId, Nonce, Position, Read, entry::FEATURE_LEVEL};
use holdfast_state::{
    LogTime, Namespace, Scan, Source, StoreError, Table as _, Version,
    table::{split_key, stored_key},
};

use super::{Engine, LEASE_MS, Role};
use crate::{
    clock::LogClock,
    event::{Action, Now, Stopped},
    idempotency::{Filing, Records},
    leading::Leading,
    pipeline::Pipeline,
    timers::DueTimers,
};

impl Engine {
    pub(super) fn read_on(&mut self) {
        self.role = Role::Reading { at_the_hole: false };
        if self.applying.is_empty() {
            self.actions.push_back(Action::Read(self.reader.state().next_position));
        }
    }

    /// All that was read is applied.
    pub(super) fn go_on_reading(&mut self, now: Now) {
        match self.role {
            Role::Reading { at_the_hole: true } => self.claim(now),
            Role::Reading { at_the_hole: false } => self.read_on(),
            Role::Claiming(..) | Role::Leading(_) | Role::Stopped(_) => {}
        }
    }

    pub(super) fn read_back(&mut self, from: Position, reads: Vec<Read>, now: Now) {
        let mut position = from;
        for read in reads {
            if !matches!(self.role, Role::Reading { .. }) {
                return;
            }
            match read {
                Read::Entry(bytes) => self.feed(position, &bytes, now),
                Read::Empty => self.role = Role::Reading { at_the_hole: true },
                Read::Trimmed => {
                    let what = format!("the log begins after position {position}");
                    self.stop(Stopped::StateInDoubt(what));
                    return;
                }
            }
            position = position.next();
        }
        if self.applying.is_empty() {
            self.go_on_reading(now);
        }
    }

    /// Claims the first hole, having applied everything below (P7).
    fn claim(&mut self, now: Now) {
        if self.stopping {
            self.stop(Stopped::Cleanly);
            return;
        }
        let state = *self.reader.state();
        let last = self.last_time.max(LogTime::from_us(state.log_time_us));
        let mut clock = match LogClock::anchor(last, now, self.config.clock) {
            Ok(clock) => clock,
            Err(off) => {
                self.stop(Stopped::Failed(off.to_string()));
                return;
            }
        };
        let nonce = Nonce::from_bytes(self.random.bytes());
        let header = EntryHeader {
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
        };
        let claim = Claim {
            node: self.config.node.clone(),
            address: self.config.address.clone(),
            lease_ms: LEASE_MS,
        };
        let mut pipeline = Pipeline::new(state.next_position);
        let bytes = claim.seal(&header);
        let position = pipeline.send(bytes.clone());
        self.role = Role::Claiming(pipeline, nonce);
        self.actions.push_back(Action::Append(position, bytes));
    }

    /// Our claim counts.
    pub(super) fn lead(&mut self, now: Now) {
        let state = self.reader.state();
        let last = LogTime::from_us(state.log_time_us);
        let clock = LogClock::anchor(last, now, None).expect("without bounds any clock does");
        let oldest = match oldest_bucket(self.state.as_ref()) {
            Ok(oldest) => oldest,
            Err(error) => {
                self.stop(Stopped::StateInDoubt(error.to_string()));
                return;
            }
        };
        let filing = Filing::new(self.config.retention_us, oldest);
        let timers = DueTimers::new(self.config.timers.clone());
        let leading = Leading::begin(state, clock, filing, timers);
        self.actions.push_back(Action::Led(Version::new(state.next_version)));
        self.role = Role::Leading(Box::new(leading));
        self.tick(now);
    }
}

fn oldest_bucket(state: &dyn Source) -> Result<Option<u32>, StoreError> {
    let from = stored_key(Namespace::SYSTEM, Records::ID, &());
    let to = stored_key(Namespace::SYSTEM, Records::ID, &(u32::MAX,));
    let first = state.scan(&from, &to, Scan::up(1))?;
    let bucket = first.first().and_then(|(key, _)| split_key(key)?.2.u32().ok());
    Ok(bucket)
}
