//! Trims: the mark first, the rows after it.
//!
//! Moving the mark is one small statement that waits for the appends under way and holds up the
//! next ones for one commit. Once it is durable the trim is answered: everything below is used and
//! gone, whether or not its rows are still there. They are deleted a piece at a time, so that no
//! statement holds many locks; what a process leaves behind, the next trim takes with it.

use std::sync::Arc;

use holdfast_log::{LogError, Position};
use tokio_postgres::Error;

use crate::append::unsigned;
use crate::link::Link;
use crate::log::Shared;
use crate::session::Session;

/// How many rows one statement deletes.
const DELETED_AT_ONCE: u64 = 256;

/// Moves the mark, as [`holdfast_log::Log::trim`] promises.
pub(crate) async fn move_mark(
    shared: &Shared,
    link: &Arc<Link>,
    below: Position,
) -> Result<(), LogError> {
    let mut tries = shared.tries();
    if below.get() > shared.known().tail() {
        let tail = shared.look_for_tail(link, &mut tries).await?;
        if below > tail {
            return Err(LogError::TrimAboveTail { below, tail });
        }
    }
    loop {
        let session = link.session(&mut tries).await?;
        match move_once(shared, &session, below).await {
            Ok(()) => break,
            Err(error) => link.failed(&session, &error, &mut tries).await?,
        }
    }
    shared.known().trimmed_below(below.get());
    Ok(())
}

async fn move_once(shared: &Shared, session: &Session, below: Position) -> Result<(), Error> {
    let below = i64::try_from(below.get()).expect("the tail of a table of bigints is one");
    let _going = shared.pulse.begin();
    let statement = session.client.prepare(&shared.sql.move_mark()).await?;
    let gate = shared.gate.write().await;
    let doubts = session.doubts();
    let moved = session.client.execute(&statement, &[&shared.partition, &below]).await?;
    drop(gate);
    if moved == 0 || session.doubts() != doubts {
        // It had moved already, perhaps a moment ago and by somebody else.
        session.confirm().await?;
    }
    Ok(())
}

/// Deletes the rows below a mark that is durable. What fails is left to the next trim.
pub(crate) async fn delete_below(shared: &Shared, link: &Arc<Link>, below: Position) {
    let mut tries = shared.tries();
    let mut next = None;
    loop {
        let Ok(session) = link.session(&mut tries).await else { return };
        match delete_piece(shared, &session, next, below.get()).await {
            Ok(Some(from)) => next = Some(from),
            Ok(None) => return,
            Err(error) => {
                if link.failed(&session, &error, &mut tries).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Deletes a piece and says where the next begins; `None` if nothing is left.
async fn delete_piece(
    shared: &Shared,
    session: &Session,
    from: Option<u64>,
    below: u64,
) -> Result<Option<u64>, Error> {
    let partition = shared.partition;
    let _going = shared.pulse.begin();
    let from = match from {
        Some(from) => from,
        None => {
            let lowest = session.client.query_one(&shared.sql.lowest(), &[&partition]).await?;
            lowest.get::<_, Option<i64>>(0).map_or(below, unsigned)
        }
    };
    if from >= below {
        return Ok(None);
    }
    let to = below.min(from.saturating_add(DELETED_AT_ONCE));
    let [low, high] = [from, to].map(|at| i64::try_from(at).expect("below the tail of bigints"));
    session.client.execute(&shared.sql.delete(), &[&partition, &low, &high]).await?;
    Ok(Some(to))
}
