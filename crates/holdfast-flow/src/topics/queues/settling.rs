//! What a receipt does: it takes its message out of the delivery that it names.
//!
//! Receipts are looked at before anything is written, all of them: one that is stale
//! refuses the whole list.

use std::collections::{BTreeMap, btree_map::Entry};

use holdfast_planted::planted;
use holdfast_state::{
    Abort, Id, Read, Stop, Tx,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use super::{
    receipt::{Names, Receipt},
    row::{DeliveryRow, StandingRow},
    span::Span,
    standing::Name,
};
use crate::topics::refusals::{QUEUE_NOT_FOUND, RECEIPT_STALE};

/// Why receipts are not taken, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum SettleRefusal {
    /// The queue was never created.
    QueueNotFound {
        /// The topic.
        topic: Id,
        /// The queue.
        queue: Id,
    },
    /// The receipt was used, or its message was given out again since.
    ReceiptStale {
        /// Which of the receipts, from 0.
        index: usize,
        /// The receipt.
        receipt: Receipt,
    },
}

impl Refusal for SettleRefusal {
    const ALL: &'static [RefusalInfo] = &[QUEUE_NOT_FOUND, RECEIPT_STALE];

    fn code(&self) -> &'static str {
        match self {
            Self::QueueNotFound { .. } => QUEUE_NOT_FOUND.code,
            Self::ReceiptStale { .. } => RECEIPT_STALE.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::QueueNotFound { .. } => Some("/queue"),
            Self::ReceiptStale { .. } => None,
        }
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::QueueNotFound { .. } => None,
            Self::ReceiptStale { index, .. } => Some(format!("/receipts/{index}")),
        }
    }
}

/// A delivery, and those of its messages that receipts name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) number: u64,
    /// The delivery as it is stored.
    pub(super) row: DeliveryRow,
    /// The named messages, and no others.
    pub(super) span: Span,
}

impl Named {
    /// The named messages as a delivery of their own.
    pub(super) fn part(&self) -> DeliveryRow {
        DeliveryRow { span: self.span.clone(), ..self.row.clone() }
    }

    /// Writes the delivery without the named messages.
    pub(super) fn take_out(&self, tx: &mut Tx<'_>, name: Name<'_>) -> Result<(), Abort> {
        let mut row = self.row.clone();
        for offset in self.span.offsets() {
            assert!(row.span.settle(offset), "a receipt was looked at before it is taken");
        }
        name.keep_delivery(tx, self.number, &row)
    }
}

/// The standing of the queue, and the deliveries that these receipts name.
pub(super) fn named(
    state: &impl Read,
    name: Name<'_>,
    receipts: &Names<Receipt>,
) -> Result<(StandingRow, Vec<Named>), Stop<SettleRefusal>> {
    if name.settings(state)?.is_none() {
        let (topic, queue) = (name.topic.clone(), name.queue.clone());
        return Err(Stop::Refused(SettleRefusal::QueueNotFound { topic, queue }));
    }
    let mut found: BTreeMap<u64, (DeliveryRow, Vec<u64>)> = BTreeMap::new();
    for (index, receipt) in receipts.iter().enumerate() {
        let stale = || Stop::Refused(SettleRefusal::ReceiptStale { index, receipt: *receipt });
        let (row, offsets) = match found.entry(receipt.delivery) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                if planted!(StaleReceiptsPass) && name.delivery(state, receipt.delivery)?.is_none()
                {
                    continue;
                }
                let row = name.delivery(state, receipt.delivery)?.ok_or_else(stale)?;
                entry.insert((row, Vec::new()))
            }
        };
        // What waits to be given out for the first time has no receipt yet.
        if !row.span.holds(receipt.offset) || row.attempt == 0 {
            return Err(stale());
        }
        offsets.push(receipt.offset);
    }
    let of = |(number, (row, mut offsets)): (u64, (DeliveryRow, Vec<u64>))| {
        offsets.sort_unstable();
        let span = Span::only(&offsets).expect("a delivery is there for a receipt");
        Named { number, row, span }
    };
    Ok((name.standing(state)?, found.into_iter().map(of).collect()))
}
