//! Bugs that are planted on purpose, to see that the checks find them.
//!
//! A check that has never failed has shown nothing. Where a protection stands in the code,
//! it is left out when its bug is planted: one line there, `planted!(…)`, which is `false`,
//! known to the compiler, unless the feature `armed` is on. Only the lab turns it on, in a
//! build of its own (`cargo nextest run -p holdfast-lab --features planted`), and then one
//! bug at a time is planted on one thread.
//!
//! Each [`Bug`] says which rule of the protocol it breaks, or whose promise. What the bugs do
//! stands where they do it; this crate knows nothing of anybody.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// P3: what was trimmed can be written again.
    TrimmedIsFree,
    /// P4: a batch counts whatever its number in the epoch is.
    NumberNotChecked,
    /// P4: a batch of an epoch that is over counts.
    EpochNotChecked,
    /// P4, P7: a claim counts whatever its epoch is, and does not wait for the first hole.
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
    /// P11: wall clock for leases.
    WallClockForLeases,
    /// P12: what writes nothing is answered before what it saw is durable.
    ReadsOverlayAtOnce,
    /// P13: a refusal leaves no record.
    RefusalNotRecorded,
    /// P13: nothing leaves an idempotency record.
    RecordLeftOut,
    /// P13: idempotency record outside the transaction: in the one after it.
    RecordOutsideTransaction,
    /// P15: log time is what the wall clock says.
    LogTimeIsWallTime,
    /// P16: the log is trimmed below the newest snapshot, whatever else is left.
    TrimmedTooFar,
    /// P16: snapshot misses one key.
    SnapshotMissesAKey,
    /// P23: timer fires twice after failover: having fired it stays armed.
    TimerFiresTwiceAfterFailover,
    /// P5: acknowledge before durable.
    AcknowledgedBeforeDurable,
    /// P10, P12: reply before apply order: a reply leaves before the batch it rests on is applied.
    ReplyBeforeApplyOrder,
    /// P12: overlay leak of a refused transaction: the next one sees it.
    RefusalLeaks,
    /// P1: the file log: torn tail cut too far, by one record.
    TornTailCutTooFar,
    /// P1: the file log: damage below what was durable is taken for a tail.
    DamageIsTail,
    /// P1: bytes are served and decoded unchecked.
    BytesNotChecked,
    /// P1: the file log: answers do not wait for the disk.
    SyncLeftOut,
    /// P24: a guard takes the tokens of grants that are over, too.
    GuardTakesOldTokens,
    /// P24: whoever releases a lease ends its grant, whatever token it shows.
    ReleaseTakesAnyToken,
    /// P24: who is next in line gets the token of the grant before.
    TokenUsedAgain,
    /// Leases: a grant counts beyond its end, until its timer has fired.
    GrantEndsWithItsTimer,
    /// Leases: a lease passes on to whoever came last.
    LastComesFirst,
    /// Sessions: the end of a session leaves the leases that hung on it.
    SessionLeavesItsLeases,
    /// Documents: what is to replace one version of a document replaces any.
    VersionNotCompared,
    /// Documents: a document is there beyond its end, until its timer has fired.
    DocumentOutlivesItsTime,
    /// Documents: an index keeps what a document said before.
    IndexKeepsOldEntries,
    /// Limits: a sliding log forgets what is nine tenths of a window old.
    WindowForgetsTooEarly,
    /// Limits: what a gateway used of its slice is not counted when it is given back.
    SliceComesBackTwice,
    /// Limits: a request that one rule denies is charged to the others.
    DenialIsCharged,
    /// Topics: a message is appended again though its id is there.
    MessageIdNotChecked,
    /// Topics: a member commits whatever generation it names.
    GenerationNotChecked,
    /// Queues: receipts of deliveries that are over are passed over, not refused.
    StaleReceiptsPass,
    /// Queues: a message is given out once more than may be.
    OneDeliveryTooMany,
    /// Limits: what is held of a limit of concurrency counts beyond its time.
    HolderOutlivesItsTime,
    /// Limits: who holds nothing of a limit of concurrency gives back what another holds.
    ReleaseFreesAnother,
    /// Topics: retention removes messages a second too early.
    RetentionTooEarly,
    /// Topics: retention by size leaves half of what is to stay.
    RetentionLeavesHalf,
    /// Topics: a reader behind what was removed goes on with what there is.
    ReaderPassesOver,
    /// Topics: a group is not told how many messages it lost.
    LossIsNotTold,
    /// Topics: a batch is looked for by the id of its first message alone.
    BatchKnownByItsFirst,
    /// Topics: a group that is set somewhere else keeps its generation.
    SeekKeepsGeneration,
    /// Topics: generations and receipts of what was deleted are given again.
    NumbersComeAgain,
    /// Queues: dead letters that were purged are there still.
    PurgeLeavesLetters,
    /// Queues: a redriven message says what was appended, not what it was edited to say.
    EditIsForgotten,
    /// Transactions: a refused operation takes back what those before it did.
    EachTakesAllBack,
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
    Bug::WallClockForLeases,
    Bug::ReadsOverlayAtOnce,
    Bug::RefusalNotRecorded,
    Bug::RecordLeftOut,
    Bug::RecordOutsideTransaction,
    Bug::LogTimeIsWallTime,
    Bug::TrimmedTooFar,
    Bug::SnapshotMissesAKey,
    Bug::TimerFiresTwiceAfterFailover,
    Bug::AcknowledgedBeforeDurable,
    Bug::ReplyBeforeApplyOrder,
    Bug::RefusalLeaks,
    Bug::TornTailCutTooFar,
    Bug::DamageIsTail,
    Bug::BytesNotChecked,
    Bug::SyncLeftOut,
    Bug::GuardTakesOldTokens,
    Bug::ReleaseTakesAnyToken,
    Bug::TokenUsedAgain,
    Bug::GrantEndsWithItsTimer,
    Bug::LastComesFirst,
    Bug::SessionLeavesItsLeases,
    Bug::VersionNotCompared,
    Bug::DocumentOutlivesItsTime,
    Bug::IndexKeepsOldEntries,
    Bug::WindowForgetsTooEarly,
    Bug::SliceComesBackTwice,
    Bug::DenialIsCharged,
    Bug::MessageIdNotChecked,
    Bug::GenerationNotChecked,
    Bug::StaleReceiptsPass,
    Bug::OneDeliveryTooMany,
    Bug::HolderOutlivesItsTime,
    Bug::ReleaseFreesAnother,
    Bug::RetentionTooEarly,
    Bug::RetentionLeavesHalf,
    Bug::ReaderPassesOver,
    Bug::LossIsNotTold,
    Bug::BatchKnownByItsFirst,
    Bug::SeekKeepsGeneration,
    Bug::NumbersComeAgain,
    Bug::PurgeLeavesLetters,
    Bug::EditIsForgotten,
    Bug::EachTakesAllBack,
];

