//! What every refusal of documents is called, and what it says about asking again. The
//! commands' own enums say which of them, and with which facts.

use holdfast_state::command::{Class, RefusalInfo};

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

pub(super) const PRECONDITION_FAILED: RefusalInfo = info(
    "precondition_failed",
    Class::Precondition,
    "The document is not at the version that the request is about.",
);
pub(super) const DOCUMENT_NOT_FOUND: RefusalInfo =
    info("document_not_found", Class::NotFound, "No document with this id is in the collection.");
pub(super) const DOCUMENT_TOO_LARGE: RefusalInfo =
    info("document_too_large", Class::Conflict, "The patched document would be too large.");
