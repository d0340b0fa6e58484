//! Offsets by partition, as callers give and get them.

use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::topics::partition::PARTITIONS_MAX;

/// A place in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionOffset {
    /// The partition's number.
    pub partition: u16,
    /// Everything up to this message is done: `next` of the page that was read.
    pub offset: u64,
}

/// Where a group goes on in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupPlace {
    /// The partition's number.
    pub partition: u16,
    /// It goes on after this message.
    pub offset: u64,
    /// How many messages were removed that the group had not committed; absent when none.
    #[serde(skip_serializing_if = "none")]
    pub lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
pub(super) const fn none(count: &u64) -> bool {
    *count == 0
}

/// 1 to 256 places, each in another partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionOffsets(Vec<PartitionOffset>);

/// Why a list is not [`PartitionOffsets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOffsets {
    /// None, or too many.
    #[error("1 to {PARTITIONS_MAX} offsets, not {0}")]
    WrongCount(usize),
    /// A partition twice.
    #[error("partition {0} is there twice")]
    SamePartition(u16),
}

impl PartitionOffsets {
    /// These places.
    ///
    /// # Errors
    /// [`NotOffsets`]
    pub fn new(offsets: Vec<PartitionOffset>) -> Result<Self, NotOffsets> {
        if offsets.is_empty() || offsets.len() > usize::from(PARTITIONS_MAX) {
            return Err(NotOffsets::WrongCount(offsets.len()));
        }
        let mut partitions: Vec<_> = offsets.iter().map(|each| each.partition).collect();
        partitions.sort_unstable();
        let twice = partitions.windows(2).find(|pair| pair[0] == pair[1]);
        match twice {
            Some(pair) => Err(NotOffsets::SamePartition(pair[0])),
            None => Ok(Self(offsets)),
        }
    }
}

impl Deref for PartitionOffsets {
    type Target = [PartitionOffset];

    fn deref(&self) -> &[PartitionOffset] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for PartitionOffsets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for PartitionOffsets {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PartitionOffsets".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<PartitionOffset>(),
            "minItems": 1,
            "maxItems": PARTITIONS_MAX,
            "description": "No two of one partition."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_of_different_partitions() {
        let of = |partitions: &[u16]| {
            let each = |&partition| PartitionOffset { partition, offset: 7 };
            PartitionOffsets::new(partitions.iter().map(each).collect()).map(|list| list.len())
        };
        assert_eq!(of(&[3, 0, 2]), Ok(3));
        assert_eq!(of(&[]), Err(NotOffsets::WrongCount(0)));
        assert_eq!(of(&[3, 0, 3]), Err(NotOffsets::SamePartition(3)));
        let many: Vec<_> = (0..=PARTITIONS_MAX).collect();
        assert_eq!(of(&many), Err(NotOffsets::WrongCount(257)));
    }
}
