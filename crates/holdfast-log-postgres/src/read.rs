//! Reads: consecutive positions in order, in pieces that fit into memory.
//!
//! A server shows rows that it could still lose: after a crash it has replayed what its standbys
//! never got, and a commit whose wait for them was given up is visible at once. And it may no longer
//! be the server that the log is on: cut off, it shows a hole that was filled elsewhere. So what a
//! read shows of positions that are not known to be durable, *and a hole*, is confirmed by a barrier
//! on the same session before it is answered: a synchronous write that began after the look. A server
//! that others were promoted over cannot do it, where commits wait for its standbys; so an empty read
//! proves that nothing was acknowledged there before it began. Whoever looks at the log's end pays one
//! small synchronous write, sent behind the look and not after its answer.

use std::sync::Arc;

use bytes::Bytes;
use holdfast_log::{LogError, Position, Read};
use tokio_postgres::types::ToSql;
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

/// What comes after the entries of a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// More, it may be.
    Open,
    /// As much as was asked for is there.
    Full,
    Hole,
    Trimmed,
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
    /// Reads one piece, and takes it only when it is confirmed: sent together, on one connection, the
    /// barrier is done after the look.
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
        let asked: [&(dyn ToSql + Sync); 4] = [&shared.partition, &from, &to, &bytes_max];
        let look = session.client.query(statement, &asked);
        // Whatever is there, a look at the end of what is known wants a barrier.
        let at_the_end = self.next >= shared.known().tail();
        let rows = if at_the_end {
            let (rows, confirmed) = tokio::join!(look, session.confirm());
            confirmed?;
            rows?
        } else {
            look.await?
        };
        let mark = rows.first().map_or(1, |row| unsigned(row.get(0)));
        let (entries, end) = self.measure(mark, &rows, bytes);
        let wanted = end == End::Hole || !self.is_known(shared, mark, &rows);
        if wanted && !at_the_end {
            session.confirm().await?;
        }
        if wanted || at_the_end {
            let mut known = shared.known();
            known.trimmed_below(mark);
            rows.iter().filter_map(position_of).for_each(|position| known.used(position));
        }
        Ok(self.take(&rows[..entries], end))
    }

    /// Whether nothing that these rows show is news.
    fn is_known(&self, shared: &Shared, mark: u64, rows: &[Row]) -> bool {
        let known = shared.known();
        (mark <= known.mark() || mark <= self.next)
            && rows.iter().filter_map(position_of).all(|position| known.is_used(position))
    }

    /// How many of the rows follow each other from where the piece begins, and what comes then.
    fn measure(&self, mark: u64, rows: &[Row], bytes: usize) -> (usize, End) {
        if self.next < mark {
            return (0, End::Trimmed);
        }
        let (mut taken, mut entries) = (0, 0);
        for (row, position) in rows.iter().zip(self.next..) {
            if position_of(row) != Some(position) {
                break;
            }
            taken += row.get::<_, &[u8]>(2).len();
            entries += 1;
            if taken >= self.bytes_left {
                return (entries, End::Full);
            }
        }
        let goes_on = taken >= bytes || entries as u64 == PIECE_ROWS_MAX;
        (entries, if goes_on { End::Open } else { End::Hole })
    }

    fn take(&mut self, rows: &[Row], end: End) -> Piece {
        for row in rows {
            let entry = Bytes::from(row.get::<_, Vec<u8>>(2));
            self.bytes_left = self.bytes_left.saturating_sub(entry.len());
            self.next += 1;
            self.found.push(Read::Entry(entry));
        }
        match end {
            End::Open => return Piece::GoOn,
            End::Full => {}
            End::Hole => self.found.push(Read::Empty),
            End::Trimmed => self.found.push(Read::Trimmed),
        }
        Piece::Ended
    }
}

fn position_of(row: &Row) -> Option<u64> {
    row.get::<_, Option<i64>>(1).map(unsigned)
}
