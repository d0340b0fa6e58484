//! What became of each message of a queue: it waits, is out, is a dead letter, or is done; and
//! what was done with it was done once.
//!
//! A naive queue is told of every step in the order of versions. It knows of dead letters only
//! what can be known: a message that was given out as often as may be, and whose time is over,
//! may be one.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_state::Version;

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was given out.
    Received {
        /// What settles it.
        receipt: String,
        /// How often it was, this time counted.
        attempt: u32,
        /// When it comes into sight again, in microseconds of log time.
        until_us: u64,
    },
    /// It was acknowledged with this receipt.
    Acked(String),
    /// This receipt was refused.
    Refused(String),
    /// It was given back with this receipt.
    Returned(String),
    /// It was put back from the dead letters.
    Redriven,
}

/// A step, in the order of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The transaction.
    pub version: Version,
    /// Its log time in microseconds; of a refusal zero, since nobody is told.
    pub time_us: u64,
    /// The message's offset.
    pub message: u64,
    /// What happened.
    pub event: Event,
}

/// How the queue stands at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// All that was appended.
    pub messages: BTreeSet<u64>,
    /// What was done, once for each time that it was.
    pub effects: Vec<u64>,
    /// The dead letters.
    pub dead: Vec<u64>,
    /// How many messages wait, by the queue's own count.
    pub waiting: u64,
    /// How many are out, by the queue's own count.
    pub out: u64,
}

/// What was found to be so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// How often a message was given out.
    pub received: u64,
    /// How often one was that had been before.
    pub again: u64,
    /// Receipts that were refused since they were used, or the message had been given out again.
    pub stale: u64,
    /// Dead letters that were put back.
    pub redriven: u64,
}

/// A message was lost, done twice, or with two consumers at a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Given out when it should not be.
    #[error("message {message} was given out at version {version}: {why}")]
    Received {
        /// Which message.
        message: u64,
        /// In which transaction.
        version: Version,
        /// What is wrong with that.
        why: String,
    },
    /// A receipt was taken that is not that of the message's last delivery.
    #[error(
        "message {message} was settled at version {version} with {receipt}, which is not its receipt"
    )]
    Stale {
        /// Which message.
        message: u64,
        /// In which transaction.
        version: Version,
        /// The receipt.
        receipt: String,
    },
    /// A good receipt was refused.
    #[error("receipt {receipt} of message {message} is good, and was refused at version {version}")]
    Refused {
        /// Which message.
        message: u64,
        /// In which transaction.
        version: Version,
        /// The receipt.
        receipt: String,
    },
    /// Put back, and it was no dead letter.
    #[error("message {message} was put back at version {version}, and was no dead letter")]
    Redriven {
        /// Which message.
        message: u64,
        /// In which transaction.
        version: Version,
    },
    /// Acknowledged, and nobody did what there was to do; or it is nowhere.
    #[error("message {message} is lost: it was acknowledged, and what it asks for was never done")]
    Lost {
        /// Which message.
        message: u64,
    },
    /// Done again.
    #[error("what message {message} asks for was done {times} times")]
    Effects {
        /// Which message.
        message: u64,
        /// How often.
        times: usize,
    },
    /// A dead letter that cannot be one.
    #[error("message {message} is a dead letter, and {why}")]
    Dead {
        /// Which message.
        message: u64,
        /// What is wrong with that.
        why: &'static str,
    },
    /// The counts do not add up.
    #[error(
        "{appended} messages were appended; {done} are done, {dead} dead, {waiting} wait, {out} are out"
    )]
    Sum {
        /// All messages.
        appended: usize,
        /// Acknowledged.
        done: usize,
        /// Dead letters.
        dead: usize,
        /// Waiting.
        waiting: u64,
        /// Out.
        out: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Waiting { attempts: u32 },
    Out { receipt: String, attempt: u32, until_us: u64 },
    Done,
}

/// Checks all steps, in the order of versions, and what came of them.
///
/// # Errors
/// [`Violation`]
pub fn check(steps: &[Step], end: &End, attempts_max: u32) -> Result<Deliveries, Violation> {
    let mut queue = Queue { attempts_max, states: BTreeMap::new(), found: Deliveries::default() };
    for step in steps {
        queue.step(step)?;
    }
    queue.ends(end)?;
    Ok(queue.found)
}

struct Queue {
    attempts_max: u32,
    states: BTreeMap<u64, State>,
    found: Deliveries,
}

impl Queue {
    fn state(&mut self, message: u64) -> &mut State {
        self.states.entry(message).or_insert(State::Waiting { attempts: 0 })
    }

