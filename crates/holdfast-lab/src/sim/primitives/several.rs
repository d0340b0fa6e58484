//! Transactions of which each operation is for itself, of several primitives, as clients run
//! them.
//!
//! What stands beside each other is what can: of leases and sessions one, since a lease is
//! granted once in a transaction, and of queues one, since which messages died by an operation
//! is seen behind the transaction. What lists much stays out; so does what deletes.

use super::{Command, Menu, Mind};
use crate::random::Random;

/// Commands that may be operations.
const OPERATIONS: &[&str] = &[
    "documents.put",
    "documents.patch",
    "documents.delete",
    "documents.get",
    "leases.acquire",
    "leases.renew",
    "leases.release",
    "leases.guard",
    "leases.get",
    "sessions.renew",
    "limits.check",
    "limits.take",
    "limits.release",
    "limits.renew",
    "limits.slice",
    "limits.status",
    "topics.append",
    "topics.append_batch",
    "groups.join",
    "groups.commit",
    "groups.seek",
    "queues.receive",
    "queues.ack",
    "queues.nack",
    "queues.reject",
    "queues.edit",
];

/// Families of which one operation may stand in a transaction.
const ALONE: &[&str] = &["queues", "leases", "sessions"];

/// Draws so many times for an operation, at most.
const TRIES: u64 = 8;

/// Some operations, one after the other; `None` when too few were drawn that may be.
pub(super) fn draw(random: &mut Random, mind: &Mind, menu: &Menu) -> Option<Command> {
    let mut operations: Vec<Command> = Vec::new();
    for _ in 0..2 + random.below(TRIES - 1) {
        let command = menu.one(random, mind);
        let alone = ALONE.contains(&family(command.name));
        // A session's end passes leases on.
        let taken =
            |other: &Command| held_apart(family(other.name)) == held_apart(family(command.name));
        if !OPERATIONS.contains(&command.name) || (alone && operations.iter().any(taken)) {
            continue;
        }
        operations.push(command);
    }
    (operations.len() > 1).then(|| Command::each(&operations))
}

/// The primitive of a command.
fn family(name: &str) -> &str {
    name.split_once('.').map_or(name, |(family, _)| family)
}

/// Sessions and leases are one family.
fn held_apart(family: &str) -> &str {
    if family == "sessions" { "leases" } else { family }
}
