//! The same bytes without a log: what a server takes for a bare INSERT, to be read beside what an
//! append takes. And what a bench leaves behind in somebody's database, taken away again.

use holdfast_log::LogError;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config, Error, NoTls, Statement};

use crate::sqlstate::said;

/// A table with a primary key, and one prepared INSERT into it, on one connection without TLS.
#[derive(Debug)]
pub struct Bare {
    runtime: Runtime,
    client: Client,
    table: String,
    insert: Statement,
}

impl Bare {
    /// Makes the table, under this name.
    ///
    /// # Errors
    /// [`LogError::BadOptions`] for `servers`; [`LogError::Refused`] with what the server said.
    pub fn create(servers: &str, table: &str) -> Result<Self, LogError> {
        let runtime = runtime()?;
        let connecting = async {
            let client = connect(servers).await?;
            let create = format!(
                "CREATE TABLE {table} (position bigserial PRIMARY KEY, bytes bytea NOT NULL)"
            );
            client.batch_execute(&create).await.map_err(|error| refused(&error))?;
            let insert = format!("INSERT INTO {table} (bytes) VALUES ($1)");
            let insert = client.prepare(&insert).await.map_err(|error| refused(&error))?;
            Ok((client, insert))
        };
        let (client, insert) = runtime.block_on(connecting)?;
        Ok(Self { runtime, client, table: table.to_owned(), insert })
    }

    /// Puts a row with these bytes, and waits until it is committed.
    ///
    /// # Errors
    /// [`LogError::Refused`] with what the server said.
    pub fn insert(&self, bytes: &[u8]) -> Result<(), LogError> {
        let inserting = async { self.client.execute(&self.insert, &[&bytes]).await };
        self.runtime.block_on(inserting).map(drop).map_err(|error| refused(&error))
    }

    /// What the server answers to `SHOW` of this setting.
    ///
    /// # Errors
    /// [`LogError::Refused`] with what the server said.
    pub fn setting(&self, name: &str) -> Result<String, LogError> {
        let asking = async { self.client.query_one("SELECT current_setting($1)", &[&name]).await };
        self.runtime.block_on(asking).map(|row| row.get(0)).map_err(|error| refused(&error))
    }

    /// Drops the table.
    ///
    /// # Errors
    /// [`LogError::Refused`] with what the server said.
    pub fn remove(self) -> Result<(), LogError> {
        let drop_it = format!("DROP TABLE {}", self.table);
        let dropping = self.client.batch_execute(&drop_it);
        self.runtime.block_on(dropping).map_err(|error| refused(&error))
    }
}

/// Drops the tables of logs of this prefix. Nobody may have them open.
///
/// # Errors
/// [`LogError::BadOptions`] for `servers`; [`LogError::Refused`] with what the server said.
pub fn remove_tables(servers: &str, prefix: &str) -> Result<(), LogError> {
    let tables = ["entries", "marks", "barriers", "format"].map(|name| format!("{prefix}_{name}"));
    let drop_them = format!("DROP TABLE IF EXISTS {}", tables.join(", "));
    runtime()?.block_on(async {
        let client = connect(servers).await?;
        client.batch_execute(&drop_them).await.map_err(|error| refused(&error))
    })
}

/// Without threads of its own: an INSERT is not to wait for one to be woken.
fn runtime() -> Result<Runtime, LogError> {
    let made = Builder::new_current_thread().enable_all().build();
    made.map_err(|error| LogError::Stopped { reason: format!("starting a runtime: {error}") })
}

/// The server that takes writes, of those that are named.
async fn connect(servers: &str) -> Result<Client, LogError> {
    let bad = |error: Error| LogError::BadOptions { what: format!("servers: {}", said(&error)) };
    let mut config: Config = servers.parse().map_err(bad)?;
    config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
    let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(&error))?;
    tokio::spawn(connection);
    Ok(client)
}

fn refused(error: &Error) -> LogError {
    LogError::Refused { reason: said(error) }
}
