//! A queue as it stands, and what changes its deliveries and dead letters.
//!
//! A delivery's row and the row that says when it comes into sight are written here and
//! nowhere else, so that there is one where there is the other.

use holdfast_state::{
    Abort, Id, LogTime, Metadata, Read, Scan, Tx, Version, key::BadKey, page::bad_key,
    unknown::Unknown,
};

use super::{
    receipt::LetterId,
    row::{
        DeadLetters, Deliveries, DeliveryRow, Due, LetterRow, QueueRow, Queues, Reason, Redriven,
        StandingRow, Standings,
    },
};
use crate::topics::{
    read::Message,
    row::MessageRow,
    sequence::{Sequence, doubt, first_tail},
};

/// A queue's name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) topic: &'a Id,
    pub(super) queue: &'a Id,
}

impl<'a> Name<'a> {
    fn key(self) -> (&'a str, &'a str) {
        (self.topic.as_str(), self.queue.as_str())
    }

    pub(super) fn settings(self, state: &impl Read) -> Result<Option<QueueRow>, Abort> {
        state.get::<Queues>(self.key())
    }

    /// How far a queue is that was created.
    pub(super) fn standing(self, state: &impl Read) -> Result<StandingRow, Abort> {
        let row = state.get::<Standings>(self.key())?;
        row.ok_or_else(|| doubt(format!("{self:?} has no standing")))
    }

    pub(super) fn put_standing(self, tx: &mut Tx<'_>, row: &StandingRow) -> Result<(), Abort> {
        tx.put::<Standings>(self.key(), row)
    }

    pub(super) fn delivery(
        self,
        state: &impl Read,
        number: u64,
    ) -> Result<Option<DeliveryRow>, Abort> {
        let (topic, queue) = self.key();
        state.get::<Deliveries>((topic, queue, number))
    }

    /// Writes a delivery that there is not yet.
    pub(super) fn put_delivery(
        self,
        tx: &mut Tx<'_>,
        number: u64,
        row: &DeliveryRow,
    ) -> Result<(), Abort> {
        let (topic, queue) = self.key();
        tx.put::<Deliveries>((topic, queue, number), row)?;
        tx.put::<Due>((topic, queue, row.until, number), &())
    }

    /// Writes what is left of a delivery, which is nothing if all of it is settled.
    pub(super) fn keep_delivery(
        self,
        tx: &mut Tx<'_>,
        number: u64,
        row: &DeliveryRow,
    ) -> Result<(), Abort> {
        if row.span.open() == 0 {
            return self.drop_delivery(tx, number, row);
        }
        let (topic, queue) = self.key();
        tx.put::<Deliveries>((topic, queue, number), row)
    }

    pub(super) fn drop_delivery(
        self,
        tx: &mut Tx<'_>,
        number: u64,
        row: &DeliveryRow,
    ) -> Result<(), Abort> {
        let (topic, queue) = self.key();
        tx.delete::<Deliveries>((topic, queue, number))?;
        tx.delete::<Due>((topic, queue, row.until, number))
    }

    /// The delivery that comes into sight first, if one does by then: when, and its number.
    pub(super) fn first_due(
        self,
        state: &impl Read,
        standing: &StandingRow,
        by: LogTime,
    ) -> Result<Option<(LogTime, u64)>, Abort> {
        let (topic, queue) = self.key();
        let (from, to) = ((topic, queue, standing.due_from), (topic, queue, by.plus_us(1)));
        let found = state.range::<Due>(&from, &to, Scan::up(1))?;
        let Some(found) = found.into_iter().next() else { return Ok(None) };
        let mut key = found.key();
        let mut parts = || -> Result<_, BadKey> {
            key.str()?;
            key.str()?;
            Ok((LogTime::from_us(key.u64()?), key.u64()?))
        };
        parts().map(Some).map_err(|BadKey| bad_key::<Due>())
    }

    /// When the first message may be given out that never was: at once, or when its delay
    /// is over; `None` where none waits.
    pub(super) fn first_ready(
        self,
        state: &impl Read,
        settings: &QueueRow,
        standing: &StandingRow,
    ) -> Result<Option<LogTime>, Abort> {
        let first = first_tail(state, self.topic)?;
        let first = first.ok_or_else(|| doubt(format!("{self:?} has no topic")))?;
        let mut ready: Option<LogTime> = None;
        for (partition, cursor) in first.partitions.all().zip(&standing.cursors) {
            let sequence = Sequence::new(self.topic, partition);
            let next = sequence.head(state)?.first.max(cursor + 1);
            if sequence.tail(state, first.clone())?.last < next {
                continue;
            }
            let Some(delay) = settings.delay else { return Ok(Some(LogTime::ZERO)) };
            let time = sequence.holding(state, next)?.row.time.plus_us(delay.0.as_us());
            ready = Some(ready.map_or(time, |ready| ready.min(time)));
        }
        Ok(ready)
    }

