//! One call on its way: tries, rests, and what they add up to.
//!
//! The request's bytes and its key are the same at every try, so servers know it again; what changes
//! is who is asked and how much time is left, which goes along as `Holdfast-Deadline-Ms`. A try says
//! that it was answered for good, that nothing happened, or that something may have; the call as a
//! whole may have happened if any of its tries may.

use std::time::{Duration, Instant};

use crate::{
    answer::WireAnswer,
    attempt::{Again, Tried, attempt},
    changes::WAIT_MAX,
    client::Shared,
    command::{Kind, Wire},
    error::{Ended, Error, InVain, Trouble},
    key::{IdempotencyKey, random},
    request::Options,
};

/// A server that fails at a request in its own way is asked so often.
const FAILURES_MAX: u32 = 3;

/// Servers are looked for so often, where nobody waits for them.
const ROUNDS: usize = 3;

/// What a try's answer may take on its way back beyond the time that the server was given.
const GRACE: Duration = Duration::from_secs(1);

/// One call.
#[derive(Debug)]
pub(crate) struct Calling<'c> {
    client: &'c Shared,
    wire: &'c Wire,
    options: &'c Options,
    key: Option<IdempotencyKey>,
    deadline: Instant,
    tries: u32,
    failures: u32,
    /// Servers in a row that could not be connected to.
    unreached: usize,
    may_have_happened: bool,
    last: Option<Trouble>,
}

impl<'c> Calling<'c> {
    pub(crate) fn new(client: &'c Shared, wire: &'c Wire, options: &'c Options) -> Self {
        let now = Instant::now();
        client.bucket().earn(now);
        let within = options.deadline.unwrap_or(client.config.deadline);
        Self {
            client,
            wire,
            options,
            key: options.key_for(wire.kind),
            deadline: now + within + wire.wait.min(WAIT_MAX),
            tries: 0,
            failures: 0,
            unreached: 0,
            may_have_happened: false,
            last: None,
        }
    }

    pub(crate) async fn run(mut self) -> Result<WireAnswer, Error> {
        loop {
            let choice = self.client.servers.choose(Instant::now());
            self.rest(choice.rest).await?;
            let left = self.left().ok_or_else(|| self.ended(Ended::Deadline))?;
            self.tries += 1;
            let server = self.client.servers.get(choice.index);
            let within = left.min(self.client.config.try_within);
            let trying =
                attempt(self.client, server, self.wire, self.options, self.key.as_ref(), within);
            let tried = tokio::time::timeout(
                left.min(within + self.wire.wait.min(WAIT_MAX) + GRACE),
                trying,
            )
            .await;
            let slow = || Tried::Again(Again::slow(server));
            match tried.unwrap_or_else(|_| slow()) {
                Tried::Answered(answer) => {
                    self.client.servers.answered(choice.index);
                    return Ok(answer);
                }
                Tried::Refused(problem) => {
                    self.client.servers.answered(choice.index);
                    return Err(Error::Refused(problem));
                }
                Tried::Unsendable(why) => return Err(Error::Unsendable(why)),
                Tried::Again(again) => self.again(choice.index, again).await?,
            }
        }
    }

    /// Notes a try in vain, and rests before the next if there may be one.
    async fn again(&mut self, index: usize, again: Again) -> Result<(), Error> {
        let now = Instant::now();
        let Again { trouble, may_have_happened, failing, elsewhere, rest } = again;
        let unreached = matches!(trouble, Trouble::Connect { .. });
        self.client.servers.failed(index, now, rest.filter(|_| elsewhere));
        self.may_have_happened |= may_have_happened && self.wire.kind == Kind::Write;
        self.last = Some(trouble);
        self.failures += u32::from(failing);
        if self.failures == FAILURES_MAX {
            return Err(self.ended(Ended::Failing));
        }
        if unreached {
            self.unreached += 1;
            // Nobody was asked, so somebody else may be at once, and at no cost.
            let (rounds, rest) = self.rounds();
            if rest > 0 {
                return Ok(());
            }
            if rounds >= ROUNDS && !self.client.config.wait_for_ready {
                return Err(self.ended(Ended::Unreachable));
            }
        } else {
            self.unreached = 0;
            if !self.client.bucket().take(now) {
                return Err(self.ended(Ended::Budget));
            }
        }
        let wait = rest.filter(|_| !elsewhere).unwrap_or_default();
        self.rest(wait + self.client.config.backoff.rest(self.tries, random())).await
    }

    /// How often, in a row, all servers could not be connected to; and how many more.
    fn rounds(&self) -> (usize, usize) {
        let servers = self.client.servers.count();
        (self.unreached / servers, self.unreached % servers)
    }

    /// Rests, unless the deadline comes first: then there is nothing to rest for.
    async fn rest(&self, rest: Duration) -> Result<(), Error> {
        if rest.is_zero() {
            return Ok(());
        }
        if self.left().is_none_or(|left| left <= rest) {
            return Err(self.ended(Ended::Deadline));
        }
        tokio::time::sleep(rest).await;
        Ok(())
    }

    fn left(&self) -> Option<Duration> {
        let left = self.deadline.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero())
    }

    fn ended(&self, ended: Ended) -> Error {
        let in_vain = InVain { ended, tries: self.tries, last: self.last.clone() };
        match &self.key {
            Some(key) if self.may_have_happened => {
                Error::OutcomeUnknown { key: key.clone(), in_vain }
            }
            _ => Error::NotDone(in_vain),
        }
    }
}
