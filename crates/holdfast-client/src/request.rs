//! A call with something about it said.

use std::{fmt, time::Duration};

use crate::{
    answer::{Answer, At},
    client::Client,
    command::{Command, Kind, Wire},
    error::Error,
    key::IdempotencyKey,
    session::Session,
};

/// What a read is to see (`docs/consistency.md`). Commands that write ignore it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// Everything that anyone was told before.
    #[default]
    Linearizable,
    /// Everything up to the version that it is to come [after](Request::after).
    Session,
    /// What the node that is asked has.
    Stale {
        /// It has everything that was acknowledged until so many seconds before.
        seconds: Option<u32>,
    },
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Linearizable => f.write_str("linearizable"),
            Self::Session => f.write_str("session"),
            Self::Stale { seconds: None } => f.write_str("stale"),
            Self::Stale { seconds: Some(seconds) } => write!(f, "stale={seconds}"),
        }
    }
}

/// What can be said about a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The key of a call that writes; a fresh one unless this is given.
    pub key: Option<IdempotencyKey>,
    /// How long it may take in all, besides what it asks the server to wait; as the client has it
    /// unless this is given.
    pub deadline: Option<Duration>,
    /// What the answer must have seen.
    pub after: Option<At>,
    /// What a read is to see otherwise.
    pub consistency: Consistency,
}

/// A call about to be made.
#[derive(Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Request<'a, C> {
    client: &'a Client,
    command: &'a C,
    session: Option<&'a Session>,
    options: Options,
}

impl<'a, C: Command> Request<'a, C> {
    pub(crate) fn new(client: &'a Client, command: &'a C) -> Self {
        Self { client, command, session: None, options: Options::default() }
    }

    pub(crate) fn within(mut self, session: &'a Session) -> Self {
        self.options.after = session.seen();
        if self.options.after.is_some() {
            self.options.consistency = Consistency::Session;
        }
        self.session = Some(session);
        self
    }

    /// Under a key of the caller's: who asks twice under one key, also in another process, gets
    /// the first answer. A command that only reads needs none and sends none.
    pub fn key(mut self, key: IdempotencyKey) -> Self {
        self.options.key = Some(key);
        self
    }

    /// Within this time in all, besides what the command asks the server to wait.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = Some(deadline);
        self
    }

    /// The answer must have seen this.
    pub fn after(mut self, at: At) -> Self {
        self.options.after = Some(at);
        self
    }

    /// What a read is to see.
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.options.consistency = consistency;
        self
    }

    /// Makes the call.
    ///
    /// # Errors
    /// [`Error`]
    pub async fn send(self) -> Result<Answer<C::Outcome>, Error> {
        let wire = Wire::of(self.command).map_err(|error| Error::Unsendable(error.to_string()))?;
        debug_assert_eq!(wire.kind, C::KIND);
        let answer = self.client.send(&wire, &self.options).await;
        let seen = match &answer {
            Ok(answer) => answer.at,
            Err(error) => error.refusal().and_then(|problem| problem.at),
        };
        if let Some((session, at)) = self.session.zip(seen) {
            session.raise(at);
        }
        let command = || C::NAME.to_owned();
        answer?.read().map_err(|source| Error::Unreadable { command: command(), source })
    }
}

impl Options {
    /// The key under which a call of this kind goes.
    pub(crate) fn key_for(&self, kind: Kind) -> Option<IdempotencyKey> {
        match kind {
            Kind::Write => Some(self.key.clone().unwrap_or_else(IdempotencyKey::fresh)),
            Kind::Query => None,
        }
    }
}
