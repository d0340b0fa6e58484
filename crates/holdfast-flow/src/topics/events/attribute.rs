//! Values of attributes: text, each with a bound and a form, kept letter for letter.

use std::{borrow::Cow, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::syntax;

/// Why a text is not an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct NotAnAttribute(&'static str);

/// Text of 1 to so many bytes, of a form.
macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident, $schema:literal, $max:expr, $form:path, $expected:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
            pub struct $name(Box<str>);

            impl $name {
                /// The most bytes.
                pub const BYTES_MAX: usize = $max;

                /// The value that this text is.
                ///
                /// # Errors
                /// [`NotAnAttribute`]
                pub fn new(text: &str) -> Result<Self, NotAnAttribute> {
                    let fits = !text.is_empty() && text.len() <= Self::BYTES_MAX && $form(text);
                    if fits { Ok(Self(text.into())) } else { Err(NotAnAttribute($expected)) }
                }

                /// The text.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Debug::fmt(&self.0, f)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&self.0)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = Cow::<'_, str>::deserialize(deserializer)?;
                    Self::new(&text).map_err(de::Error::custom)
                }
            }

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    $schema.into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({
                        "type": "string",
                        "minLength": 1,
                        "maxLength": Self::BYTES_MAX,
                        "description": concat!($expected, ".")
                    })
                }
            }

            impl<C> minicbor::Encode<C> for $name {
                fn encode<W: minicbor::encode::Write>(
                    &self,
                    e: &mut minicbor::Encoder<W>,
                    _: &mut C,
                ) -> Result<(), minicbor::encode::Error<W::Error>> {
                    e.str(&self.0)?.ok()
                }
            }

            /// Rows are trusted to hold what was checked when it came in.
            impl<'b, C> minicbor::Decode<'b, C> for $name {
                fn decode(
                    d: &mut minicbor::Decoder<'b>,
                    _: &mut C,
                ) -> Result<Self, minicbor::decode::Error> {
                    Ok(Self(d.str()?.into()))
                }
            }
        )*
    };
}

attributes! {
    /// What happened, in the words of those it happened to: `booking.held`.
    MessageType, "MessageType", 256, syntax::is_text,
        "a type: 1 to 256 bytes of text without control characters";

    /// What tells an event from others of its source.
    EventId, "EventId", 1024, syntax::is_text,
        "an id: 1 to 1024 bytes of text without control characters";

    /// Where an event comes from.
    EventSource, "EventSource", 1024, syntax::is_uri_reference,
        "a source: a URI or a relative reference of 1 to 1024 bytes";

    /// Text.
    EventText, "EventText", 4096, syntax::is_text,
        "1 to 4096 bytes of text without control characters";

    /// When something happened, as its producer says.
    EventTime, "EventTime", 64, syntax::is_time, "a time as RFC 3339 writes it";

    /// What data is.
    ContentType, "ContentType", 256, syntax::is_media_type, "a media type of 1 to 256 bytes";

    /// Which schema data adheres to. Nothing is looked up there.
    SchemaUri, "SchemaUri", 1024, syntax::is_uri, "a URI of 1 to 1024 bytes with a scheme";
}

impl From<holdfast_state::Id> for MessageType {
    /// Ids are text of a stricter form.
    fn from(id: holdfast_state::Id) -> Self {
        Self(id.as_str().into())
    }
}

/// Data that is not JSON and not text: at most 65,536 bytes; in JSON as base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Binary(Box<[u8]>);

/// Why there is no [`Binary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBinary {
    /// Not base64.
    #[error("expected base64 with padding")]
    NotBase64,
    /// Too large.
    #[error("data has at most {max} bytes, not {0}", max = Binary::BYTES_MAX)]
    TooLarge(usize),
}

impl Binary {
    /// The most bytes.
    pub const BYTES_MAX: usize = 64 << 10;

    /// These bytes.
    ///
    /// # Errors
    /// [`NotBinary::TooLarge`]
    pub fn new(bytes: &[u8]) -> Result<Self, NotBinary> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(NotBinary::TooLarge(bytes.len()));
        }
        Ok(Self(bytes.into()))
    }

    /// The bytes that this base64 stands for.
    ///
    /// # Errors
    /// [`NotBinary`]
    pub fn from_base64(text: &str) -> Result<Self, NotBinary> {
        Self::new(&STANDARD.decode(text).map_err(|_| NotBinary::NotBase64)?)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Binary {
    fn schema_name() -> Cow<'static, str> {
        "Binary".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "contentEncoding": "base64",
            "description": "At most 65536 bytes."
        })
    }
}

impl<C> minicbor::Encode<C> for Binary {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Binary {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(d.bytes()?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded_in_bytes() {
        let ok = |bytes: usize| MessageType::new(&"t".repeat(bytes)).is_ok();
        assert!(ok(1) && ok(256) && !ok(0) && !ok(257));
        assert!(EventId::new(&"é".repeat(512)).is_ok() && EventId::new(&"é".repeat(513)).is_err());
        for bad in ["a\nb", "\u{7f}", "\u{ffff}"] {
            assert!(EventText::new(bad).is_err() && MessageType::new(bad).is_err(), "{bad:?}");
        }
        assert!(EventSource::new("a b").is_err() && EventTime::new("soon").is_err());
        assert!(ContentType::new("json").is_err() && SchemaUri::new("/x").is_err());
    }

    #[test]
    fn bytes_are_bounded_and_come_back() {
        let bytes = vec![0xFF; Binary::BYTES_MAX];
        let binary = Binary::new(&bytes).unwrap();
        let json = serde_json::to_string(&binary).unwrap();
        assert_eq!(serde_json::from_str::<Binary>(&json).unwrap(), binary);
        assert_eq!(Binary::new(&[0; Binary::BYTES_MAX + 1]), Err(NotBinary::TooLarge(65_537)));
        assert_eq!(Binary::from_base64("AAE=").unwrap().as_bytes(), [0, 1]);
        for bad in ["AAE", "A", "AA E=", "-_8="] {
            assert_eq!(Binary::from_base64(bad), Err(NotBinary::NotBase64), "{bad}");
        }
    }
}
