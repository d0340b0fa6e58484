//! Deciding, and refilling in the background.
//!
//! The refiller exchanges the slice that is not given away: it says what was used of it and gets the
//! next, when the other is half used or about to expire and somebody asks. What nobody asks for expires
//! and is given back, and nothing is taken before somebody asks again.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::sleep_until};

use super::{Decision, LimiterRequest, MutexGuard, PoisonError, Shared, State};
use crate::{
    api::limits::{OnFailure, TakeSliceOutcome, TakeSliceSpec},
    client::Client,
    error::Error,
    key::random,
    lifetime::Lifetime,
    retry::part_of,
};

/// A limit that gave less than was asked for is not asked again before this is over.
const REST: Duration = Duration::from_millis(10);

/// Up to so long rests who could not reach a server.
const REST_UNREACHABLE: Duration = Duration::from_millis(500);

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn decide(&self, cost: u64, now: Instant) -> Decision {
        if cost > self.permits {
            return Decision::Denied { retry_after: None };
        }
        let mut state = self.state();
        let first = !state.asked;
        state.asked = true;
        let current = state.current;
        let took = if state.slices[current].take(cost, now) {
            true
        } else if state.slices[1 - current].take(cost, now) {
            state.current = 1 - current;
            true
        } else {
            false
        };
        let decision = if took { Decision::Allowed } else { state.without(now) };
        let wake = first || !took || state.slices[state.current].left(now) <= self.permits / 2;
        drop(state);
        if wake {
            self.needed.notify_one();
        }
        decision
    }

    /// Ends with the next answer, or failure, of a server.
    pub(super) fn heard(&self) -> impl Future<Output = ()> + use<> {
        let mut heard = self.heard.subscribe();
        heard.mark_unchanged();
        // Whoever waits has the limiter, and that the sender: it does not go away.
        async move { heard.changed().await.unwrap_or_default() }
    }

    fn tell(&self) {
        self.heard.send_modify(|exchanges| *exchanges += 1);
    }
}

impl State {
    /// What becomes of a request for which no permits are held.
    fn without(&self, now: Instant) -> Decision {
        if self.unreachable {
            return match self.on_failure {
                OnFailure::Open => Decision::FailedOpen,
                OnFailure::Closed => Decision::FailedClosed,
            };
        }
        match self.dry_until.and_then(|until| until.checked_duration_since(now)) {
            Some(left) if !left.is_zero() => Decision::Denied { retry_after: Some(left) },
            _ => Decision::Asking,
        }
    }

    /// What is to be done now, or when to look again.
    fn next(&self, shared: &Shared, now: Instant) -> Next {
        let (current, other) = (&self.slices[self.current], 1 - self.current);
        let soon = current.until().is_none_or(|until| until <= now + shared.ttl / 4);
        let low = current.left(now) <= shared.permits / 2 || soon;
        let dry = self.dry_until.is_some_and(|until| now < until);
        let spare = self.slices[other].left(now) > shared.permits / 2;
        if self.asked && low && !spare && !dry {
            return Next::Exchange(other, Some(shared.permits));
        }
        let over = |slot: &usize| self.slices[*slot].until().is_some_and(|until| until <= now);
        if let Some(slot) = [0, 1].into_iter().find(over) {
            return Next::Exchange(slot, None);
        }
        let ends = self.slices.iter().filter_map(|slice| slice.until());
        let looks = ends.flat_map(|until| [until, until - shared.ttl / 4]).chain(self.dry_until);
        Next::Wait(looks.filter(|at| *at > now).min())
    }
}

/// What the refiller does next.
enum Next {
    /// Exchanges this slice for one of so many permits, or for none.
    Exchange(usize, Option<u64>),
    /// Waits until somebody needs something, or until then.
    Wait(Option<Instant>),
}

/// Takes slices and gives them back.
#[derive(Debug)]
pub(super) struct Refiller {
    client: Client,
    request: LimiterRequest,
    /// Names of slices begin so.
    name: String,
    shared: Arc<Shared>,
}

impl Refiller {
    pub(super) const fn new(
        client: Client,
        request: LimiterRequest,
        name: String,
        shared: Arc<Shared>,
    ) -> Self {
        Self { client, request, name, shared }
    }

    pub(super) async fn run(self, mut end: oneshot::Receiver<oneshot::Sender<Result<(), Error>>>) {
        let reply = tokio::select! {
            biased;
            reply = &mut end => reply,
            () = self.refill() => return,
        };
        let given_back = self.give_back_all().await;
        if let Ok(reply) = reply {
            // Who asked may have gone since.
            drop(reply.send(given_back));
        }
    }

    async fn refill(&self) {
        loop {
            let needed = self.shared.needed.notified();
            let next = self.shared.state().next(&self.shared, Instant::now());
            match next {
                Next::Exchange(slot, permits) => {
                    if self.exchange(slot, permits).await.is_err() {
                        tokio::time::sleep(part_of(REST_UNREACHABLE, random())).await;
                    }
                }
                Next::Wait(None) => needed.await,
                Next::Wait(Some(until)) => tokio::select! {
                    () = needed => {}
                    () = sleep_until(until.into()) => {}
                },
            }
        }
    }

    /// Says what was used of a slice, and takes the next in its place, or none.
    pub(super) async fn exchange(&self, slot: usize, permits: Option<u64>) -> Result<(), Error> {
        let used = {
            let mut state = self.shared.state();
            if permits.is_some() {
                state.asked = false;
            }
            state.slices[slot].give_back()
        };
        let spec = TakeSliceSpec {
            descriptors: self.request.descriptors.clone(),
            permits,
            used,
            ..TakeSliceSpec::new(
                self.request.limit.clone(),
                format!("{}-{slot}", self.name),
                Lifetime(self.request.ttl),
            )
        };
        let sent = Instant::now();
        let answer = self.client.request(&spec).deadline(self.request.patience).send().await;
        let done = answer.map(|answer| self.took(slot, permits, sent, &answer.outcome));
        if done.is_err() {
            self.shared.state().unreachable = true;
        }
        self.shared.tell();
        done
    }

    fn took(&self, slot: usize, asked: Option<u64>, sent: Instant, answer: &TakeSliceOutcome) {
        let mut state = self.shared.state();
        state.unreachable = false;
        state.on_failure = answer.on_failure;
        let Some(asked) = asked else { return state.slices[slot].empty() };
        if answer.permits == 0 {
            state.slices[slot].empty();
        } else {
            state.slices[slot].granted(answer.permits, sent, self.request.ttl);
        }
        let rest = answer.retry_after_ms.map_or(REST, Duration::from_millis).max(REST);
        state.dry_until = (answer.permits < asked).then(|| Instant::now() + rest);
    }

    async fn give_back_all(&self) -> Result<(), Error> {
        for slot in [0, 1] {
            let held = self.shared.state().slices[slot].until().is_some();
            if held {
                self.exchange(slot, None).await?;
            }
        }
        Ok(())
    }
}
