//! What a new version must have in common with those before.

use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who can read what, from one version to the next.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Compatibility {
    /// Nothing is compared.
    #[n(0)]
    None,
    /// Who reads with the new version can read what was written under the latest.
    #[default]
    #[n(1)]
    Backward,
    /// As `backward`, of all versions that are there.
    #[n(2)]
    BackwardTransitive,
    /// Who reads with the latest version can read what is written under the new one.
    #[n(3)]
    Forward,
    /// As `forward`, of all versions that are there.
    #[n(4)]
    ForwardTransitive,
    /// Both ways.
    #[n(5)]
    Full,
    /// Both ways, of all versions that are there.
    #[n(6)]
    FullTransitive,
}

impl Compatibility {
    pub(super) const fn is_backward(self) -> bool {
        matches!(
            self,
            Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive
        )
    }

    pub(super) const fn is_forward(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }

    pub(super) const fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}
