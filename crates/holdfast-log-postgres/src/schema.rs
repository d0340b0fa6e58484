//! The tables: made when a log is first opened, and looked at ever after.
//!
//! ```text
//! <prefix>_entries   (partition, position) -> bytes      what the positions hold
//! <prefix>_marks     partition -> below                  everything below is given up
//! <prefix>_barriers  slot -> passed                      rows written to confirm what was seen
//! <prefix>_format    the one format of all of them
//! ```
//!
//! Whoever may not create tables can have them created by somebody who may; the log then only
//! needs to select, insert, update and delete.

use std::sync::Arc;

use holdfast_log::LogError;
use tokio_postgres::Error;

use crate::link::{Link, Tries};
use crate::session::Session;
use crate::sql::Sql;
use crate::sqlstate::said;

/// The tables' format that this build reads and writes.
const FORMAT: i32 = 1;

/// Makes what is missing, and sees that the server puts a row only where none is (P2).
pub(crate) async fn ensure(
    link: &Link,
    sql: &Sql,
    partition: i64,
    tries: &mut Tries,
) -> Result<(), LogError> {
    loop {
        let session = link.session(tries).await?;
        match ensure_once(&session, sql, partition).await {
            Ok(found) => return found,
            // Two that open a new log at the same time disturb each other at most once.
            Err(error) if created_by_another(&error) => {}
            Err(error) => link.failed(&session, &error, tries).await?,
        }
    }
}

async fn ensure_once(
    session: &Arc<Session>,
    sql: &Sql,
    partition: i64,
) -> Result<Result<(), LogError>, Error> {
    let client = &session.client;
    let format = match client.query_opt(&sql.format(), &[]).await {
        Ok(row) => row.map_or(0, |row| row.get::<_, i32>(0)),
        Err(error) if is(&error, "42P01") => {
            match client.batch_execute(&sql.create(FORMAT)).await {
                Err(error) if is(&error, "42501") => {
                    return Ok(Err(may_not_create(session, &error)));
                }
                done => done?,
            }
            store_plainly(session, sql).await?;
            FORMAT
        }
        Err(error) => return Err(error),
    };
    if format != FORMAT {
        return Ok(Err(LogError::Refused {
            reason: format!("its tables have format {format}; this build reads {FORMAT}"),
        }));
    }
    let begin = client.prepare(&sql.begin_partition()).await?;
    client.execute(&begin, &[&partition]).await?;
    if client.execute(&begin, &[&partition]).await? != 0 {
        return Ok(Err(LogError::Refused {
            reason: format!("{} put a row where one was: it cannot hold a log", session.host),
        }));
    }
    Ok(Ok(()))
}

fn may_not_create(session: &Session, error: &Error) -> LogError {
    LogError::Refused {
        reason: format!(
            "{}: {}: the log's tables are missing and this role may not make them; let it \
             (GRANT CREATE ON SCHEMA public TO it), or open the log once as one who may, and GRANT \
             SELECT, INSERT, UPDATE, DELETE on the tables to it",
            session.host,
            said(error)
        ),
    }
}

/// An optimisation, and PostgreSQL's own: another engine need not know it.
async fn store_plainly(session: &Session, sql: &Sql) -> Result<(), Error> {
    match session.client.batch_execute(&sql.store_plainly()).await {
        Err(error) if is(&error, "42601") || is(&error, "0A000") => Ok(()),
        done => done,
    }
}

fn created_by_another(error: &Error) -> bool {
    ["23505", "42P07", "42710"].iter().any(|code| is(error, code))
}

fn is(error: &Error, code: &str) -> bool {
    error.code().is_some_and(|found| found.code() == code)
}
