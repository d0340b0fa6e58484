//! What every refusal of documents is called, and what it says about asking again. The
//! commands' own enums say which of them, and with which facts.

use holdfast_state::command::{Class, RefusalInfo};

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

pub(super) const DOCUMENT_NOT_FOUND: RefusalInfo =
    info("document_not_found", Class::NotFound, "No document with this id is in the collection.");
pub(super) const INDEX_NOT_FOUND: RefusalInfo =
    info("index_not_found", Class::NotFound, "The collection has no index with this id.");
pub(super) const INDEX_EXISTS: RefusalInfo = info(
    "index_exists",
    Class::Conflict,
    "An index with this id was created before with another path.",
);
pub(super) const INDEX_FILLING: RefusalInfo =
    info("index_filling", Class::Conflict, "The index does not have all documents yet.");
pub(super) const TOO_MANY_INDEXES: RefusalInfo =
    info("too_many_indexes", Class::Conflict, "The collection has as many indexes as it may.");
pub(super) const DOCUMENT_TOO_LARGE: RefusalInfo =
    info("document_too_large", Class::Conflict, "The patched document would be too large.");
