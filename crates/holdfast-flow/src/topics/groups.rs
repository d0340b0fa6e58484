//! Groups of consumers: who reads which partition, and how far they are.
//!
//! A *group* is a name under a topic. Its *members* share the topic's partitions, each of
//! which is read by one of them. A member is one for as long as it joins again before its
//! time is over. Whenever somebody comes or goes the group has a new *generation*, and
//! its partitions are dealt out anew. What is done is *committed*: a group's *committed
//! offset* in a partition says that everything up to it is done, and is where the next
//! reader goes on.
//!
//! Promises, at every version: each partition has one reader in each generation, and no
//! other can commit in it; who has left, or whose time is over, commits no more, whether
//! or not a timer has fired; generations rise; a committed offset never goes back, unless
//! somebody says so ([`seek`]), and never beyond the partition's end. A commit is an
//! operation like any other: in one transaction with what was done, it is done once.
//!
//! A group comes to be when its first member joins or somebody sets its place, and stays
//! until it is deleted. What retention removes before a group has committed it is lost to
//! the group, which is told how many messages that is.
//!
//! Left to others: reading (`topics.read`, which asks nobody), waiting for messages, and
//! what becomes of a message that cannot be dealt with (queues).
//!
//! Read in this order: [`row`], [`assignment`], [`offsets`], `standing` (a group as it
//! stands, and changing it); [`join`], [`leave`], [`commit`], [`seek`], [`delete`], [`get`], [`list`];
//! [`expire`]; [`instrument`].

pub mod assignment;
pub mod commit;
pub mod delete;
pub mod expire;
pub mod get;
pub mod instrument;
pub mod join;
pub mod leave;
pub mod list;
pub mod offsets;
pub mod row;
pub mod seek;
mod standing;