impl Bug {
    /// The rule of the protocol that it breaks, or the primitive whose promise it is.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::TrimmedIsFree => "P3",
            Self::NumberNotChecked | Self::EpochNotChecked => "P4",
            Self::ClaimNotChecked => "P4, P7",
            Self::HolesPassedOver | Self::AcknowledgedBeforeDurable => "P5",
            Self::TimeoutIsSuccess => "P6",
            Self::NonceNotFresh => "P7",
            Self::StepDownSaysDone => "P9",
            Self::ReadsNotConfirmed => "P10",
            Self::LeaseNotWaitedOut | Self::WallClockForLeases => "P11",
            Self::ReadsOverlayAtOnce | Self::RefusalLeaks => "P12",
            Self::RefusalNotRecorded | Self::RecordLeftOut | Self::RecordOutsideTransaction => {
                "P13"
            }
            Self::LogTimeIsWallTime => "P15",
            Self::TrimmedTooFar | Self::SnapshotMissesAKey => "P16",
            Self::TimerFiresTwiceAfterFailover => "P23",
            Self::ReplyBeforeApplyOrder => "P10, P12",
            Self::TornTailCutTooFar
            | Self::DamageIsTail
            | Self::BytesNotChecked
            | Self::SyncLeftOut => "P1",
            Self::GuardTakesOldTokens | Self::ReleaseTakesAnyToken | Self::TokenUsedAgain => "P24",
            Self::GrantEndsWithItsTimer | Self::LastComesFirst => "leases",
            Self::SessionLeavesItsLeases => "sessions",
            Self::VersionNotCompared
            | Self::DocumentOutlivesItsTime
            | Self::IndexKeepsOldEntries => "documents",
            Self::WindowForgetsTooEarly
            | Self::SliceComesBackTwice
            | Self::DenialIsCharged
            | Self::HolderOutlivesItsTime
            | Self::ReleaseFreesAnother => "limits",
            Self::MessageIdNotChecked
            | Self::GenerationNotChecked
            | Self::RetentionTooEarly
            | Self::RetentionLeavesHalf
            | Self::ReaderPassesOver
            | Self::LossIsNotTold
            | Self::BatchKnownByItsFirst
            | Self::SeekKeepsGeneration
            | Self::NumbersComeAgain => "topics",
            Self::StaleReceiptsPass
            | Self::OneDeliveryTooMany
            | Self::PurgeLeavesLetters
            | Self::EditIsForgotten => "queues",
            Self::EachTakesAllBack => "transactions",
        }
    }

    /// What it does, in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TrimmedIsFree => "what was trimmed can be written again",
            Self::NumberNotChecked => "a batch counts whatever its number in the epoch is",
            Self::EpochNotChecked => "a batch of an epoch that is over counts",
            Self::ClaimNotChecked => {
                "a claim counts whatever its epoch is, and does not wait for the first hole"
            }
            Self::HolesPassedOver => "an entry counts although a position before it is not known",
            Self::TimeoutIsSuccess => "an append that timed out is taken for done",
            Self::NonceNotFresh => "every claim has the same nonce",
            Self::StepDownSaysDone => "who steps down answers what is in flight as if it were done",
            Self::ReadsNotConfirmed => "a leader serves reads without asking the log",
            Self::LeaseNotWaitedOut => "followers do not wait for a lease to run out",
            Self::WallClockForLeases => "wall clock for leases",
            Self::ReadsOverlayAtOnce => {
                "what writes nothing is answered before what it saw is durable"
            }
            Self::RefusalNotRecorded => "a refusal leaves no record",
            Self::RecordLeftOut => "nothing leaves an idempotency record",
            Self::RecordOutsideTransaction => {
                "idempotency record outside the transaction: in the one after it"
            }
            Self::LogTimeIsWallTime => "log time is what the wall clock says",
            Self::TrimmedTooFar => {
                "the log is trimmed below the newest snapshot, whatever else is left"
            }
            Self::SnapshotMissesAKey => "snapshot misses one key",
            Self::TimerFiresTwiceAfterFailover => {
                "timer fires twice after failover: having fired it stays armed"
            }
            Self::AcknowledgedBeforeDurable => "acknowledge before durable",
            Self::ReplyBeforeApplyOrder => {
                "reply before apply order: a reply leaves before the batch it rests on is applied"
            }
            Self::RefusalLeaks => "overlay leak of a refused transaction: the next one sees it",
            Self::TornTailCutTooFar => "the file log: torn tail cut too far, by one record",
            Self::DamageIsTail => "the file log: damage below what was durable is taken for a tail",
            Self::BytesNotChecked => "bytes are served and decoded unchecked",
            Self::SyncLeftOut => "the file log: answers do not wait for the disk",
            Self::GuardTakesOldTokens => "a guard takes the tokens of grants that are over, too",
            Self::ReleaseTakesAnyToken => {
                "whoever releases a lease ends its grant, whatever token it shows"
            }
            Self::TokenUsedAgain => "who is next in line gets the token of the grant before",
            Self::GrantEndsWithItsTimer => {
                "a grant counts beyond its end, until its timer has fired"
            }
            Self::LastComesFirst => "a lease passes on to whoever came last",
            Self::SessionLeavesItsLeases => {
                "the end of a session leaves the leases that hung on it"
            }
            Self::VersionNotCompared => "what is to replace one version of a document replaces any",
            Self::DocumentOutlivesItsTime => {
                "a document is there beyond its end, until its timer has fired"
            }
            Self::IndexKeepsOldEntries => "an index keeps what a document said before",
            Self::WindowForgetsTooEarly => {
                "a sliding log forgets what is nine tenths of a window old"
            }
            Self::SliceComesBackTwice => {
                "what a gateway used of its slice is not counted when it is given back"
            }
            Self::DenialIsCharged => "a request that one rule denies is charged to the others",
            Self::MessageIdNotChecked => "a message is appended again though its id is there",
            Self::GenerationNotChecked => "a member commits whatever generation it names",
            Self::StaleReceiptsPass => {
                "receipts of deliveries that are over are passed over, not refused"
            }
            Self::OneDeliveryTooMany => "a message is given out once more than may be",
            Self::HolderOutlivesItsTime => {
                "what is held of a limit of concurrency counts beyond its time"
            }
            Self::ReleaseFreesAnother => {
                "who holds nothing of a limit of concurrency gives back what another holds"
            }
            Self::RetentionTooEarly => "retention removes messages a second too early",
            Self::RetentionLeavesHalf => "retention by size leaves half of what is to stay",
            Self::ReaderPassesOver => "a reader behind what was removed goes on with what there is",
            Self::LossIsNotTold => "a group is not told how many messages it lost",
            Self::BatchKnownByItsFirst => {
                "a batch is looked for by the id of its first message alone"
            }
            Self::SeekKeepsGeneration => "a group that is set somewhere else keeps its generation",
            Self::NumbersComeAgain => {
                "generations and receipts of what was deleted are given again"
            }
            Self::PurgeLeavesLetters => "dead letters that were purged are there still",
            Self::EditIsForgotten => {
                "a redriven message says what was appended, not what it was edited to say"
            }
            Self::EachTakesAllBack => "a refused operation takes back what those before it did",
        }
    }
}

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

