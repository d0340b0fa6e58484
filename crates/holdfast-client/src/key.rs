//! Idempotency keys, and the randomness they are made of.
//!
//! A key is a UUID of version 7: its time in front, so that keys of one time lie together where a
//! server keeps them, and 74 random bits behind. Nothing rests on the time.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// Makes a call repeatable: servers give the one answer to all calls with one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

/// A text cannot be an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not 1 to 255 visible ASCII characters")]
pub struct BadKey(String);

impl IdempotencyKey {
    /// The longest key, in characters.
    pub const LENGTH_MAX: usize = 255;

    /// A key of the caller's own, made of what the call is about: then asking again is the same
    /// call also for a process that remembers nothing.
    ///
    /// # Errors
    /// [`BadKey`]
    pub fn new(text: &str) -> Result<Self, BadKey> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !visible {
            return Err(BadKey(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// A key that nobody has used.
    #[must_use]
    pub fn fresh() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self(uuid(ms, random(), random()).into())
    }

    /// The key as it goes over the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A UUID of version 7 (RFC 9562, section 5.7).
fn uuid(ms: u64, a: u64, b: u64) -> String {
    let high = (ms << 16) | 0x7000 | (a & 0x0fff);
    let low = (b >> 2) | (0b10 << 62);
    let hex = format!("{high:016x}{low:016x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// 64 bits of the operating system's randomness.
pub(crate) fn random() -> u64 {
    getrandom::u64().expect("the operating system has randomness")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_time_version_and_variant() {
        assert_eq!(uuid(0x0123_4567_89ab, u64::MAX, 0), "01234567-89ab-7fff-8000-000000000000");
        assert_eq!(uuid(0, 0, u64::MAX), "00000000-0000-7000-bfff-ffffffffffff");
        let (one, other) = (IdempotencyKey::fresh(), IdempotencyKey::fresh());
        assert_ne!(one, other);
        assert_eq!(IdempotencyKey::new(one.as_str()).unwrap(), one);
    }

    #[test]
    fn a_key_is_what_servers_take() {
        for bad in ["", "a b", "ä", "a\n", &"k".repeat(256)] {
            assert!(IdempotencyKey::new(bad).is_err(), "{bad}");
        }
        assert!(IdempotencyKey::new(&"k".repeat(255)).is_ok());
    }
}
