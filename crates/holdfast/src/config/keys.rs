//! Credentials in the configuration: names and hashes, never secrets.

use std::collections::BTreeSet;

use holdfast_http::{Key, Role};
use holdfast_state::Namespace;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// One `[[keys]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyConfig {
    /// What it is called in logs; two secrets of one name are one caller.
    name: String,
    /// The number of its namespace, 1 or more.
    namespace: u32,
    /// `read`, `write` or `admin`.
    role: RoleConfig,
    /// SHA-256 of the secret, as 64 hexadecimal digits.
    #[serde(serialize_with = "write_hash", deserialize_with = "read_hash")]
    sha256: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleConfig {
    Read,
    Write,
    Admin,
}

impl KeyConfig {
    /// For the edge.
    pub(crate) fn key(&self) -> Key {
        Key {
            name: self.name.clone(),
            namespace: Namespace::new(self.namespace),
            role: match self.role {
                RoleConfig::Read => Role::Read,
                RoleConfig::Write => Role::Write,
                RoleConfig::Admin => Role::Admin,
            },
            sha256: self.sha256,
        }
    }
}

/// What no type can say. Two keys may share a name, for as long as a secret is
/// being replaced, but not belong to two namespaces.
pub(super) fn check(keys: &[KeyConfig]) -> Result<(), String> {
    let mut hashes = BTreeSet::new();
    for key in keys {
        if key.name.is_empty() {
            return Err("a key has no name".to_owned());
        }
        if key.namespace == 0 {
            return Err(format!("key {:?}: namespace 0 is the system's own", key.name));
        }
        if !hashes.insert(key.sha256) {
            return Err(format!("key {:?}: another key has the same secret", key.name));
        }
        let clash = keys.iter().find(|other| {
            other.name == key.name && (other.namespace, other.role) != (key.namespace, key.role)
        });
        if clash.is_some() {
            return Err(format!("key {:?} is there twice, not for the same caller", key.name));
        }
    }
    Ok(())
}

fn write_hash<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&holdfast_http::changes::cbor::hex(hash))
}

fn read_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    from_hex(&text).ok_or_else(|| D::Error::custom("sha256 is not 64 hexadecimal digits"))
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(pair[0] * 16 + pair[1]).ok()?;
    }
    Some(hash)
}
