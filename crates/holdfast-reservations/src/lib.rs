//! Stock and nights that are held, sold and waited for.
//!
//! A *resource* has a stock of units (tickets, a product), or a stock of units on
//! each night (rooms, a seat). A *hold* takes of it, for a time; then it is
//! *confirmed*, which is a sale, or *released*, or it *expires*. Who finds nothing
//! left joins the *waitlist*, and is offered a hold when something becomes free.
//!
//! Promises, at every version: of each slot, `available + held + sold = stock`, and
//! none is negative; a hold counts once, and an id names one hold; what becomes free
//! goes to those who wait for it, in order, before anybody else can have it.
//! [`audit`] re-derives all of it from holds and waitlist entries.
//!
//! Left to others: payment (the ledger), prices (carried and not interpreted), what a
//! night is where (callers' calendars), who may do what (services).
//!
//! Read in this order: [`count`], [`nights`], [`price`], `stay`, `expiry` (values);
//! `refusals`; [`row`] (what is stored); `levels`, `room`; [`create_resource`],
//! [`resize_resource`], [`get_resource`], [`resources`], [`availability`];
//! [`mod@hold`], [`get_hold`], `standing`, [`confirm`], `ending`, [`release`],
//! [`expire_hold`], [`extend`], [`move_hold`]; [`offers`], [`join_waitlist`],
//! [`leave_waitlist`], [`get_waitlist_entry`], [`waitlist`]; [`audit`].

pub mod audit;
pub mod availability;
pub mod confirm;
pub mod count;
pub mod create_resource;
mod ending;
pub mod expire_hold;
mod expiry;
pub mod extend;
pub mod get_hold;
pub mod get_resource;
pub mod get_waitlist_entry;
pub mod hold;
pub mod join_waitlist;
pub mod leave_waitlist;
mod levels;
pub mod move_hold;
pub mod nights;
pub mod offers;
pub mod price;
mod refusals;
pub mod release;
pub mod resize_resource;
pub mod resources;
mod room;
pub mod row;
mod standing;
mod stay;
pub mod waitlist;

use holdfast_state::{TableId, TimerHandler, command::Entry, table::Table as _};

pub use count::{Quantity, Stock};
pub use get_hold::Hold;
pub use get_resource::Resource;
pub use get_waitlist_entry::WaitlistEntry;
pub use hold::{HoldRefusal, HoldSpec, hold};
pub use nights::Nights;
pub use price::Price;
pub use room::RoomRefusal;
pub use standing::StandingRefusal;
pub use stay::StayRefusal;

/// Everything that can be asked of reservations.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<create_resource::CreateResource>(),
    Entry::write::<resize_resource::ResizeResource>(),
    Entry::query::<get_resource::GetResource>(),
    Entry::query::<resources::ListResources>(),
    Entry::query::<availability::ShowAvailability>(),
    Entry::write::<hold::MakeHold>(),
    Entry::query::<get_hold::GetHold>(),
    Entry::write::<confirm::ConfirmHold>(),
    Entry::write::<release::ReleaseHold>(),
    Entry::write::<extend::ExtendHold>(),
    Entry::write::<move_hold::MoveHold>(),
    Entry::write::<join_waitlist::JoinWaitlist>(),
    Entry::write::<leave_waitlist::LeaveWaitlist>(),
    Entry::query::<get_waitlist_entry::GetWaitlistEntry>(),
    Entry::query::<waitlist::ShowWaitlist>(),
];

/// The timers of reservations: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] =
    &[(expire_hold::HANDLER, expire_hold::expire_hold), (offers::HANDLER, offers::go_on)];

/// The tables of reservations: number and name. Numbers `0x0200..=0x02ff` are theirs.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Resources::ID, row::Resources::NAME),
    (row::ResourceMetadata::ID, row::ResourceMetadata::NAME),
    (row::Levels::ID, row::Levels::NAME),
    (row::Holds::ID, row::Holds::NAME),
    (row::Entries::ID, row::Entries::NAME),
    (row::Queue::ID, row::Queue::NAME),
];