    /// Settles what retention removed of a delivery, and says how many that is. What was
    /// redriven lies with the queue and is not removed.
    pub(super) fn settle_removed(
        self,
        state: &impl Read,
        row: &mut DeliveryRow,
    ) -> Result<u64, Abort> {
        if row.redriven {
            return Ok(0);
        }
        let first = Sequence::new(self.topic, row.partition).head(state)?.first;
        let removed: Vec<_> = row.span.offsets().take_while(|offset| *offset < first).collect();
        for offset in &removed {
            row.span.settle(*offset);
        }
        Ok(removed.len() as u64)
    }

    /// The messages of a delivery that are not settled, of which none was removed.
    pub(super) fn messages(
        self,
        state: &impl Read,
        row: &DeliveryRow,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Result<Vec<Message>, Abort> {
        let mut messages = Vec::new();
        if row.redriven {
            for offset in row.span.offsets() {
                let message = self.redriven(state, row.partition, offset)?.shown(offset);
                if !wanted(&message) {
                    break;
                }
                messages.push(message);
            }
            return Ok(messages);
        }
        let Some(first) = row.span.offsets().next() else { return Ok(messages) };
        let sequence = Sequence::new(self.topic, row.partition);
        sequence.walk(state, first..=row.span.last(), |stored, placed| {
            if !row.span.holds(placed.offset) {
                return true;
            }
            let message = Message::of(stored, placed);
            let goes_on = wanted(&message);
            if goes_on {
                messages.push(message);
            }
            goes_on
        })?;
        Ok(messages)
    }

    fn redriven(self, state: &impl Read, partition: u16, offset: u64) -> Result<LetterRow, Abort> {
        let (topic, queue) = self.key();
        let row = state.get::<Redriven>((topic, queue, (partition, offset)))?;
        row.ok_or_else(|| doubt(format!("{self:?} has not what {partition}-{offset} says")))
    }

    /// A redriven message is done, or dead again.
    pub(super) fn drop_redriven(self, tx: &mut Tx<'_>, id: LetterId) -> Result<(), Abort> {
        let (topic, queue) = self.key();
        tx.delete::<Redriven>((topic, queue, (id.partition, id.offset)))
    }

    pub(super) fn put_redriven(
        self,
        tx: &mut Tx<'_>,
        id: LetterId,
        row: &LetterRow,
    ) -> Result<(), Abort> {
        let (topic, queue) = self.key();
        tx.put::<Redriven>((topic, queue, (id.partition, id.offset)), row)
    }

    pub(super) fn letter(
        self,
        state: &impl Read,
        id: LetterId,
    ) -> Result<Option<LetterRow>, Abort> {
        let (topic, queue) = self.key();
        state.get::<DeadLetters>((topic, queue, (id.partition, id.offset)))
    }

    pub(super) fn put_letter(
        self,
        tx: &mut Tx<'_>,
        id: LetterId,
        row: &LetterRow,
    ) -> Result<(), Abort> {
        let (topic, queue) = self.key();
        tx.put::<DeadLetters>((topic, queue, (id.partition, id.offset)), row)
    }

    pub(super) fn drop_letter(self, tx: &mut Tx<'_>, id: LetterId) -> Result<(), Abort> {
        let (topic, queue) = self.key();
        tx.delete::<DeadLetters>((topic, queue, (id.partition, id.offset)))
    }

    /// All dead letters go: one fact, whatever their number.
    pub(super) fn drop_letters(self, tx: &mut Tx<'_>) -> Result<(), Abort> {
        tx.delete_prefix::<DeadLetters>(&self.key())
    }

    /// Messages of a delivery become dead letters. The delivery is the caller's to change.
    pub(super) fn bury(
        self,
        tx: &mut Tx<'_>,
        row: &DeliveryRow,
        messages: Vec<Message>,
        (reason, note): (Reason, Option<&Metadata>),
    ) -> Result<(), Abort> {
        for message in messages {
            let id = LetterId { partition: row.partition, offset: message.offset };
            let mut letter = if row.redriven {
                let letter = self.redriven(tx, id.partition, id.offset)?;
                self.drop_redriven(tx, id)?;
                letter
            } else {
                LetterRow::of(message, reason, tx.now())
            };
            letter.reason = reason;
            letter.note = note.cloned();
            letter.died_at = tx.now();
            letter.attempts += u64::from(row.attempt);
            self.put_letter(tx, id, &letter)?;
        }
        Ok(())
    }
}

impl LetterRow {
    /// A message that dies for the first time.
    fn of(message: Message, reason: Reason, died_at: LogTime) -> Self {
        let Message { id, key, r#type, time, version, data, event, schema: _, offset: _ } = message;
        Self {
            message: MessageRow { r#type, data, key, id: Some(id), event },
            time,
            version: Version::new(version),
            reason,
            attempts: 0,
            died_at,
            note: None,
            edited_at: None,
            redriven: 0,
            unknown: Unknown::default(),
        }
    }

    /// The message as it is given out.
    pub(super) fn shown(&self, offset: u64) -> Message {
        let MessageRow { r#type, data, key, id, event } = self.message.clone();
        Message {
            offset,
            id: id.expect("a dead letter is written with its message's id"),
            key,
            r#type,
            time: self.time,
            version: self.version.get(),
            data,
            schema: None,
            event,
        }
    }
}
