//! A topic's sequence: finding the row that holds an offset, and adding one at the end.

use holdfast_state::{Abort, Id, Read, Scan, StoreError, Tx, page::bad_key, table::Table as _};

use super::row::{MessageIds, MessageRow, MessagesRow, PlaceRow, StoredMessages, TailRow, Tails};

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
    /// The row that holds a message of the topic. There is one: offsets have no gaps.
    pub(super) fn holding(state: &impl Read, topic: &Id, offset: u64) -> Result<Self, Abort> {
        let topic = topic.as_str();
        let end = offset.saturating_add(1);
        let found = state.range::<StoredMessages>(&(topic,), &(topic, end), Scan::down(1))?;
        let found = found.into_iter().next().ok_or_else(|| missing(topic, offset))?;
        let mut key = found.key();
        let base = key.str().and_then(|_| key.u64()).map_err(|_| bad_key::<StoredMessages>())?;
        let run = Self { base, row: found.row };
        if run.end() > offset { Ok(run) } else { Err(missing(topic, offset)) }
    }

    /// The row that begins with this message, as one does where another ends.
    pub(super) fn starting(state: &impl Read, topic: &Id, base: u64) -> Result<Self, Abort> {
        let row = state.get::<StoredMessages>((topic.as_str(), base))?;
        match row {
            Some(row) if !row.messages.is_empty() => Ok(Self { base, row }),
            Some(_) | None => Err(missing(topic.as_str(), base)),
        }
    }

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

/// The tail of a topic that was created.
pub(super) fn tail_of(state: &impl Read, topic: &Id) -> Result<TailRow, Abort> {
    let tail = state.get::<Tails>(topic.as_str())?;
    tail.ok_or_else(|| doubt(format!("topic {topic} has no tail")))
}

/// Where the message is whose id the caller gave, if there is one.
pub(super) fn place_of(state: &impl Read, topic: &Id, id: &Id) -> Result<Option<u64>, Abort> {
    let place = state.get::<MessageIds>((topic.as_str(), id.as_str()))?;
    Ok(place.map(|place| place.offset))
}

fn missing(topic: &str, offset: u64) -> Abort {
    doubt(format!("no row of {} holds offset {offset} of topic {topic}", StoredMessages::NAME))
}

fn doubt(what: String) -> Abort {
    StoreError::Doubt { what }.into()
}

/// Adds messages at the end of a topic, none of whose ids is used in it.
pub(super) fn push(
    tx: &mut Tx<'_>,
    topic: &Id,
    mut tail: TailRow,
    messages: Vec<MessageRow>,
) -> Result<Run, Abort> {
    let fresh = messages.iter().any(|message| message.id.is_none()).then(|| tx.fresh_id("msg"));
    let row = MessagesRow { version: tx.version(), time: tx.now(), fresh, messages };
    let run = Run { base: tail.last + 1, row };
    tx.put::<StoredMessages>((topic.as_str(), run.base), &run.row)?;
    for (message, offset) in run.row.messages.iter().zip(run.base..) {
        if let Some(id) = &message.id {
            tx.put::<MessageIds>((topic.as_str(), id.as_str()), &PlaceRow { offset })?;
        }
    }
    tail.last = run.end() - 1;
    tx.put::<Tails>(topic.as_str(), &tail)?;
    Ok(run)
}
