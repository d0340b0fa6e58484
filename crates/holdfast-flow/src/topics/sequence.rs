//! The sequence of a partition: finding the row that holds an offset, and adding one at
//! the end.

use std::ops::RangeInclusive;

use holdfast_state::{Abort, Id, Read, Scan, StoreError, Tx, page::bad_key, table::Table as _};

use super::{
    ids::Ids,
    row::{
        HeadRow, Heads, MarkRow, Marks, MessageRow, MessagesRow, PlaceRow, Sibling, StoredMessages,
        TailRow, Tails, Topics,
    },
    trim::{Effort, Rule, SEGMENT_BYTES},
};

/// A partition of a topic that was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence<'a> {
    pub(super) topic: &'a Id,
    pub(super) partition: u16,
}

/// The tail of a topic's first partition, which also says how many there are; `None` for
/// a topic that was never created.
pub(super) fn first_tail(state: &impl Read, topic: &Id) -> Result<Option<TailRow>, Abort> {
    state.get::<Tails>((topic.as_str(), 0))
}

impl<'a> Sequence<'a> {
    pub(super) const fn new(topic: &'a Id, partition: u16) -> Self {
        Self { topic, partition }
    }

    /// Its tail, given that of the topic's first partition.
    pub(super) fn tail(self, state: &impl Read, first: TailRow) -> Result<TailRow, Abort> {
        if self.partition == 0 {
            return Ok(first);
        }
        let tail = state.get::<Tails>((self.topic.as_str(), self.partition))?;
        tail.ok_or_else(|| doubt(format!("{self:?} has no tail")))
    }

    /// Where it begins.
    pub(super) fn head(self, state: &impl Read) -> Result<HeadRow, Abort> {
        let head = state.get::<Heads>((self.topic.as_str(), self.partition))?;
        Ok(head.unwrap_or(HeadRow::WHOLE))
    }

    pub(super) fn key(self, base: u64) -> (&'a str, u16, u64) {
        (self.topic.as_str(), self.partition, base)
    }

    /// The row that holds a message that is there. There is one: offsets have no gaps.
    pub(super) fn holding(self, state: &impl Read, offset: u64) -> Result<Run, Abort> {
        let from = (self.topic.as_str(), self.partition);
        let end = self.key(offset.saturating_add(1));
        let found = state.range::<StoredMessages>(&from, &end, Scan::down(1))?;
        let found = found.into_iter().next().ok_or_else(|| self.missing(offset))?;
        let mut key = found.key();
        let base = key.str().and_then(|_| key.u16()).and_then(|_| key.u64());
        let base = base.map_err(|_| bad_key::<StoredMessages>())?;
        let run = Run { base, row: found.row };
        if run.end() > offset { Ok(run) } else { Err(self.missing(offset)) }
    }

    /// The row that begins with this message, as one does where another ends.
    pub(super) fn starting(self, state: &impl Read, base: u64) -> Result<Run, Abort> {
        match state.get::<StoredMessages>(self.key(base))? {
            Some(row) if !row.messages.is_empty() => Ok(Run { base, row }),
            Some(_) | None => Err(self.missing(base)),
        }
    }

