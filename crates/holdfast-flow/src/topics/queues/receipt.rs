//! What callers name messages of a queue by: receipts of deliveries, and places of dead
//! letters.

use std::{borrow::Cow, collections::BTreeSet, fmt, ops::Deref, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most receipts or places of a list.
pub const NAMES_MAX: usize = 1_000;

/// Names a message in a delivery: `48-1200`, the delivery's number and the message's
/// offset. Callers keep it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Receipt {
    /// The delivery's number.
    pub delivery: u64,
    /// The message's offset.
    pub offset: u64,
}

/// Names a dead letter of a queue by where its message is in the topic: `0-1200`, the
/// partition's number and the message's offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId {
    /// The partition's number.
    pub partition: u16,
    /// The message's offset.
    pub offset: u64,
}

/// Why a text is neither a [`Receipt`] nor a [`LetterId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected two numbers with a dash between them, as they were given")]
pub struct NotAPair;

fn pair<A: FromStr, B: FromStr>(text: &str) -> Result<(A, B), NotAPair> {
    let (first, second) = text.split_once('-').ok_or(NotAPair)?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(first) || !plain(second) {
        return Err(NotAPair);
    }
    Ok((first.parse().map_err(|_| NotAPair)?, second.parse().map_err(|_| NotAPair)?))
}

impl FromStr for Receipt {
    type Err = NotAPair;

    fn from_str(text: &str) -> Result<Self, NotAPair> {
        pair(text).map(|(delivery, offset)| Self { delivery, offset })
    }
}

impl FromStr for LetterId {
    type Err = NotAPair;

    fn from_str(text: &str) -> Result<Self, NotAPair> {
        pair(text).map(|(partition, offset)| Self { partition, offset })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.delivery, self.offset)
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.partition, self.offset)
    }
}

/// On the wire each is text.
macro_rules! as_text {
    ($type:ident, $example:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": "^[0-9]+-[0-9]+$", "examples": [$example] })
            }
        }
    };
}

as_text!(Receipt, "48-1200");
as_text!(LetterId, "0-1200");

/// 1 to 1000 names, no two alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Names<T>(Vec<T>);

/// Why a list is not [`Names`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNames {
    /// None, or too many.
    #[error("1 to {NAMES_MAX} of them, not {0}")]
    WrongCount(usize),
    /// One twice.
    #[error("{0} is there twice")]
    Twice(String),
}

impl<T: Copy + Ord + fmt::Display> Names<T> {
    /// These names.
    ///
    /// # Errors
    /// [`NotNames`]
    pub fn new(names: Vec<T>) -> Result<Self, NotNames> {
        if names.is_empty() || names.len() > NAMES_MAX {
            return Err(NotNames::WrongCount(names.len()));
        }
        let mut seen = BTreeSet::new();
        match names.iter().find(|name| !seen.insert(**name)) {
            Some(twice) => Err(NotNames::Twice(twice.to_string())),
            None => Ok(Self(names)),
        }
    }
}

impl<T> Deref for Names<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de> + Copy + Ord + fmt::Display> Deserialize<'de> for Names<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for Names<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}s", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": generator.subschema_for::<T>(),
            "minItems": 1,
            "maxItems": NAMES_MAX,
            "description": "No two alike."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_two_numbers() {
        let receipt = Receipt { delivery: 48, offset: 1200 };
        assert_eq!("48-1200".parse(), Ok(receipt));
        assert_eq!(receipt.to_string(), "48-1200");
        assert_eq!("3-7".parse(), Ok(LetterId { partition: 3, offset: 7 }));
        for bad in ["", "48", "48-", "-48", "a-1", "1--2", "+1-2", "1-+2", "1 -2", "70000-1"] {
            assert_eq!(bad.parse::<LetterId>(), Err(NotAPair), "{bad:?}");
        }
    }

    #[test]
    fn a_list_names_each_once() {
        let of = |offsets: &[u64]| {
            let each = |offset: &u64| Receipt { delivery: 1, offset: *offset };
            Names::new(offsets.iter().map(each).collect()).map(|names| names.len())
        };
        assert_eq!(of(&[1, 2, 3]), Ok(3));
        assert_eq!(of(&[]), Err(NotNames::WrongCount(0)));
        assert_eq!(of(&[1, 2, 1]), Err(NotNames::Twice("1-1".to_owned())));
        assert_eq!(of(&(0..1001).collect::<Vec<_>>()), Err(NotNames::WrongCount(1001)));
    }
}
