//! A place for one session, filled again when it is lost; and how long a call goes on trying.
//!
//! Whoever works on a link shares its session with others: their statements follow each other on
//! the wire without waiting for answers. A session that failed is put out of its place once, by
//! whoever noticed first.

use std::sync::Arc;
use std::time::Duration;

use holdfast_log::LogError;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_postgres::Error;

use crate::backoff::Backoff;
use crate::servers::Servers;
use crate::session::Session;
use crate::settings::Trouble;
use crate::sqlstate::{Verdict, said, verdict};

/// One connection, as long as there is a server.
#[derive(Debug)]
pub(crate) struct Link {
    servers: Arc<Servers>,
    /// A statement that every session begins with.
    greeting: Option<String>,
    place: Mutex<Option<Arc<Session>>>,
}

impl Link {
    pub(crate) fn new(servers: &Arc<Servers>) -> Self {
        Self { servers: Arc::clone(servers), greeting: None, place: Mutex::new(None) }
    }

    /// One whose sessions begin by listening to a channel.
    pub(crate) fn listening(servers: &Arc<Servers>, channel: &str) -> Self {
        let greeting = Some(format!("LISTEN {channel}"));
        Self { servers: Arc::clone(servers), greeting, place: Mutex::new(None) }
    }

    /// The session; a new one if there is none or it has ended.
    ///
    /// # Errors
    /// When patience is over, or a person has to act.
    pub(crate) async fn session(&self, tries: &mut Tries) -> Result<Arc<Session>, LogError> {
        loop {
            match self.session_once().await {
                Ok(session) => return Ok(session),
                Err(trouble) => tries.after(trouble).await?,
            }
        }
    }

    /// The same, tried once.
    pub(crate) async fn session_once(&self) -> Result<Arc<Session>, Trouble> {
        let mut place = self.place.lock().await;
        if let Some(session) = place.as_ref().filter(|session| session.is_alive()) {
            return Ok(Arc::clone(session));
        }
        let session = self.servers.connect().await?;
        if let Some(greeting) = &self.greeting {
            session.client.batch_execute(greeting).await.map_err(|e| Trouble::of(&e))?;
        }
        let session = Arc::new(session);
        *place = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The session, if there is one; none is made for this.
    pub(crate) fn present(&self) -> Option<Arc<Session>> {
        let place = self.place.try_lock().ok()?;
        place.as_ref().filter(|session| session.is_alive()).map(Arc::clone)
    }

    /// A statement on this session failed: returns when it may be tried again, on the session that
    /// there is then.
    ///
    /// # Errors
    /// When patience is over, or a person has to act.
    pub(crate) async fn failed(
        &self,
        session: &Arc<Session>,
        error: &Error,
        tries: &mut Tries,
    ) -> Result<(), LogError> {
        let what = said(error);
        let trouble = match verdict(error) {
            Verdict::Again => Trouble::Later(what),
            Verdict::Elsewhere => {
                let mut place = self.place.lock().await;
                if place.as_ref().is_some_and(|there| Arc::ptr_eq(there, session)) {
                    *place = None;
                }
                Trouble::Later(what)
            }
            Verdict::Never => Trouble::Never(what),
        };
        tries.after(trouble.at(&session.host)).await
    }
}

/// The tries of one call.
#[derive(Debug)]
pub(crate) struct Tries {
    patience: Duration,
    /// Set by the first trouble: what a server takes to answer is not counted.
    until: Option<Instant>,
    backoff: Backoff,
}

impl Tries {
    pub(crate) fn with_patience(patience: Duration) -> Self {
        Self { patience, until: None, backoff: Backoff::new() }
    }

    /// Pauses after a trouble.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when patience is over, [`LogError::Refused`] when it is of no use.
    pub(crate) async fn after(&mut self, trouble: Trouble) -> Result<(), LogError> {
        let reason = match trouble {
            Trouble::Never(reason) => return Err(LogError::Refused { reason }),
            Trouble::Later(reason) => reason,
        };
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + self.patience);
        if now >= until {
            return Err(LogError::Unavailable { reason });
        }
        tokio::time::sleep(self.backoff.next().min(until - now)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_is_counted_from_the_first_trouble() {
        let mut tries = Tries::with_patience(Duration::from_secs(5));
        tokio::time::advance(Duration::from_secs(60)).await;
        let began = Instant::now();
        let later = || Trouble::Later("it starts".to_owned());
        let refused = loop {
            if let Err(error) = tries.after(later()).await {
                break error;
            }
        };
        assert!(matches!(refused, LogError::Unavailable { .. }), "{refused}");
        assert!(!refused.is_permanent());
        assert_eq!(began.elapsed().as_secs(), 5);
        let mut tries = Tries::with_patience(Duration::from_secs(5));
        let refused = tries.after(Trouble::Never("no such role".to_owned())).await.unwrap_err();
        assert!(refused.is_permanent(), "{refused}");
    }
}
