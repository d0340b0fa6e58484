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
pub(super) const SCHEMA_VIOLATED: RefusalInfo =
    info("schema_violated", Class::Invalid, "The data is not what the topic's schema asks for.");
pub(super) const SCHEMA_NOT_FOUND: RefusalInfo =
    info("schema_not_found", Class::NotFound, "The topic has no schema of this number.");
pub(super) const SCHEMAS_FULL: RefusalInfo =
    info("schemas_full", Class::Conflict, "The topic has as many schemas as it may have.");
pub(super) const SCHEMA_INCOMPATIBLE: RefusalInfo = info(
    "schema_incompatible",
    Class::Conflict,
    "The schema is not compatible with one that is registered.",
);
pub(super) const SCHEMA_UNCERTAIN: RefusalInfo = info(
    "schema_uncertain",
    Class::Conflict,
    "Whether the schema is compatible with one that is registered cannot be told.",
);
pub(super) const PARTITION_NOT_FOUND: RefusalInfo =
    info("partition_not_found", Class::NotFound, "The topic has no partition of this number.");
pub(super) const OFFSET_OUT_OF_RANGE: RefusalInfo =
    info("offset_out_of_range", Class::Conflict, "The messages behind this offset were removed.");
pub(super) const GROUP_NOT_FOUND: RefusalInfo =
    info("group_not_found", Class::NotFound, "The topic has no group with this id.");
pub(super) const GROUP_FULL: RefusalInfo =
    info("group_full", Class::Conflict, "The group has as many members as it may have.");
pub(super) const GROUP_NOT_EMPTY: RefusalInfo =
    info("group_not_empty", Class::Conflict, "The group has members.");
pub(super) const GENERATION_STALE: RefusalInfo = info(
    "generation_stale",
    Class::Precondition,
    "The consumer is not a member of the group in this generation.",
);
pub(super) const PARTITION_NOT_ASSIGNED: RefusalInfo = info(
    "partition_not_assigned",
    Class::Precondition,
    "Another member of the group reads this partition.",
);
pub(super) const OFFSET_BEYOND_END: RefusalInfo =
    info("offset_beyond_end", Class::Conflict, "The partition has no message at this offset yet.");
pub(super) const QUEUE_NOT_FOUND: RefusalInfo =
    info("queue_not_found", Class::NotFound, "The topic has no queue with this id.");
pub(super) const QUEUE_EXISTS: RefusalInfo = info(
    "queue_exists",
    Class::Conflict,
    "A queue with this id was created before with other properties.",
);
pub(super) const RECEIPT_STALE: RefusalInfo = info(
    "receipt_stale",
    Class::Precondition,
    "The receipt was used, or its message was given out again.",
);
pub(super) const LETTER_NOT_FOUND: RefusalInfo =
    info("dead_letter_not_found", Class::NotFound, "The queue has no dead letter of this message.");
