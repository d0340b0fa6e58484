//! Which statements are under way, and for how long.
//!
//! A write that hangs is either waiting for standbys that are gone, which is right, or for a server
//! that has been cut off while another was promoted; a read, for the latter. Nobody can tell from
//! the statement itself, and it must not be cancelled; so its age is watched, and the other servers
//! are asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The statements under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    began: BTreeMap<u64, Instant>,
    numbered: u64,
}

/// One statement under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Going {
    pulse: Pulse,
    number: u64,
}

impl Pulse {
    pub(crate) fn begin(&self) -> Going {
        let mut state = self.state();
        state.numbered += 1;
        let number = state.numbered;
        state.began.insert(number, Instant::now());
        Going { pulse: self.clone(), number }
    }

    /// How long the oldest has been under way.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        self.state().began.first_key_value().map(|(_, began)| began.elapsed())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.pulse.state().began.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_oldest_statement_under_way_is_known() {
        let pulse = Pulse::default();
        assert_eq!(pulse.oldest(), None);
        let first = pulse.begin();
        tokio::time::advance(Duration::from_secs(2)).await;
        let _second = pulse.begin();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(pulse.oldest(), Some(Duration::from_secs(3)));
        drop(first);
        assert_eq!(pulse.oldest(), Some(Duration::from_secs(1)));
    }
}
