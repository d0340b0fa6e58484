//! The view that a query gets: a state, and the log time at which it is looked at.
//!
//! Time is the leader's, as far as it is known here: a leader's clock, a follower's last entry.
//! Both are noted beside the state and not with it, so a state may be newer than what was noted,
//! as it is when a process has only just begun; and what is looked at before its own time is not
//! what it ever was: a lease that was passed on still has those who waited no longer, and a
//! counter has stamps of the future. So a state is never looked at before its last transaction.

use std::sync::Arc;

use holdfast_state::{LogTime, Namespace, Snapshot, View};

use crate::{engine::checkpoint_of, metrics::Metrics};

/// What `namespace` holds in this state, looked at now.
#[must_use]
pub fn view(state: Arc<dyn Snapshot>, namespace: Namespace, metrics: &Metrics) -> View {
    // A checkpoint that does not decode is for whoever applies to say.
    let reader = checkpoint_of(state.mark()).ok().flatten();
    let own = LogTime::from_us(reader.map_or(0, |reader| reader.log_time_us));
    let noted = LogTime::from_us(metrics.log_time_us.get());
    View::new(state, namespace, noted.max(own))
}

#[cfg(test)]
mod tests {
    use holdfast_log::ReaderState;
    use holdfast_state::{Mark, MemoryStore, Read as _, Store as _, Version};

    use super::*;

    #[test]
    fn a_state_is_looked_at_now_and_never_before_its_own_time() {
        let reader = ReaderState { log_time_us: 5_000, ..ReaderState::default() };
        let mark = Mark { version: Version::new(3), checkpoint: reader.encode().to_vec().into() };
        let kept = MemoryStore::from_pairs([], mark);
        let now = |store: &MemoryStore, noted_us| {
            let metrics = Metrics::default();
            metrics.log_time_us.set(noted_us);
            view(store.snapshots().latest(), Namespace::DEFAULT, &metrics).now().as_us()
        };
        // Where a process begins, nothing is noted yet.
        assert_eq!((now(&kept, 0), now(&kept, 4_999), now(&kept, 9_000)), (5_000, 5_000, 9_000));
        assert_eq!(now(&MemoryStore::new(), 7), 7);
    }
}
