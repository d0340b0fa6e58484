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

/// Declares the bugs: for each its name, the rule of the protocol that it breaks, or the
/// primitive whose promise it is, and what it does.
macro_rules! bugs {
    ($($bug:ident: $rule:literal, $words:literal;)*) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug {
            $(#[doc = concat!($rule, ": ", $words, ".")]
            $bug,)*
        }

        /// Every bug.
        pub const BUGS: &[Bug] = &[$(Bug::$bug),*];

        impl Bug {
            /// The rule of the protocol that it breaks, or the primitive whose promise it is.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$bug => $rule),*
                }
            }

            /// What it does, in a few words.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$bug => $words),*
                }
            }
        }
    };
}

bugs! {
    TrimmedIsFree: "P3", "what was trimmed can be written again";
    NumberNotChecked: "P4", "a batch counts whatever its number in the epoch is";
    EpochNotChecked: "P4", "a batch of an epoch that is over counts";
    ClaimNotChecked: "P4, P7", "a claim counts whatever its epoch is, and does not wait for the first hole";
    HolesPassedOver: "P5", "an entry counts although a position before it is not known";
    TimeoutIsSuccess: "P6", "an append that timed out is taken for done";
    NonceNotFresh: "P7", "every claim has the same nonce";
    StepDownSaysDone: "P9", "who steps down answers what is in flight as if it were done";
    ReadsNotConfirmed: "P10", "a leader serves reads without asking the log";
    LeaseNotWaitedOut: "P11", "followers do not wait for a lease to run out";
    WallClockForLeases: "P11", "wall clock for leases";
    ReadsOverlayAtOnce: "P12", "what writes nothing is answered before what it saw is durable";
    RefusalNotRecorded: "P13", "a refusal leaves no record";
    RecordLeftOut: "P13", "nothing leaves an idempotency record";
    RecordOutsideTransaction: "P13", "idempotency record outside the transaction: in the one after it";
    LogTimeIsWallTime: "P15", "log time is what the wall clock says";
    TrimmedTooFar: "P16", "the log is trimmed below the newest snapshot, whatever else is left";
    SnapshotMissesAKey: "P16", "snapshot misses one key";
    TimerFiresTwiceAfterFailover: "P23", "timer fires twice after failover: having fired it stays armed";
    AcknowledgedBeforeDurable: "P5", "acknowledge before durable";
    ReplyBeforeApplyOrder: "P10, P12", "reply before apply order: a reply leaves before the batch it rests on is applied";
    RefusalLeaks: "P12", "overlay leak of a refused transaction: the next one sees it";
    TornTailCutTooFar: "P1", "the file log: torn tail cut too far, by one record";
    DamageIsTail: "P1", "the file log: damage below what was durable is taken for a tail";
    BytesNotChecked: "P1", "bytes are served and decoded unchecked";
    SyncLeftOut: "P1", "the file log: answers do not wait for the disk";
    GuardTakesOldTokens: "P24", "a guard takes the tokens of grants that are over, too";
    ReleaseTakesAnyToken: "P24", "whoever releases a lease ends its grant, whatever token it shows";
    TokenUsedAgain: "P24", "who is next in line gets the token of the grant before";
    GrantEndsWithItsTimer: "leases", "a grant counts beyond its end, until its timer has fired";
    LastComesFirst: "leases", "a lease passes on to whoever came last";
    SessionLeavesItsLeases: "sessions", "the end of a session leaves the leases that hung on it";
    VersionNotCompared: "documents", "what is to replace one version of a document replaces any";
    DocumentOutlivesItsTime: "documents", "a document is there beyond its end, until its timer has fired";
    IndexKeepsOldEntries: "documents", "an index keeps what a document said before";
    WindowForgetsTooEarly: "limits", "a sliding log forgets what is nine tenths of a window old";
    SliceComesBackTwice: "limits", "what a gateway used of its slice is not counted when it is given back";
    DenialIsCharged: "limits", "a request that one rule denies is charged to the others";
    MessageIdNotChecked: "topics", "a message is appended again though its id is there";
    GenerationNotChecked: "topics", "a member commits whatever generation it names";
    StaleReceiptsPass: "queues", "receipts of deliveries that are over are passed over, not refused";
    OneDeliveryTooMany: "queues", "a message is given out once more than may be";
    HolderOutlivesItsTime: "limits", "what is held of a limit of concurrency counts beyond its time";
    ReleaseFreesAnother: "limits", "who holds nothing of a limit of concurrency gives back what another holds";
    RetentionTooEarly: "topics", "retention removes messages a second too early";
    RetentionLeavesHalf: "topics", "retention by size leaves half of what is to stay";
    ReaderPassesOver: "topics", "a reader behind what was removed goes on with what there is";
    LossIsNotTold: "topics", "a group is not told how many messages it lost";
    BatchKnownByItsFirst: "topics", "a batch is looked for by the id of its first message alone";
    SeekKeepsGeneration: "topics", "a group that is set somewhere else keeps its generation";
    NumbersComeAgain: "topics", "generations and receipts of what was deleted are given again";
    PurgeLeavesLetters: "queues", "dead letters that were purged are there still";
    EditIsForgotten: "queues", "a redriven message says what was appended, not what it was edited to say";
    EachTakesAllBack: "transactions", "a refused operation takes back what those before it did";
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
