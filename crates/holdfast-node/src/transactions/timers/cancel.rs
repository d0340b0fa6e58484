//! `timers.cancel`: a timer that has not fired will not. Cancelling twice is the same
//! as once.

use holdfast_state::{
    Id, Read as _, Stop, Tx,
    command::{Class, Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FORGET, KEPT_FOR_US, Scheduled, Status, TIMER_NOT_FOUND};

/// The command.
#[derive(Debug)]
pub struct CancelTimer;

/// Which timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTimerSpec {
    /// Its id.
    pub id: Id,
}

/// The timer will not fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CancelTimerOutcome {
    /// Always the same.
    pub outcome: Cancelled,
    /// It had been cancelled before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// Its id.
    pub id: Id,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cancelled {
    /// The timer is cancelled.
    Cancelled,
}

/// Why a timer is not cancelled, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CancelTimerRefusal {
    /// None has this id.
    TimerNotFound {
        /// The id.
        id: Id,
    },
    /// It has fired.
    TimerFired {
        /// What came of it.
        status: Status,
    },
}

const TIMER_FIRED: RefusalInfo =
    RefusalInfo { code: "timer_fired", class: Class::Conflict, summary: "The timer has fired." };

impl Refusal for CancelTimerRefusal {
    const ALL: &'static [RefusalInfo] = &[TIMER_NOT_FOUND, TIMER_FIRED];

    fn code(&self) -> &'static str {
        match self {
            Self::TimerNotFound { .. } => TIMER_NOT_FOUND.code,
            Self::TimerFired { .. } => TIMER_FIRED.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for CancelTimer {
    const NAME: &'static str = "timers.cancel";
    const SUMMARY: &'static str = "Takes a timer back that has not fired.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/timers/{id}/cancel";
    type Spec = CancelTimerSpec;
    type Outcome = CancelTimerOutcome;
    type Refusal = CancelTimerRefusal;
}

impl Write for CancelTimer {
    fn run(
        tx: &mut Tx<'_>,
        spec: &CancelTimerSpec,
    ) -> Result<CancelTimerOutcome, Stop<CancelTimerRefusal>> {
        let id = &spec.id;
        let row = tx.get::<Scheduled>(id.as_str())?;
        let refusal = || CancelTimerRefusal::TimerNotFound { id: id.clone() };
        let mut row = row.ok_or_else(|| Stop::Refused(refusal()))?;
        let existed = match row.status {
            Status::Armed => false,
            Status::Cancelled => true,
            status @ (Status::Done | Status::Refused) => {
                return Err(Stop::Refused(CancelTimerRefusal::TimerFired { status }));
            }
        };
        if !existed {
            tx.cancel_timer(row.timer)?;
            row.status = Status::Cancelled;
            row.ended_at = Some(tx.now());
            tx.put::<Scheduled>(id.as_str(), &row)?;
            tx.arm_timer(tx.now().plus_us(KEPT_FOR_US), FORGET, id)?;
        }
        Ok(CancelTimerOutcome { outcome: Cancelled::Cancelled, existed, id: id.clone() })
    }
}
