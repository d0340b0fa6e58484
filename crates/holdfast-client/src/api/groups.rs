//! Commands of `groups`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod commit;
mod delete;
mod get;
mod join;
mod leave;
mod list;
mod seek;

use serde::{Deserialize, Serialize};

pub use commit::{CommitOffsetsOutcome, CommitOffsetsSpec, Committed};
pub use delete::{DeleteGroupOutcome, DeleteGroupSpec};
pub use get::{GetGroupSpec, Group, Member, Progress};
pub use join::{GroupPlace, JoinGroupOutcome, JoinGroupSpec, JoinedGroup};
pub use leave::{LeaveGroupOutcome, LeaveGroupSpec, LeftGroup};
pub use list::{GroupsPage, ListGroupsSpec, ListedGroup};
pub use seek::{SeekGroupOutcome, SeekGroupSpec, Sought};

/// A place in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionOffset {
    /// The partition's number.
    pub partition: u16,
    /// Everything up to this message is done: `next` of the page that was read.
    pub offset: u64,
}

impl PartitionOffset {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(partition: u16, offset: u64) -> Self {
        Self { partition, offset }
    }
}