    /// Shows the messages at these offsets, in order, for as long as `visit` wants more.
    /// All of them are there.
    pub(super) fn walk(
        self,
        state: &impl Read,
        offsets: RangeInclusive<u64>,
        mut visit: impl FnMut(&MessagesRow, Placed<'_>) -> bool,
    ) -> Result<(), Abort> {
        let (mut next, last) = offsets.into_inner();
        let mut row = None;
        while next <= last {
            // Rows lie side by side: after the first, each is known by its key.
            let here = match row {
                None => self.holding(state, next)?,
                Some(base) => self.starting(state, base)?,
            };
            for placed in here.from(next) {
                let placed = placed?;
                if placed.offset > last || !visit(&here.row, placed) {
                    return Ok(());
                }
            }
            next = here.end();
            row = Some(next);
        }
        Ok(())
    }

    fn missing(self, offset: u64) -> Abort {
        doubt(format!("no row of {} holds offset {offset} of {self:?}", StoredMessages::NAME))
    }

    /// Adds messages at the end, none of whose ids is used in the topic. Whenever the partition has grown by a
    /// segment, what is too much of it goes.
    pub(super) fn push(
        self,
        tx: &mut Tx<'_>,
        mut tail: TailRow,
        messages: Vec<MessageRow>,
        beside: Beside,
    ) -> Result<Run, Abort> {
        let Beside { siblings, schema } = beside;
        let fresh = messages.iter().any(|message| message.id.is_none()).then(|| tx.fresh_id("msg"));
        let row = MessagesRow {
            version: tx.version(),
            time: tx.now(),
            fresh,
            messages,
            siblings,
            schema,
        };
        let run = Run { base: tail.last + 1, row };
        tx.put::<StoredMessages>(self.key(run.base), &run.row)?;
        self.put_ids(tx, &run)?;
        let before = tail.bytes;
        tail.last = run.end() - 1;
        tail.bytes += run.row.bytes();
        tx.put::<Tails>((self.topic.as_str(), self.partition), &tail)?;
        if before / SEGMENT_BYTES != tail.bytes / SEGMENT_BYTES {
            let mark = MarkRow { time: run.row.time, bytes: before };
            tx.put::<Marks>(self.key(run.base), &mark)?;
            self.keep_size(tx, &tail)?;
        }
        Ok(run)
    }

    fn put_ids(self, tx: &mut Tx<'_>, run: &Run) -> Result<(), Abort> {
        if !run.row.messages.iter().any(MessageRow::is_named) {
            return Ok(());
        }
        let ids = Ids::of(tx, self.topic)?;
        for (message, offset) in run.row.messages.iter().zip(run.base..) {
            if let Some(id) = message.identity() {
                ids.put(tx, &id, &PlaceRow { offset, partition: self.partition })?;
            }
        }
        Ok(())
    }

    /// Removes what is beyond the bytes that are kept. Where there is very much of it, the
    /// next segment goes on.
    fn keep_size(self, tx: &mut Tx<'_>, tail: &TailRow) -> Result<(), Abort> {
        let row = tx.get::<Topics>(self.topic.as_str())?;
        let row = row.ok_or_else(|| doubt(format!("{self:?} has no topic")))?;
        let Some(bytes) = row.retention.bytes else { return Ok(()) };
        let rule = Rule { until: None, bytes: Some(bytes) };
        self.trim(tx, tail, rule, &mut Effort::new(SEGMENT_BYTES))
    }
}

/// What a row of messages has beside them.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// The rows of the batch, when it has several.
    pub(super) siblings: Option<Vec<Sibling>>,
    /// Number of the schema that judged.
    pub(super) schema: Option<u64>,
}

/// A row of messages and where it stands.
#[derive(Debug)]
pub(super) struct Run {
    /// Offset of its first message; `base + row.messages.len() > offset` for what was
    /// looked for.
    pub(super) base: u64,
    pub(super) row: MessagesRow,
}

/// A message in its row.
#[derive(Debug)]
pub(super) struct Placed<'r> {
    pub(super) offset: u64,
    pub(super) id: Id,
    pub(super) message: &'r MessageRow,
}

impl Run {
    /// Offset of the message after its last.
    pub(super) fn end(&self) -> u64 {
        self.base + self.row.messages.len() as u64
    }

    /// Its messages from this offset on; none when it ends before.
    pub(super) fn messages_from(&self, offset: u64) -> &[MessageRow] {
        let skipped = usize::try_from(offset.saturating_sub(self.base));
        skipped.ok().and_then(|skipped| self.row.messages.get(skipped..)).unwrap_or_default()
    }

    /// The same, each with its place and its id.
    pub(super) fn from(&self, offset: u64) -> impl Iterator<Item = Result<Placed<'_>, Abort>> {
        let messages = self.messages_from(offset);
        let first = self.row.messages.len() - messages.len();
        (first..).zip(messages).map(|(index, message)| {
            let id = self.row.id(index).ok_or_else(|| doubt("a message has no id".to_owned()))?;
            Ok(Placed { offset: self.base + index as u64, id, message })
        })
    }

    /// The message at this offset, which it holds.
    pub(super) fn at(&self, offset: u64) -> Result<Placed<'_>, Abort> {
        self.from(offset).next().unwrap_or_else(|| Err(doubt(format!("no offset {offset}"))))
    }
}

/// The rows do not fit together: the state must be rebuilt.
pub(super) fn doubt(what: String) -> Abort {
    StoreError::Doubt { what }.into()
}
