//! Where in history an answer stands: partition and version, as clients see it.

use std::{fmt, str::FromStr};

use holdfast_state::Version;

/// The number of the one partition that a node runs.
pub const PARTITION: u32 = 0;

/// A partition and a version in it: `0:48211`.
///
/// Clients get it with every answer and may send it back to read what they wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The partition's number.
    pub partition: u32,
    /// The version in it.
    pub version: Version,
}

/// A text that is not an [`At`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected PARTITION:VERSION, such as 0:48211")]
pub struct BadAt;

impl At {
    /// A version of this node's partition.
    #[must_use]
    pub const fn here(version: Version) -> Self {
        Self { partition: PARTITION, version }
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.version)
    }
}

impl FromStr for At {
    type Err = BadAt;

    fn from_str(text: &str) -> Result<Self, BadAt> {
        let (partition, version) = text.split_once(':').ok_or(BadAt)?;
        Ok(Self {
            partition: number(partition)?.try_into().map_err(|_| BadAt)?,
            version: Version::new(number(version)?),
        })
    }
}

/// Digits only: `u64::from_str` would take a plus sign.
fn number(text: &str) -> Result<u64, BadAt> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| BadAt)
    } else {
        Err(BadAt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_nothing_else_is() {
        let at = At::here(Version::new(48_211));
        assert_eq!(at.to_string(), "0:48211");
        assert_eq!("0:48211".parse(), Ok(at));
        for bad in ["", ":", "0:", ":1", "0:-1", "0:+1", "0:1:2", "0: 1", "4294967296:1", "1"] {
            assert_eq!(bad.parse::<At>(), Err(BadAt), "{bad:?}");
        }
    }
}
