//! Reads: consecutive positions in order, in pieces that fit into memory.
//!
//! A server shows rows that it could still lose: after a crash it has replayed what its standbys
//! never got, and a commit whose wait for them was given up is visible at once. So what a read
//! shows of positions that are not known to be durable is confirmed by a barrier on the same
//! session before it is answered. A follower pays one small synchronous write for each look that
//! finds something new; the leader, whose own appends confirmed it, pays nothing.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_log::{LogError, Position, Read};
use tokio_postgres::{Error, Row};

use crate::append::unsigned;
use crate::link::Link;
use crate::log::Shared;
use crate::session::Session;

/// A piece has at most this many entries.
const PIECE_ROWS_MAX: u64 = 512;

/// A piece ends with the entry that brings it to this many bytes.
const PIECE_BYTES_MAX: usize = 8 << 20;

/// A read under way.
struct Reading {
    found: Vec<Read>,
    next: u64,
    /// How many bytes may follow; the entry that uses them up is the last.
    bytes_left: usize,
}

/// Whether a read has found its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    GoOn,
    Ended,
}

/// Reads from a position on, as [`holdfast_log::Log::read`] promises.
pub(crate) async fn read(
    shared: &Shared,
    link: &Arc<Link>,
    from: Position,
    max_bytes: usize,
) -> Result<Vec<Read>, LogError> {
    let mut tries = shared.tries();
    let mut reading = Reading { found: Vec::new(), next: from.get(), bytes_left: max_bytes };
    let heard = shared.heard.count();
    loop {
        let session = link.session(&mut tries).await?;
        match reading.piece(shared, &session).await {
            Ok(Piece::GoOn) => {}
            Ok(Piece::Ended) => break,
            Err(error) => link.failed(&session, &error, &mut tries).await?,
        }
    }
    if reading.found.last() == Some(&Read::Empty) {
        shared.heard.found_empty(reading.next, heard);
    }
    Ok(reading.found)
}

impl Reading {
    /// Reads one piece, and takes it only when it is confirmed.
    async fn piece(&mut self, shared: &Shared, session: &Session) -> Result<Piece, Error> {
        let (Ok(from), Ok(to)) =
            (i64::try_from(self.next), i64::try_from(self.next.saturating_add(PIECE_ROWS_MAX)))
        else {
            // No row can be there.
            self.found.push(Read::Empty);
            return Ok(Piece::Ended);
        };
        let bytes = self.bytes_left.clamp(1, PIECE_BYTES_MAX);
        let bytes_max = i64::try_from(bytes).expect("a piece is a few MiB");
        let _going = shared.pulse.begin();
        let statement = &session.statements().await?.read;
        let partition = &shared.partition;
        let rows = session.client.query(statement, &[partition, &from, &to, &bytes_max]).await?;
        let mark = rows.first().map_or(1, |row| unsigned(row.get(0)));
        self.confirm(shared, session, mark, &rows).await?;
        Ok(self.take(mark, &rows, bytes))
    }

    async fn confirm(
        &self,
        shared: &Shared,
        session: &Session,
        mark: u64,
        rows: &[Row],
    ) -> Result<(), Error> {
        let positions = || rows.iter().filter_map(position_of);
        let known = {
            let known = shared.known();
            (mark <= known.mark() || mark <= self.next)
                && positions().all(|position| known.is_used(position))
        };
        if !known {
            session.confirm().await?;
            let mut known = shared.known();
            known.trimmed_below(mark);
            positions().for_each(|position| known.used(position));
        }
        Ok(())
    }

    fn take(&mut self, mark: u64, rows: &[Row], bytes: usize) -> Piece {
        if self.next < mark {
            self.found.push(Read::Trimmed);
            return Piece::Ended;
        }
        let (mut taken, mut entries) = (0, 0);
        for row in rows {
            if position_of(row) != Some(self.next) {
                break;
            }
            let entry = Bytes::from(row.get::<_, Vec<u8>>(2));
            taken += entry.len();
            entries += 1;
            self.next += 1;
            self.bytes_left = self.bytes_left.saturating_sub(entry.len());
            self.found.push(Read::Entry(entry));
            if self.bytes_left == 0 {
                return Piece::Ended;
            }
        }
        if taken >= bytes || entries == PIECE_ROWS_MAX {
            return Piece::GoOn;
        }
        self.found.push(Read::Empty);
        Piece::Ended
    }
}

fn position_of(row: &Row) -> Option<u64> {
    row.get::<_, Option<i64>>(1).map(unsigned)
}
