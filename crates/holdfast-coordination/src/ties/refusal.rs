//! What is said where a session that something is to hang on is not open.

use holdfast_state::command::{Class, RefusalInfo};

/// No session with this id is open.
pub(crate) const SESSION_NOT_FOUND: RefusalInfo = RefusalInfo {
    code: "session_not_found",
    class: Class::NotFound,
    summary: "No session with this id is open.",
};