/// What a bug does too late: takes something in place of what it took before, which it gives.
#[cfg(not(feature = "armed"))]
#[inline]
#[must_use]
pub const fn put_off<T>(now: T) -> Option<T> {
    Some(now)
}

#[cfg(feature = "armed")]
mod armed {
    use std::{
        any::Any,
        cell::{Cell, RefCell},
    };

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
        static LATE: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }

    /// What a bug does too late: takes something in place of what it took before, which it gives.
    #[must_use]
    pub fn put_off<T: 'static>(now: T) -> Option<T> {
        let before = LATE.replace(Some(Box::new(now)))?;
        before.downcast().ok().map(|before| *before)
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
        LATE.take();
        done
    }
}

#[cfg(feature = "armed")]
pub use armed::{is_planted, put_off, with};

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
        let seen = with(Bug::TimerFiresTwiceAfterFailover, || {
            (planted!(TimerFiresTwiceAfterFailover), planted!(RefusalLeaks))
        });
        assert_eq!(seen, (true, false));
        let late = with(Bug::TimerFiresTwiceAfterFailover, || (put_off(1), put_off(2), put_off(3)));
        assert_eq!(late, (None, Some(1), Some(2)));
        assert_eq!(put_off(4), None, "nothing stays of what another bug put off");
        assert!(!planted!(TimerFiresTwiceAfterFailover));
    }

    #[test]
    fn every_bug_is_listed_once() {
        assert!(BUGS.is_sorted() && BUGS.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(BUGS.last(), Some(&Bug::EachTakesAllBack));
    }
}
