//! One connection to one server, looked at before it is used.
//!
//! A session lives on one server in one life of that server: a crash, a failover or a restart
//! ends it. What is seen through it and confirmed through it is therefore confirmed by the server
//! on which it was seen. A task of its own drives the connection, hears notifications, and counts
//! *doubts*: warnings of the server, of which one says that a commit did not wait for its standbys
//! although it is reported as done.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use holdfast_log::Durability;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, OnceCell, watch};
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, Socket};

use crate::backoff::random_below;
use crate::lineage::Lineage;
use crate::settings::{self, Found, Trouble};
use crate::sql::{BARRIER_SLOTS, Sql, Statements};
use crate::sqlstate::{Verdict, said, verdict};
use crate::tls::Connector;
use crate::wake::Heard;

/// Connecting and looking takes a few round trips; a server that takes longer is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What every session is made of.
#[derive(Debug)]
pub(crate) struct Making {
    pub(crate) connector: Connector,
    pub(crate) sql: Sql,
    pub(crate) heard: Arc<Heard>,
    /// Sessions end when it changes: the log has moved to another server, or looks again.
    pub(crate) generation: watch::Receiver<u64>,
}

/// A connection that was found to be what it must be.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) lineage: Lineage,
    pub(crate) durability: Durability,
    /// The server's address, for people.
    pub(crate) host: String,
    sql: Sql,
    statements: OnceCell<Statements>,
    doubts: Arc<AtomicU64>,
    /// The row that its barriers write.
    slot: i64,
    /// How many asked for a barrier so far.
    asked: AtomicU64,
    /// How many of them a finished barrier covers; held while one is under way.
    covered: Mutex<u64>,
}

impl Session {
    /// Connects, sets what is ours, and looks at the rest.
    pub(crate) async fn open(
        host: &str,
        config: &Config,
        making: &Making,
        least: Durability,
    ) -> Result<Self, Trouble> {
        let opening = Self::open_unbounded(host, config, making, least);
        match tokio::time::timeout(CONNECT_WITHIN, opening).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(trouble)) => Err(trouble.at(host)),
            Err(_) => Err(Trouble::Later("it does not answer".to_owned()).at(host)),
        }
    }

    async fn open_unbounded(
        host: &str,
        config: &Config,
        making: &Making,
        least: Durability,
    ) -> Result<Self, Trouble> {
        let mut generation = making.generation.clone();
        // Former changes ended former sessions.
        generation.mark_unchanged();
        let (client, connection) =
            config.connect(making.connector.clone()).await.map_err(|e| Trouble::of(&e))?;
        let doubts = Arc::new(AtomicU64::new(0));
        let hearing = Hearing { doubts: Arc::clone(&doubts), heard: Arc::clone(&making.heard) };
        tokio::spawn(hearing.drive(connection, generation));
        settings::set(&client).await.map_err(|e| Trouble::of(&e))?;
        let found = settings::look(&client).await.map_err(|e| Trouble::of(&e))?;
        let durability = found.durability(least)?;
        Ok(Self {
            client,
            lineage: found.lineage,
            durability,
            host: host.to_owned(),
            sql: making.sql.clone(),
            statements: OnceCell::new(),
            doubts,
            slot: i64::try_from(random_below(BARRIER_SLOTS)).expect("there are few slots"),
            asked: AtomicU64::new(0),
            covered: Mutex::new(0),
        })
    }

    /// Looks at the server again.
    pub(crate) async fn look(&self) -> Result<Found, Error> {
        settings::look(&self.client).await
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.client.is_closed()
    }

    /// The statements; prepared when they are first wanted, since a new log has no tables yet.
    pub(crate) async fn statements(&self) -> Result<&Statements, Error> {
        self.statements.get_or_try_init(|| self.sql.prepare(&self.client)).await
    }

    /// How many warnings there were. A commit during which it grew may not have waited for its
    /// standbys; [`Session::confirm`] finds out.
    pub(crate) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::SeqCst)
    }

    /// Returns when everything that was seen through this session, or committed through it, is as
    /// durable as the server makes anything: a synchronous write that began afterwards is done.
    /// Those who ask while one is under way share the next.
    pub(crate) async fn confirm(&self) -> Result<(), Error> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut covered = self.covered.lock().await;
        if *covered >= mine {
            return Ok(());
        }
        let statement = &self.statements().await?.confirm;
        loop {
            let (doubts, covers) = (self.doubts(), self.asked.load(Ordering::SeqCst));
            self.client.execute(statement, &[&self.slot]).await?;
            if self.doubts() == doubts {
                *covered = covers;
                return Ok(());
            }
        }
    }
}

/// What a connection's own task keeps.
struct Hearing {
    doubts: Arc<AtomicU64>,
    heard: Arc<Heard>,
}

impl Hearing {
    /// Moves bytes until the connection ends or the generation changes. Statements that wait then
    /// fail; the server finishes, or has finished, what it was sent.
    async fn drive<T>(
        self,
        mut connection: Connection<Socket, T>,
        mut generation: watch::Receiver<u64>,
    ) where
        T: AsyncRead + AsyncWrite + Unpin + Send,
    {
        loop {
            let message = tokio::select! {
                message = poll_fn(|cx| connection.poll_message(cx)) => message,
                _ = generation.changed() => return,
            };
            match message {
                // It is counted before the answer that it precedes is passed on.
                Some(Ok(AsyncMessage::Notice(notice))) => {
                    let harmless =
                        [Severity::Debug, Severity::Info, Severity::Log, Severity::Notice];
                    if !notice.parsed_severity().is_some_and(|found| harmless.contains(&found)) {
                        self.doubts.fetch_add(1, Ordering::SeqCst);
                    }
                }
                Some(Ok(AsyncMessage::Notification(told))) => self.heard.told(told.payload()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }
}

impl Trouble {
    /// What an error at connecting or looking means.
    pub(crate) fn of(error: &Error) -> Self {
        match verdict(error) {
            Verdict::Again | Verdict::Elsewhere => Self::Later(said(error)),
            Verdict::Never => Self::Never(said(error)),
        }
    }

    /// The same, naming the server.
    pub(crate) fn at(self, host: &str) -> Self {
        match self {
            Self::Later(what) => Self::Later(format!("{host}: {what}")),
            Self::Never(what) => Self::Never(format!("{host}: {what}")),
        }
    }
}
