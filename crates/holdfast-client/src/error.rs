//! What a call ends in when it has no outcome: what happened, and what to do.
//!
//! | error | it happened | do |
//! | --- | --- | --- |
//! | [`Refused`](Error::Refused) | no; the answer is final | decide by the code |
//! | [`NotDone`](Error::NotDone) | no | call again when you like |
//! | [`OutcomeUnknown`](Error::OutcomeUnknown) | perhaps | call again under the error's key, until there is an answer |
//! | [`Unreadable`](Error::Unreadable) | yes, if it was to | mend the client: its release does not fit the server's |
//! | [`Unsendable`](Error::Unsendable) | no | mend the request |

use std::fmt;

use crate::{key::IdempotencyKey, problem::Problem};

/// Why a try brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The server could not be connected to: it was not asked.
    Connect {
        /// Which, as `host:port`.
        server: String,
        /// What the system said.
        message: String,
    },
    /// The connection ended before the answer did.
    Broken {
        /// Which, as `host:port`.
        server: String,
        /// What was seen.
        message: String,
    },
    /// No answer within the time for one try.
    Slow {
        /// Which, as `host:port`.
        server: String,
    },
    /// The server said that it could not, for now.
    NotNow {
        /// Which, as `host:port`.
        server: String,
        /// What it said.
        problem: Box<Problem>,
    },
    /// Something answered that is no Holdfast server: a proxy, say.
    Foreign {
        /// Which, as `host:port`.
        server: String,
        /// The HTTP status.
        status: u16,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { server, message } => write!(f, "cannot connect to {server}: {message}"),
            Self::Broken { server, message } => {
                write!(f, "the connection to {server} broke: {message}")
            }
            Self::Slow { server } => write!(f, "{server} did not answer in time"),
            Self::NotNow { server, problem } => write!(f, "{server} answered {problem}"),
            Self::Foreign { server, status } => {
                write!(f, "{server} answered {status}, and not as a Holdfast server does")
            }
        }
    }
}

/// Why a call was not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Its deadline passed.
    Deadline,
    /// So many calls were repeated lately that more would do harm.
    Budget,
    /// The server failed at it several times in the same way.
    Failing,
    /// No server could be connected to, and the client does not wait for them.
    Unreachable,
}

/// How a call ended that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InVain {
    /// Why it was not tried again.
    pub ended: Ended,
    /// How often it was tried.
    pub tries: u32,
    /// What the last try met; `None` if there was no time for one.
    pub last: Option<Trouble>,
}

impl fmt::Display for InVain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ended, tries, last } = self;
        let times = if *tries == 1 { "once" } else { &format!("{tries} times") };
        match ended {
            Ended::Deadline => write!(f, "no answer by the deadline, tried {times}")?,
            Ended::Budget => write!(f, "tried {times}, and too much is tried again already")?,
            Ended::Unreachable => write!(f, "no server is there, tried {times}")?,
            Ended::Failing => write!(f, "tried {times}, the server fails at it")?,
        }
        match last {
            Some(trouble) => write!(f, "; {trouble}"),
            None => Ok(()),
        }
    }
}

/// Why a call has no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server's final answer: a refusal, or a request that cannot be taken.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// It was not done.
    #[error("not done: {0}")]
    NotDone(InVain),
    /// It may have been done.
    #[error("it may have happened: {in_vain}; ask again with the key {key}")]
    OutcomeUnknown {
        /// Asks for the one answer.
        key: IdempotencyKey,
        /// How it ended.
        in_vain: InVain,
    },
    /// It was done, but this client does not understand the answer.
    #[error("the answer to {command} cannot be read: {source}")]
    Unreadable {
        /// The command.
        command: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The request has no form that could be sent. Nothing was.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

impl Error {
    /// The code of the problem that is the server's final answer.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.refusal().map(|problem| problem.code.as_str())
    }

    /// The server's final answer.
    #[must_use]
    pub fn refusal(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            Self::NotDone(_)
            | Self::OutcomeUnknown { .. }
            | Self::Unreadable { .. }
            | Self::Unsendable(_) => None,
        }
    }

    /// May it have happened, for all this client knows?
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. } | Self::Unreadable { .. } => true,
            Self::Refused(_) | Self::NotDone(_) | Self::Unsendable(_) => false,
        }
    }

    /// May calling again bring an answer? Always under the same key where there is one.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::NotDone(_) | Self::OutcomeUnknown { .. } => true,
            Self::Refused(_) | Self::Unreadable { .. } | Self::Unsendable(_) => false,
        }
    }
}
