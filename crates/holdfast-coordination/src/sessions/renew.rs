//! `sessions.renew`: the session, and all that hangs on it, counts for longer.
//!
//! From now on it has its whole time again. It costs one row read and one written,
//! however much hangs on it.

use holdfast_state::{
    Id, Lifetime, LogTime, Read as _, Stop, Tx,
    command::{Command, Method, Refusal, RefusalInfo, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ending::EXPIRE, get::open_session, refusals::SESSION_NOT_FOUND};
use crate::ties::row::Sessions;

/// The command.
#[derive(Debug)]
pub struct RenewSession;

/// Which session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewSessionSpec {
    /// Its id.
    pub id: Id,
    /// The transaction that opened it: only that session, and none that has had its id
    /// since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// How long it is open from now on, and with later renewals; as before when nothing is
    /// given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Lifetime>,
}

/// The session counts for longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RenewSessionOutcome {
    /// Always the same.
    pub outcome: Renewed,
    /// Its id.
    pub id: Id,
    /// The transaction that opened it.
    pub version: u64,
    /// When it ends unless it is renewed again.
    pub expires_at: LogTime,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Renewed {
    /// The session has its whole time again.
    Renewed,
}

/// Why it was not renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RenewSessionRefusal {
    /// It is not open.
    SessionNotFound {
        /// The id.
        session: Id,
    },
}

impl Refusal for RenewSessionRefusal {
    const ALL: &'static [RefusalInfo] = &[SESSION_NOT_FOUND];

    fn code(&self) -> &'static str {
        match self {
            Self::SessionNotFound { .. } => SESSION_NOT_FOUND.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some("/id")
    }
}

impl Command for RenewSession {
    const NAME: &'static str = "sessions.renew";
    const SUMMARY: &'static str = "Prolongs a session and all that hangs on it.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/sessions/{id}/renew";
    type Spec = RenewSessionSpec;
    type Outcome = RenewSessionOutcome;
    type Refusal = RenewSessionRefusal;
}

impl Write for RenewSession {
    fn run(
        tx: &mut Tx<'_>,
        spec: &RenewSessionSpec,
    ) -> Result<RenewSessionOutcome, Stop<RenewSessionRefusal>> {
        renew(tx, spec)
    }
}

/// Renews a session. A refusal has written nothing.
///
/// # Errors
/// [`RenewSessionRefusal`], or an abort.
pub fn renew(
    tx: &mut Tx<'_>,
    spec: &RenewSessionSpec,
) -> Result<RenewSessionOutcome, Stop<RenewSessionRefusal>> {
    let Some(mut row) = open_session(tx, &spec.id, spec.version)? else {
        let session = spec.id.clone();
        return Err(Stop::Refused(RenewSessionRefusal::SessionNotFound { session }));
    };
    row.ttl = spec.ttl.unwrap_or(row.ttl);
    row.expires_at = tx.now().plus_us(row.ttl.as_us());
    if row.expires_at < row.timer.due {
        tx.cancel_timer(row.timer)?;
        row.timer = tx.arm_timer(row.expires_at, EXPIRE, &spec.id)?;
    }
    tx.put::<Sessions>(spec.id.as_str(), &row)?;
    Ok(RenewSessionOutcome {
        outcome: Renewed::Renewed,
        id: spec.id.clone(),
        version: row.opened.get(),
        expires_at: row.expires_at,
    })
}
