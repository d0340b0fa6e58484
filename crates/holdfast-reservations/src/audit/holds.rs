//! What a hold may look like, and how it may change.

use holdfast_state::LogTime;

use crate::row::{HoldRow, Stamp, Status};

/// What is wrong with a hold that stands alone.
pub(super) fn malformed(row: &HoldRow) -> Option<&'static str> {
    let stamps = (row.confirmed.is_some(), row.ended.is_some());
    let expected = match row.status {
        Status::Held => (false, false),
        Status::Confirmed => (true, false),
        Status::Released | Status::Expired => (false, true),
        Status::Cancelled => (true, true),
    };
    let at = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.time);
    let end = at(row.confirmed).or(at(row.ended));
    let in_time = |end: LogTime| row.expires_at.is_none_or(|expires_at| end < expires_at);
    match () {
        () if stamps != expected => Some("status"),
        () if row.expires_at != row.timer.map(|timer| timer.due) => Some("timer"),
        () if row.expires_at.is_some_and(|at| at <= row.made.time) => Some("expires_at"),
        // What expired ended after its end, everything else before.
        () if end.is_some_and(|end| in_time(end) == (row.status == Status::Expired)) => Some("end"),
        () => None,
    }
}

/// The stamp of what happened to a hold last, extending and moving apart.
pub(super) fn last_stamp(row: &HoldRow) -> Stamp {
    row.ended.or(row.confirmed).unwrap_or(row.made)
}

/// What differs between a hold and what it became that must not.
pub(super) fn changed(before: &HoldRow, after: &HoldRow) -> Option<&'static str> {
    let step = (before.status, after.status);
    let allowed = match step {
        (Status::Held, Status::Held) => HoldRow {
            resource: after.resource.clone(),
            nights: after.nights,
            quantity: after.quantity,
            price: after.price,
            expires_at: before.expires_at.max(after.expires_at),
            timer: if after.expires_at == before.expires_at { before.timer } else { after.timer },
            asked: after.asked.clone(),
            ..before.clone()
        },
        (Status::Confirmed, Status::Confirmed) => HoldRow {
            resource: after.resource.clone(),
            nights: after.nights,
            quantity: after.quantity,
            price: after.price,
            asked: after.asked.clone(),
            ..before.clone()
        },
        (Status::Held, Status::Confirmed) => {
            HoldRow { confirmed: after.confirmed, ..before.clone() }
        }
        (Status::Held, Status::Released | Status::Expired)
        | (Status::Confirmed, Status::Cancelled) => {
            HoldRow { ended: after.ended, ..before.clone() }
        }
        _ => return Some("status"),
    };
    let allowed = HoldRow { status: after.status, unknown: after.unknown.clone(), ..allowed };
    match () {
        () if before.asked() != after.asked() => Some("beginning"),
        () if allowed != *after => Some("content"),
        () => None,
    }
}
