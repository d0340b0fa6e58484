//! Topics: messages in order, appended in a transaction and read from any place.
//!
//! A topic has one *partition* or several; messages of one key share one. A *message* has
//! a place in its partition, its *offset*: 1, 2, 3 … without gaps. It is appended in the
//! transaction that it tells of, so it is there exactly if the rest is: no outbox, no
//! message about what did not happen. Its fields are those of a CloudEvent where
//! CloudEvents 1.0 has one. Consumers read from any offset on, alone or shared out in
//! [`groups`], or are given messages one by one by [`queues`].
//!
//! Promises, at every version: offsets of a partition are dense; a message never changes
//! and never moves; messages lie in the order of their transactions' versions, within one
//! in the order asked; messages of one key lie in one partition; an id that callers give
//! is used once in its topic.
//!
//! Left to others: what data means (callers), idempotency keys and answers (engine).
//!
//! Read in this order: [`data`], [`key`], [`messages`], [`partition`] (values);
//! `refusals`; [`row`] (what is stored), `sequence` (finding and adding messages);
//! [`create`], [`get`], [`list`]; [`mod@append`], [`append_batch`], [`read`]; [`groups`],
//! [`queues`].

pub mod append;
pub mod append_batch;
pub mod create;
pub mod data;
pub mod get;
pub mod groups;
pub mod key;
pub mod list;
pub mod messages;
pub mod partition;
pub mod queues;
pub mod read;
mod refusals;
pub mod row;
mod sequence;

use holdfast_state::{TableId, TimerHandler, command::Entry, table::Table as _};

pub use append::{AppendRefusal, AppendSpec, append};
pub use data::Data;
pub use get::Topic;
pub use key::MessageKey;
pub use messages::{Messages, NewMessage};
pub use partition::Partitions;

/// Everything that can be asked of topics.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<create::CreateTopic>(),
    Entry::query::<get::GetTopic>(),
    Entry::query::<list::ListTopics>(),
    Entry::write::<append::Append>(),
    Entry::write::<append_batch::AppendBatch>(),
    Entry::query::<read::ReadMessages>(),
    Entry::write::<groups::join::JoinGroup>(),
    Entry::write::<groups::leave::LeaveGroup>(),
    Entry::write::<groups::commit::CommitOffsets>(),
    Entry::write::<groups::seek::SeekGroup>(),
    Entry::query::<groups::get::GetGroup>(),
    Entry::query::<groups::list::ListGroups>(),
    Entry::write::<queues::create::CreateQueue>(),
    Entry::query::<queues::get::GetQueue>(),
    Entry::query::<queues::list::ListQueues>(),
    Entry::write::<queues::receive::ReceiveMessages>(),
    Entry::write::<queues::ack::AckMessages>(),
    Entry::write::<queues::nack::NackMessages>(),
    Entry::write::<queues::extend::ExtendMessages>(),
    Entry::write::<queues::reject::RejectMessages>(),
    Entry::query::<queues::letters::ListDeadLetters>(),
    Entry::query::<queues::letter::GetDeadLetter>(),
    Entry::write::<queues::edit::EditDeadLetter>(),
    Entry::write::<queues::redrive::RedriveDeadLetters>(),
    Entry::write::<queues::purge::PurgeDeadLetters>(),
];

/// The timers of topics: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] = &[(groups::expire::EXPIRE, groups::expire::expire)];

/// The tables of topics: number and name. Numbers `0x0300..=0x03ff` are this crate's.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Topics::ID, row::Topics::NAME),
    (row::Tails::ID, row::Tails::NAME),
    (row::StoredMessages::ID, row::StoredMessages::NAME),
    (row::MessageIds::ID, row::MessageIds::NAME),
    (groups::row::Groups::ID, groups::row::Groups::NAME),
    (groups::row::Members::ID, groups::row::Members::NAME),
    (groups::row::Offsets::ID, groups::row::Offsets::NAME),
    (queues::row::Queues::ID, queues::row::Queues::NAME),
    (queues::row::Standings::ID, queues::row::Standings::NAME),
    (queues::row::Deliveries::ID, queues::row::Deliveries::NAME),
    (queues::row::Due::ID, queues::row::Due::NAME),
    (queues::row::DeadLetters::ID, queues::row::DeadLetters::NAME),
    (queues::row::Redriven::ID, queues::row::Redriven::NAME),
];
