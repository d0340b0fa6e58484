//! A timer fires once, not before its time, and not at all once it was cancelled.
//!
//! Times are log times: the only ones that timers know. A timer that is due and did not
//! fire is late; how late it may be depends on what held up its partition, so the caller
//! says by when all that was due must have fired.

use std::{collections::BTreeMap, fmt};

use holdfast_state::{LogTime, Version};

/// A timer was armed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed<T> {
    /// Which.
    pub timer: T,
    /// When it is due.
    pub due: LogTime,
    /// The transaction that armed it.
    pub at: Version,
}

/// A timer was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled<T> {
    /// Which.
    pub timer: T,
    /// The transaction that cancelled it.
    pub at: Version,
}

/// A timer's handler had its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired<T> {
    /// Which.
    pub timer: T,
    /// The log time that the handler saw.
    pub time: LogTime,
    /// The transaction in which it ran.
    pub at: Version,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Fired once, in time.
    pub fired: u64,
    /// Cancelled before.
    pub cancelled: u64,
    /// Not yet due.
    pub waiting: u64,
}

/// A timer did what it must not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation<T: fmt::Debug> {
    /// Fired more than once.
    #[error("timer {timer:?} fired at version {one} and again at version {other}")]
    Twice {
        /// Which.
        timer: T,
        /// The first time.
        one: Version,
        /// The second.
        other: Version,
    },
    /// Fired before its time.
    #[error("timer {timer:?} is due at {due} and fired at {time}, version {at}")]
    Early {
        /// Which.
        timer: T,
        /// When it was due.
        due: LogTime,
        /// When it fired.
        time: LogTime,
        /// In which transaction.
        at: Version,
    },
    /// Fired, and was never armed, or only afterwards.
    #[error("timer {timer:?} fired at version {at}, and was not armed before")]
    Unarmed {
        /// Which.
        timer: T,
        /// In which transaction.
        at: Version,
    },
    /// Fired although it had been cancelled.
    #[error("timer {timer:?} was cancelled at version {cancelled} and fired at version {at}")]
    Cancelled {
        /// Which.
        timer: T,
        /// When it was cancelled.
        cancelled: Version,
        /// When it fired.
        at: Version,
    },
    /// Due, and did not fire.
    #[error("timer {timer:?} was due at {due}, and had not fired at {until}")]
    Missed {
        /// Which.
        timer: T,
        /// When it was due.
        due: LogTime,
        /// By when it must have fired.
        until: LogTime,
    },
}

/// Checks every timer. All that was due at `until` must have fired.
///
/// # Errors
/// [`Violation`]
pub fn check<T: Clone + Ord + fmt::Debug>(
    armed: &[Armed<T>],
    cancelled: &[Cancelled<T>],
    fired: &[Fired<T>],
    until: LogTime,
) -> Result<Counted, Violation<T>> {
    let timers: BTreeMap<&T, &Armed<T>> = armed.iter().map(|armed| (&armed.timer, armed)).collect();
    let ended: BTreeMap<&T, Version> = cancelled.iter().map(|end| (&end.timer, end.at)).collect();
    let mut runs: BTreeMap<&T, Version> = BTreeMap::new();
    for run in fired {
        one(run, timers.get(&run.timer).copied(), ended.get(&run.timer).copied())?;
        if let Some(one) = runs.insert(&run.timer, run.at) {
            return Err(Violation::Twice { timer: run.timer.clone(), one, other: run.at });
        }
    }
    let mut counted = Counted { fired: runs.len() as u64, ..Counted::default() };
    for (timer, armed) in &timers {
        if runs.contains_key(timer) {
            continue;
        }
        if ended.contains_key(timer) {
            counted.cancelled += 1;
        } else if armed.due <= until {
            let (timer, due) = ((*timer).clone(), armed.due);
            return Err(Violation::Missed { timer, due, until });
        } else {
            counted.waiting += 1;
        }
    }
    Ok(counted)
}

fn one<T: Clone + fmt::Debug>(
    run: &Fired<T>,
    armed: Option<&Armed<T>>,
    cancelled: Option<Version>,
) -> Result<(), Violation<T>> {
    let (timer, at, time) = (|| run.timer.clone(), run.at, run.time);
    let Some(armed) = armed.filter(|armed| armed.at < at) else {
        return Err(Violation::Unarmed { timer: timer(), at });
    };
    if time < armed.due {
        return Err(Violation::Early { timer: timer(), due: armed.due, time, at });
    }
    match cancelled {
        Some(cancelled) if cancelled < at => {
            Err(Violation::Cancelled { timer: timer(), cancelled, at })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(timer: &'static str, due: u64, at: u64) -> Armed<&'static str> {
        Armed { timer, due: LogTime::from_us(due), at: Version::new(at) }
    }

    fn fired(timer: &'static str, time: u64, at: u64) -> Fired<&'static str> {
        Fired { timer, time: LogTime::from_us(time), at: Version::new(at) }
    }

    fn judge(
        cancelled: &[(&'static str, u64)],
        fired: &[Fired<&'static str>],
        until: u64,
    ) -> Result<Counted, Violation<&'static str>> {
        let cancel =
            |(timer, at): &(&'static str, u64)| Cancelled { timer: *timer, at: Version::new(*at) };
        let cancelled: Vec<_> = cancelled.iter().map(cancel).collect();
        check(&[armed("a", 10, 1), armed("b", 20, 2)], &cancelled, fired, LogTime::from_us(until))
    }

    #[test]
    fn once_and_in_time_is_right_and_so_is_waiting() {
        let counted = judge(&[], &[fired("a", 10, 3)], 19).unwrap();
        assert_eq!(counted, Counted { fired: 1, cancelled: 0, waiting: 1 });
        let counted = judge(&[("b", 4)], &[fired("a", 12, 3)], 99).unwrap();
        assert_eq!(counted, Counted { fired: 1, cancelled: 1, waiting: 0 });
    }

    #[test]
    fn twice_early_unarmed_cancelled_and_missed_are_told_apart() {
        let once = || fired("a", 10, 3);
        let twice = judge(&[], &[once(), fired("a", 11, 5)], 0).unwrap_err();
        assert_eq!(twice.to_string(), "timer \"a\" fired at version 3 and again at version 5");
        let early = judge(&[], &[fired("a", 9, 3)], 0).unwrap_err();
        assert!(matches!(early, Violation::Early { .. }), "{early}");
        for unarmed in [fired("c", 9, 3), fired("b", 20, 2)] {
            let unarmed = judge(&[], &[unarmed], 0).unwrap_err();
            assert!(matches!(unarmed, Violation::Unarmed { .. }), "{unarmed}");
        }
        let late = judge(&[("a", 3)], &[fired("a", 10, 4)], 0).unwrap_err();
        assert!(matches!(late, Violation::Cancelled { .. }), "{late}");
        let missed = judge(&[], &[once()], 20).unwrap_err();
        assert!(matches!(missed, Violation::Missed { timer: "b", .. }), "{missed}");
    }
}
