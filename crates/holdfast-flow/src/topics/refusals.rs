//! What every refusal of topics is called, and what it says about asking again. The
//! commands' own enums say which of them, and with which facts.

use holdfast_state::command::{Class, RefusalInfo};

const fn info(code: &'static str, class: Class, summary: &'static str) -> RefusalInfo {
    RefusalInfo { code, class, summary }
}

pub(super) const TOPIC_NOT_FOUND: RefusalInfo =
    info("topic_not_found", Class::NotFound, "No topic with this id was created.");
pub(super) const TOPIC_EXISTS: RefusalInfo = info(
    "topic_exists",
    Class::Conflict,
    "A topic with this id was created before with other properties.",
);
pub(super) const MESSAGE_EXISTS: RefusalInfo = info(
    "message_exists",
    Class::Conflict,
    "The id was used for a different message of this topic.",
);
pub(super) const BATCH_DIFFERS: RefusalInfo = info(
    "batch_differs",
    Class::Conflict,
    "Some of these messages are in the topic already, but not as this batch.",
);
