//! Bugs that are planted on purpose, to see that the checks find them.
//!
//! A check that has never failed has shown nothing. Where a protection stands in the code,
//! it is left out when its bug is planted: one line there, `planted!(…)`, which is `false`,
//! known to the compiler, unless the feature `armed` is on. Only the lab turns it on, in a
//! build of its own (`cargo nextest run -p holdfast-lab --features planted`), and then one
//! bug at a time is planted on one thread.
//!
//! Each [`Bug`] says which rule of the protocol it breaks. What the bugs do stands where
//! they do it; this crate knows nothing of anybody.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// P3: what was trimmed can be written again.
    TrimmedIsFree,
    /// P4: a batch counts whatever its number in the epoch is.
    NumberNotChecked,
    /// P4: a batch of an epoch that is over counts.
    EpochNotChecked,
    /// P4: a claim counts whatever its epoch is.
    ClaimNotChecked,
    /// P5: an entry counts although a position before it is not known.
    HolesPassedOver,
    /// P6: an append that timed out is taken for done.
    TimeoutIsSuccess,
    /// P7: every claim has the same nonce.
    NonceNotFresh,
    /// P9: who steps down answers what is in flight as if it were done.
    StepDownSaysDone,
    /// P10: a leader serves reads without asking the log.
    ReadsNotConfirmed,
    /// P11: followers do not wait for a lease to run out.
    LeaseNotWaitedOut,
    /// P11: leases are measured by the wall clock.
    LeaseByWallClock,
    /// P12: what writes nothing is answered before what it saw is durable.
    ReadsOverlayAtOnce,
    /// P13: a refusal leaves no record.
    RefusalNotRecorded,
    /// P13: nothing leaves a record.
    RecordLeftOut,
    /// P15: log time is what the wall clock says.
    LogTimeIsWallTime,
    /// P16: the log is trimmed below the newest snapshot, not below the one before.
    TrimmedTooFar,
    /// P16: a snapshot misses one key.
    SnapshotMissesAKey,
    /// P23: a timer that fired stays armed.
    TimerStays,
    /// An answer leaves before its entry is durable.
    AnsweredBeforeDurable,
    /// An answer leaves before the batch it rests on is applied.
    AnsweredBeforeApplied,
    /// What a refused transaction wrote is seen by the next.
    RefusalLeaks,
    /// The file log: a tail is cut off one record too early.
    TailCutTooFar,
    /// The file log: damage below what was durable is taken for a tail.
    DamageIsTail,
    /// The file log: bytes are served unchecked.
    BytesNotChecked,
    /// The file log: answers do not wait for the disk.
    SyncLeftOut,
}

/// Every bug.
pub const BUGS: &[Bug] = &[
    Bug::TrimmedIsFree,
    Bug::NumberNotChecked,
    Bug::EpochNotChecked,
    Bug::ClaimNotChecked,
    Bug::HolesPassedOver,
    Bug::TimeoutIsSuccess,
    Bug::NonceNotFresh,
    Bug::StepDownSaysDone,
    Bug::ReadsNotConfirmed,
    Bug::LeaseNotWaitedOut,
    Bug::LeaseByWallClock,
    Bug::ReadsOverlayAtOnce,
    Bug::RefusalNotRecorded,
    Bug::RecordLeftOut,
    Bug::LogTimeIsWallTime,
    Bug::TrimmedTooFar,
    Bug::SnapshotMissesAKey,
    Bug::TimerStays,
    Bug::AnsweredBeforeDurable,
    Bug::AnsweredBeforeApplied,
    Bug::RefusalLeaks,
    Bug::TailCutTooFar,
    Bug::DamageIsTail,
    Bug::BytesNotChecked,
    Bug::SyncLeftOut,
];

/// Is this bug planted here? `false` for good without the feature `armed`.
#[macro_export]
macro_rules! planted {
    ($bug:ident) => {
        $crate::is_planted($crate::Bug::$bug)
    };
}

/// What [`planted!`] asks.
#[cfg(not(feature = "armed"))]
#[inline]
#[must_use]
pub const fn is_planted(_: Bug) -> bool {
    false
}

#[cfg(feature = "armed")]
mod armed {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// What [`planted!`](crate::planted) asks.
    #[must_use]
    pub fn is_planted(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Plants a bug on this thread for as long as `work` runs.
    pub fn with<T>(bug: Bug, work: impl FnOnce() -> T) -> T {
        PLANTED.set(Some(bug));
        let done = work();
        PLANTED.set(None);
        done
    }
}

#[cfg(feature = "armed")]
pub use armed::{is_planted, with};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "armed"))]
    fn nothing_is_planted_unless_asked_for() {
        assert!(BUGS.iter().all(|bug| !is_planted(*bug)));
    }

    #[test]
    #[cfg(feature = "armed")]
    fn one_bug_is_planted_while_the_work_runs() {
        let seen = with(Bug::TimerStays, || (planted!(TimerStays), planted!(RefusalLeaks)));
        assert_eq!(seen, (true, false));
        assert!(!planted!(TimerStays));
    }

    #[test]
    fn every_bug_is_listed_once() {
        assert!(BUGS.is_sorted() && BUGS.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(BUGS.last(), Some(&Bug::SyncLeftOut));
    }
}
