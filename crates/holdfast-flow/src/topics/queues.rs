//! Queues: messages of a topic given out to whoever asks, each until it is done.
//!
//! A *queue* is a name under a topic, with the time that a message stays out of others'
//! sight once it is given out (its *visibility*), how often it may be given out, and how
//! long it waits before the first time. Receiving gives out messages of all partitions, no
//! order promised. What is given out in one step from one partition is a *delivery*, one
//! row whatever it holds; each message of it comes with a *receipt* that names it. A
//! receipt is good once: its message is *acknowledged* and done, *given back*, or
//! *rejected*. A message whose time has run out is given out again, in another delivery,
//! whereupon the receipt of the one before is *stale*. A message that was given out as
//! often as may be, or was rejected, becomes a *dead letter*, with a copy of what it said,
//! and is looked at, edited, *redriven* into the queue, or purged by people.
//!
//! Promises, at every version: each message of the topic from where the queue begins on is
//! in one of four places, and in one only: not given out yet, out (or waiting to be given
//! out again), a dead letter, or done; but what retention removes before it is done is lost,
//! and counted. Dead letters are copies and stay. An acknowledgement counts only with the receipt of
//! the last delivery. A message is not given out while it is out of sight. A dead letter
//! is redriven once, for each time it died.
//!
//! Nothing here has a timer: whoever receives looks first for what has come into sight
//! again. So a message that was given out as often as may be is a dead letter when somebody
//! next asks the queue.
//!
//! Left to others: order by key (groups), waiting for messages (the edge, by [`receive`]'s word).
//!
//! Read in this order: [`span`], [`receipt`], [`row`], [`settings`]; `standing` (finding
//! and changing what is stored), [`settling`] (what a receipt does); [`create`],
//! [`delete`], [`get`], [`list`]; [`receive`], [`ack`], [`nack`], [`extend`], [`reject`]; [`letters`], then
//! [`letter`], [`edit`], [`redrive`], [`purge`]; [`instrument`].

pub mod ack;
pub mod create;
pub mod delete;
pub mod edit;
pub mod extend;
pub mod get;
pub mod instrument;
pub mod letter;
pub mod letters;
pub mod list;
pub mod nack;
pub mod purge;
pub mod receipt;
pub mod receive;
pub mod redrive;
pub mod reject;
pub mod row;
pub mod settings;
pub mod settling;
pub mod span;
mod standing;
