//! What a message is about, for those whose order matters among themselves.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// The most bytes that a key may have.
pub const BYTES_MAX: usize = 256;

/// A message's key: 1 to 256 bytes of text that a `CloudEvents` string may have, so no
/// control characters and none that Unicode sets aside for nobody.
///
/// Messages of one key belong together and in order: consumers that share a topic's
/// work share it by key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MessageKey(Box<str>);

/// Why a text is not a [`MessageKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to {BYTES_MAX} bytes of text without control characters")]
pub struct NotAKey;

impl MessageKey {
    /// The key with this text.
    ///
    /// # Errors
    /// [`NotAKey`]
    pub fn new(text: &str) -> Result<Self, NotAKey> {
        if text.is_empty() || text.len() > BYTES_MAX || !text.chars().all(may_stand) {
            return Err(NotAKey);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(super) fn may_stand(character: char) -> bool {
    let code = u32::from(character);
    let noncharacter = code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code);
    !character.is_control() && !noncharacter
}

impl<'de> Deserialize<'de> for MessageKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl JsonSchema for MessageKey {
    fn schema_name() -> Cow<'static, str> {
        "MessageKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": BYTES_MAX,
            "description": "At most 256 bytes, without control characters."
        })
    }
}

impl<C> minicbor::Encode<C> for MessageKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for MessageKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_bounded_text_that_cloud_events_can_carry() {
        let long = "k".repeat(BYTES_MAX);
        for fine in ["a", "ana@example.com", "Lisboa 12/24", "é😀", &long] {
            assert_eq!(MessageKey::new(fine).unwrap().as_str(), fine);
        }
        let longer = "k".repeat(BYTES_MAX + 1);
        for bad in ["", "a\nb", "\0", "\u{9f}", "\u{fdd0}", "\u{1fffe}", "\u{ffff}", &longer] {
            assert_eq!(MessageKey::new(bad), Err(NotAKey), "{bad:?}");
        }
    }
}
