//! `timers.arm`: operations that run at a later time, as one transaction.
//!
//! Armed again under the same id in the same words it is the same timer; in other words
//! it is refused.

use holdfast_state::{
    Id, Lifetime, LogTime, Read as _, Stop, Tx, View,
    command::{
        Call, Class, Command, Composed, Entry, Input, Method, Refusal, RefusalInfo, Refused,
        SpecError,
    },
    unknown::Unknown,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{Mode, OperationSpec, TransactionSpec, compose},
    HANDLER, Scheduled, ScheduledRow, Status,
};

/// The command.
#[derive(Debug)]
pub struct ArmTimer;

/// When, and what then.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmTimerSpec {
    /// Its id; without one it gets a fresh id, and a retry would be another timer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// It fires once log time has reached this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires_at: Option<LogTime>,
    /// The same, counted from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires_in: Option<Lifetime>,
    /// What then runs, all or none: 1 to 128 operations.
    pub operations: Vec<OperationSpec>,
}

/// The timer is armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ArmTimerOutcome {
    /// Always the same.
    pub outcome: Armed,
    /// It had been armed before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// Its id.
    pub id: Id,
    /// When it is due.
    pub fires_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Armed {
    /// The timer is armed.
    Armed,
}

/// Why a timer is not armed, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum ArmTimerRefusal {
    /// The id was used for another timer.
    TimerExists {
        /// The id.
        id: Id,
        /// What differs.
        field: &'static str,
    },
}

impl Refusal for ArmTimerRefusal {
    const ALL: &'static [RefusalInfo] = &[RefusalInfo {
        code: "timer_exists",
        class: Class::Conflict,
        summary: "The id was used for a different timer.",
    }];

    fn code(&self) -> &'static str {
        match self {
            Self::TimerExists { .. } => Self::ALL[0].code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for ArmTimer {
    const NAME: &'static str = "timers.arm";
    const SUMMARY: &'static str = "Runs operations at a later time, as one transaction.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/timers";
    type Spec = ArmTimerSpec;
    type Outcome = ArmTimerOutcome;
    type Refusal = ArmTimerRefusal;
}

impl Composed for ArmTimer {
    fn parse(input: Input<'_>) -> Result<Box<dyn Call>, SpecError> {
        let ArmTimerSpec { id, fires_at, fires_in, operations } = Entry::spec(input)?;
        let due = match (fires_at, fires_in) {
            (Some(at), None) => Due::At(at),
            (None, Some(lifetime)) => Due::In(lifetime),
            (Some(_), Some(_)) | (None, None) => {
                return Err(SpecError {
                    pointer: "/fires_at".to_owned(),
                    message: "give fires_at or fires_in, one of them".to_owned(),
                    malformed: false,
                });
            }
        };
        let kept = serde_json::to_vec(&operations).expect("operations are JSON");
        let spec = TransactionSpec { mode: Mode::All, operations };
        compose(spec, input.body.len(), input.commands)?;
        Ok(Box::new(Arming { id, due, operations: kept }))
    }
}

#[derive(Clone, Copy, Debug)]
enum Due {
    At(LogTime),
    In(Lifetime),
}

/// A timer that could be read.
struct Arming {
    id: Option<Id>,
    due: Due,
    operations: Vec<u8>,
}

impl Arming {
    fn arm(&self, tx: &mut Tx<'_>) -> Result<ArmTimerOutcome, Stop<ArmTimerRefusal>> {
        let id = match &self.id {
            Some(id) => {
                if let Some(row) = tx.get::<Scheduled>(id.as_str())? {
                    return self.existing(id, &row).map_err(Stop::Refused);
                }
                id.clone()
            }
            None => tx.fresh_id("timer"),
        };
        let fires_at = match self.due {
            Due::At(at) => at,
            Due::In(lifetime) => tx.now().plus_us(lifetime.as_us()),
        };
        let timer = tx.arm_timer(fires_at, HANDLER, &id)?;
        let row = ScheduledRow {
            fires_at,
            timer,
            operations: self.operations.clone(),
            status: Status::Armed,
            ended_at: None,
            result: Vec::new(),
            unknown: Unknown::default(),
        };
        tx.put::<Scheduled>(id.as_str(), &row)?;
        Ok(ArmTimerOutcome { outcome: Armed::Armed, existed: false, id, fires_at })
    }

    fn existing(&self, id: &Id, row: &ScheduledRow) -> Result<ArmTimerOutcome, ArmTimerRefusal> {
        let differs = |field| Err(ArmTimerRefusal::TimerExists { id: id.clone(), field });
        match self.due {
            Due::At(at) if at != row.fires_at => return differs("fires_at"),
            // From when it counted is not known any more: the id stands for it.
            Due::At(_) | Due::In(_) => {}
        }
        if self.operations != row.operations {
            return differs("operations");
        }
        let (id, fires_at) = (id.clone(), row.fires_at);
        Ok(ArmTimerOutcome { outcome: Armed::Armed, existed: true, id, fires_at })
    }
}

impl Call for Arming {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Stop<Refused>> {
        let armed = self.arm(tx).map_err(|stop| stop.map(|refusal| Refused::new(&refusal)))?;
        Ok(serde_json::to_vec(&armed).expect("an outcome is plain data"))
    }

    fn look(&self, _: &View) -> Option<Result<Vec<u8>, Stop<Refused>>> {
        None
    }
}
