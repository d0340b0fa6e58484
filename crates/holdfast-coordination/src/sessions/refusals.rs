//! What every refusal of sessions is called, and what it says about asking again. The
//! commands' own enums say which of them, and with which facts.

use holdfast_state::command::{Class, RefusalInfo};

pub(super) use crate::ties::refusal::SESSION_NOT_FOUND;

pub(super) const SESSION_EXISTS: RefusalInfo = RefusalInfo {
    code: "session_exists",
    class: Class::Conflict,
    summary: "A session with this id is open that was opened in other words.",
};