    fn step(&mut self, step: &Step) -> Result<(), Violation> {
        let (message, version) = (step.message, step.version);
        let exhausted = self.attempts_max;
        match &step.event {
            Event::Received { receipt, attempt, until_us } => {
                self.receive(step, *attempt)?;
                let (receipt, attempt, until_us) = (receipt.clone(), *attempt, *until_us);
                *self.state(message) = State::Out { receipt, attempt, until_us };
            }
            Event::Acked(receipt) => {
                self.has(step, receipt)?;
                *self.state(message) = State::Done;
            }
            Event::Returned(receipt) => {
                let attempts = self.has(step, receipt)?;
                *self.state(message) = State::Waiting { attempts };
            }
            Event::Refused(refused) => match self.state(message) {
                State::Out { receipt, attempt, .. }
                    if receipt == refused && *attempt < exhausted =>
                {
                    let receipt = refused.clone();
                    return Err(Violation::Refused { message, version, receipt });
                }
                State::Out { .. } | State::Waiting { .. } | State::Done => self.found.stale += 1,
            },
            Event::Redriven => {
                let is_dead = match self.state(message) {
                    State::Waiting { attempts } => *attempts == exhausted,
                    State::Out { attempt, until_us, .. } => {
                        *attempt == exhausted && *until_us <= step.time_us
                    }
                    State::Done => false,
                };
                if !is_dead {
                    return Err(Violation::Redriven { message, version });
                }
                self.found.redriven += 1;
                *self.state(message) = State::Waiting { attempts: 0 };
            }
        }
        Ok(())
    }

    /// May it be given out now, for the time that it says?
    fn receive(&mut self, step: &Step, attempt: u32) -> Result<(), Violation> {
        let (message, version, exhausted) = (step.message, step.version, self.attempts_max);
        let before = match self.state(message) {
            State::Waiting { attempts } => Ok(*attempts),
            State::Out { until_us, .. } if *until_us > step.time_us => {
                let early = *until_us - step.time_us;
                Err(format!("it was out for another {early} µs"))
            }
            State::Out { attempt, .. } => Ok(*attempt),
            State::Done => Err("it was done".to_owned()),
        };
        let why = match before {
            Err(why) => Some(why),
            Ok(before) if attempt != before + 1 => {
                Some(format!("as attempt {attempt}, after {before} of them"))
            }
            Ok(before) if before >= exhausted => {
                Some(format!("as attempt {attempt} of {exhausted}"))
            }
            Ok(before) => {
                self.found.received += 1;
                self.found.again += u64::from(before > 0);
                None
            }
        };
        why.map_or(Ok(()), |why| Err(Violation::Received { message, version, why }))
    }

    /// Is this its receipt? The attempt that it is of.
    fn has(&mut self, step: &Step, asked: &str) -> Result<u32, Violation> {
        match self.state(step.message) {
            State::Out { receipt, attempt, .. } if receipt == asked => Ok(*attempt),
            State::Out { .. } | State::Waiting { .. } | State::Done => Err(Violation::Stale {
                message: step.message,
                version: step.version,
                receipt: asked.to_owned(),
            }),
        }
    }

    fn ends(&self, end: &End) -> Result<(), Violation> {
        let is = |message: &u64, state: &State| self.states.get(message) == Some(state);
        let done = || end.messages.iter().filter(|message| is(message, &State::Done));
        let mut effects: BTreeMap<u64, usize> = BTreeMap::new();
        for message in &end.effects {
            *effects.entry(*message).or_default() += 1;
        }
        if let Some((message, times)) = effects.iter().find(|(_, times)| **times != 1) {
            return Err(Violation::Effects { message: *message, times: *times });
        }
        if let Some(message) = done().find(|message| !effects.contains_key(message)) {
            return Err(Violation::Lost { message: *message });
        }
        if let Some((message, times)) =
            effects.iter().find(|(message, _)| !is(message, &State::Done))
        {
            // Done, and the queue does not know of it: it will be given out again.
            return Err(Violation::Effects { message: *message, times: times + 1 });
        }
        self.buries(end)?;
        let (appended, done, dead) = (end.messages.len(), done().count(), end.dead.len());
        let (waiting, out) = (end.waiting, end.out);
        if (done + dead) as u64 + waiting + out == appended as u64 {
            return Ok(());
        }
        Err(Violation::Sum { appended, done, dead, waiting, out })
    }

    fn buries(&self, end: &End) -> Result<(), Violation> {
        let mut seen = BTreeSet::new();
        for message in &end.dead {
            let why = match self.states.get(message) {
                None => Some("was never given out"),
                Some(State::Done) => Some("was done"),
                Some(State::Waiting { attempts } | State::Out { attempt: attempts, .. })
                    if *attempts < self.attempts_max =>
                {
                    Some("may be given out again")
                }
                Some(State::Waiting { .. } | State::Out { .. }) => None,
            };
            let why = why.or_else(|| (!seen.insert(message)).then_some("is there twice"));
            if let Some(why) = why {
                return Err(Violation::Dead { message: *message, why });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
