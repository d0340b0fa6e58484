//! Whether a resource has room for what is wanted, and who may have it.
//!
//! What becomes free is offered to those who wait for it in the same step, so what a
//! request finds available, nobody who waits could use. Only while that offering is
//! still going on, for a long waitlist, does a request have to stand back.

use std::ops::Range;

use holdfast_state::{
    Date, Id, Read, Stop,
    command::{Refusal, RefusalInfo},
};
use serde::Serialize;

use crate::{
    Nights, Quantity,
    levels::{OpenLevels, Shortage},
    nights::{overlap, slots},
    refusals::{SOLD_OUT, WAITLIST_FIRST},
    row::{Kind, ResourceRow, night_of},
    stay::{self, StayRefusal},
};

/// Why there is no room, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RoomRefusal {
    /// What is free is being offered to those who wait.
    WaitlistFirst {
        /// The resource.
        resource: Id,
    },
    /// There are not as many left as are wanted.
    SoldOut {
        /// The first night that is short, of a resource that has nights.
        #[serde(skip_serializing_if = "Option::is_none")]
        night: Option<Date>,
        /// How many are wanted.
        requested: Quantity,
        /// How many are left.
        available: u64,
    },
}

impl Refusal for RoomRefusal {
    const ALL: &'static [RefusalInfo] = &[WAITLIST_FIRST, SOLD_OUT];

    fn code(&self) -> &'static str {
        match self {
            Self::WaitlistFirst { .. } => WAITLIST_FIRST.code,
            Self::SoldOut { .. } => SOLD_OUT.code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::WaitlistFirst { .. } => "/resource",
            Self::SoldOut { .. } => "/quantity",
        })
    }
}

/// What a request wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want<'a> {
    pub(crate) resource: &'a Id,
    pub(crate) nights: Option<Nights>,
    pub(crate) quantity: Quantity,
}

impl Want<'_> {
    pub(crate) const fn slots(&self) -> Range<u32> {
        slots(self.nights)
    }

    /// The resource, if this can be wanted of it.
    pub(crate) fn resource(&self, state: &impl Read) -> Result<ResourceRow, Stop<StayRefusal>> {
        stay::resource(state, self.resource, self.nights)
    }

    /// Whether it can be had of `levels`, into which its slots were read.
    pub(crate) fn check(
        &self,
        row: &ResourceRow,
        levels: &OpenLevels<'_>,
    ) -> Result<(), RoomRefusal> {
        if self.must_stand_back(row) {
            return Err(RoomRefusal::WaitlistFirst { resource: self.resource.clone() });
        }
        match levels.shortage(&self.slots(), self.quantity, row.stock) {
            Some(short) => Err(self.sold_out(row.kind, short)),
            None => Ok(()),
        }
    }

    /// Is what is wanted being offered to those who wait?
    pub(crate) fn must_stand_back(&self, row: &ResourceRow) -> bool {
        row.sweep.is_some_and(|sweep| overlap(&sweep.slots(), &self.slots()))
    }

    fn sold_out(&self, kind: Kind, short: Shortage) -> RoomRefusal {
        RoomRefusal::SoldOut {
            night: night_of(kind, short.slot),
            requested: self.quantity,
            available: short.available,
        }
    }
}
