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
//! and never moves; what [`retention`] removes is the oldest of a partition, and nobody who
//! asks for it is told that it never was; messages lie in the order of their transactions' versions, within one
//! in the order asked; messages of one key lie in one partition; an id that callers give
//! is used once in its topic.
//!
//! Left to others: what data means (callers), idempotency keys and answers (engine).
//!
//! Read in this order: [`data`], [`key`], [`events`], [`messages`], [`partition`] (values);
//! [`retention`]; `refusals`; [`row`] (what is stored), `ids`, `sequence` (finding and
//! adding messages), `trim` (removing them), [`mod@sweep`] (in time);
//! [`create`], [`update`], [`delete`], [`get`], [`list`]; [`mod@append`], [`append_batch`],
//! [`read`]; [`schemas`], [`groups`], [`queues`]; `instruments`.

pub mod append;
pub mod append_batch;
pub mod create;
pub mod data;
pub mod delete;
pub mod events;
mod floor;
pub mod get;
pub mod groups;
mod ids;
mod instruments;
pub mod key;
pub mod list;
pub mod messages;
pub mod partition;
pub mod queues;
pub mod read;
mod refusals;
pub mod retention;
pub mod row;
pub mod schemas;
mod sequence;
pub mod sweep;
mod trim;
pub mod update;

use holdfast_state::{
    Abort, TableId, TimerHandler, Tx,
    command::Entry,
    key::{Key, after_prefix},
    table::{Read as _, Table as _, stored_key},
};

pub use append::{AppendRefusal, AppendSpec, append};
pub use data::Data;
pub use events::{Event, attribute::MessageType};
pub use get::Topic;
pub use instruments::INSTRUMENTS;
pub use key::MessageKey;
pub use messages::{Messages, NewMessage};
pub use partition::Partitions;
pub use retention::Retention;

/// Everything that can be asked of topics.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<create::CreateTopic>(),
    Entry::write::<update::UpdateTopic>(),
    Entry::write::<delete::DeleteTopic>(),
    Entry::query::<get::GetTopic>(),
    Entry::query::<list::ListTopics>(),
    Entry::write::<append::Append>(),
    Entry::write::<append_batch::AppendBatch>(),
    Entry::tailed::<read::ReadMessages>(),
    Entry::write::<schemas::register::RegisterSchema>(),
    Entry::write::<schemas::configure::ConfigureSchemas>(),
    Entry::write::<schemas::delete::DeleteSchema>(),
    Entry::query::<schemas::get::GetSchema>(),
    Entry::query::<schemas::list::ListSchemas>(),
    Entry::write::<groups::join::JoinGroup>(),
    Entry::write::<groups::leave::LeaveGroup>(),
    Entry::write::<groups::commit::CommitOffsets>(),
    Entry::write::<groups::seek::SeekGroup>(),
    Entry::write::<groups::delete::DeleteGroup>(),
    Entry::query::<groups::get::GetGroup>(),
    Entry::query::<groups::list::ListGroups>(),
    Entry::write::<queues::create::CreateQueue>(),
    Entry::write::<queues::delete::DeleteQueue>(),
    Entry::query::<queues::get::GetQueue>(),
    Entry::query::<queues::list::ListQueues>(),
    Entry::awaited::<queues::receive::ReceiveMessages>(),
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
pub const TIMERS: &[(&str, TimerHandler)] =
    &[(groups::expire::EXPIRE, groups::expire::expire), (sweep::SWEEP, sweep::sweep)];

/// The tables of topics: number and name. Numbers `0x0300..=0x03ff` are this crate's. Every
/// key that has parts begins with a topic's id: deleting a topic rests on it.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Topics::ID, row::Topics::NAME),
    (row::Tails::ID, row::Tails::NAME),
    (row::StoredMessages::ID, row::StoredMessages::NAME),
    (row::MessageIds::ID, row::MessageIds::NAME),
    (row::Heads::ID, row::Heads::NAME),
    (row::Marks::ID, row::Marks::NAME),
    (row::IdBuckets::ID, row::IdBuckets::NAME),
    (row::Floors::ID, row::Floors::NAME),
    (schemas::row::Schemas::ID, schemas::row::Schemas::NAME),
    (schemas::row::Judging::ID, schemas::row::Judging::NAME),
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

/// Removes all rows of these tables whose keys begin so: a fact for each table.
fn delete_all(tx: &mut Tx<'_>, tables: &[TableId], prefix: &impl Key) -> Result<(), Abort> {
    for table in tables {
        let from = stored_key(tx.namespace(), *table, prefix);
        let to = after_prefix(&from).expect("a stored key begins with a table number, not all FF");
        tx.delete_range_stored(&from, &to)?;
    }
    Ok(())
}
