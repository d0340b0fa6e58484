//! What every refusal of limits is called, and what it says about asking again. The
//! commands' own enums say which of them, and with which facts.

use holdfast_state::command::{Class, RefusalInfo};

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

pub(super) const LIMIT_NOT_FOUND: RefusalInfo =
    info("limit_not_found", Class::NotFound, "No limit with this id was put.");
pub(super) const LIMIT_EXCEEDED: RefusalInfo =
    info("limit_exceeded", Class::Limited, "A rule of the limit has no room for it now.");
pub(super) const HOLDER_REQUIRED: RefusalInfo =
    info("holder_required", Class::Invalid, "A rule of concurrency wants to know who holds it.");
pub(super) const HOLDER_NOT_FOUND: RefusalInfo =
    info("holder_not_found", Class::NotFound, "The holder has nothing of the limit.");
pub(super) const SLICE_UNSUPPORTED: RefusalInfo =
    info("slice_unsupported", Class::Invalid, "Slices come out of sliding logs alone.");
pub(super) const SLICES_MANY: RefusalInfo =
    info("slices_many", Class::Conflict, "As many slices of a counter are held as may be.");
pub(super) const COST_ABOVE_QUOTA: RefusalInfo =
    info("cost_above_quota", Class::Invalid, "A rule of the limit never allows so much at once.");
