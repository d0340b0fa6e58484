//! What every refusal of this crate is called, and what it says about asking again.
//! The commands' own enums say which of them, and with which facts.

use holdfast_state::command::{Class, RefusalInfo};

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

pub(crate) const EXPIRY_GIVEN_TWICE: RefusalInfo =
    info("expiry_given_twice", Class::Invalid, "Give expires_at or expires_in, not both.");
pub(crate) const EXPIRY_MISSING: RefusalInfo =
    info("expiry_missing", Class::Invalid, "Give expires_at or expires_in.");
pub(crate) const EXPIRY_IN_PAST: RefusalInfo =
    info("expiry_in_past", Class::Invalid, "It would have expired by now.");
pub(crate) const EXPIRY_NOT_LATER: RefusalInfo =
    info("expiry_not_later", Class::Conflict, "A hold is only extended to a later time.");
pub(crate) const NIGHTS_INCOMPLETE: RefusalInfo =
    info("nights_incomplete", Class::Invalid, "Give from and to, or neither.");
pub(crate) const NIGHTS_EMPTY: RefusalInfo =
    info("nights_empty", Class::Invalid, "The first night must be before the day of departure.");
pub(crate) const NIGHTS_TOO_MANY: RefusalInfo =
    info("nights_too_many", Class::Invalid, "A request is about 366 nights at most.");
pub(crate) const NIGHTS_REQUIRED: RefusalInfo =
    info("nights_required", Class::Invalid, "The resource has nights: say which.");
pub(crate) const NIGHTS_NOT_ALLOWED: RefusalInfo =
    info("nights_not_allowed", Class::Invalid, "The resource has units and no nights.");
pub(crate) const RESOURCE_NOT_FOUND: RefusalInfo =
    info("resource_not_found", Class::NotFound, "No resource with this id was created.");
pub(crate) const RESOURCE_EXISTS: RefusalInfo = info(
    "resource_exists",
    Class::Conflict,
    "A resource with this id was created before with other properties.",
);
pub(crate) const STOCK_TAKEN: RefusalInfo =
    info("stock_taken", Class::Conflict, "The stock cannot be less than what is held and sold.");
pub(crate) const WAITLIST_FIRST: RefusalInfo = info(
    "waitlist_first",
    Class::Limited,
    "What became free is being offered to those who wait for it.",
);
pub(crate) const SOLD_OUT: RefusalInfo =
    info("sold_out", Class::Conflict, "There are not as many left as are wanted.");
pub(crate) const HOLD_EXISTS: RefusalInfo =
    info("hold_exists", Class::Conflict, "The id was used for a different hold.");
pub(crate) const HOLD_NOT_FOUND: RefusalInfo =
    info("hold_not_found", Class::NotFound, "No hold with this id was made.");
pub(crate) const HOLD_EXPIRED: RefusalInfo =
    info("hold_expired", Class::Conflict, "The hold was not confirmed in time.");
pub(crate) const HOLD_RELEASED: RefusalInfo =
    info("hold_released", Class::Conflict, "The hold was released before it was confirmed.");
pub(crate) const HOLD_CANCELLED: RefusalInfo =
    info("hold_cancelled", Class::Conflict, "The hold was confirmed and then cancelled.");
pub(crate) const HOLD_CONFIRMED: RefusalInfo =
    info("hold_confirmed", Class::Conflict, "A confirmed hold does not expire.");
pub(crate) const ENTRY_EXISTS: RefusalInfo =
    info("entry_exists", Class::Conflict, "The id was used for a different waitlist entry.");
pub(crate) const ENTRY_NOT_FOUND: RefusalInfo =
    info("entry_not_found", Class::NotFound, "No waitlist entry with this id was made.");
pub(crate) const ENTRY_OFFERED: RefusalInfo =
    info("entry_offered", Class::Conflict, "The entry was offered a hold and waits no more.");
