//! Who is asking, and what for.
//!
//! A key is a secret that the client sends as `Authorization: Bearer …`; the
//! server knows its SHA-256 only. Secrets are random and long, so a fast hash
//! does (a slow one is for passwords that people choose). A key decides the
//! namespace: no request can name one.
//!
//! Without any key the server trusts whoever reaches it, and so listens on
//! loopback only.

use holdfast_state::Namespace;
use hyper::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};

use crate::problem::{Kind, Problem};

/// What a key may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Queries, the change feed.
    Read,
    /// Commands that write.
    Write,
    /// Metrics of the whole server.
    Admin,
}

impl Role {
    /// The word in configuration and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// A credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it is called in logs; part of fingerprints, so that another secret under
    /// the same name repeats requests of the first.
    pub name: String,
    /// Whose state its requests see.
    pub namespace: Namespace,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret.
    pub sha256: [u8; 32],
}

/// Whoever makes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal<'k> {
    /// Name of the key; empty without keys.
    pub name: &'k str,
    /// Whose state is seen.
    pub namespace: Namespace,
    /// What is allowed.
    pub role: Role,
}

/// All credentials of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// These credentials.
    #[must_use]
    pub const fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// None: everyone who reaches the server is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The namespaces that somebody may ask in, each once, in order.
    #[must_use]
    pub fn namespaces(&self) -> Vec<Namespace> {
        if self.is_empty() {
            return vec![Namespace::DEFAULT];
        }
        let mut namespaces: Vec<_> = self.0.iter().map(|key| key.namespace).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        namespaces
    }

    /// Who sends these header fields.
    ///
    /// # Errors
    /// `unauthorized`
    pub fn identify(&self, headers: &HeaderMap) -> Result<Principal<'_>, Problem> {
        if self.is_empty() {
            return Ok(Principal { name: "", namespace: Namespace::DEFAULT, role: Role::Admin });
        }
        let unauthorized = |detail: &str| Problem::new(Kind::Unauthorized, detail);
        let value = headers
            .get(AUTHORIZATION)
            .ok_or_else(|| unauthorized("send Authorization: Bearer SECRET"))?;
        let secret = bearer(value.as_bytes())
            .ok_or_else(|| unauthorized("the Authorization header is not Bearer SECRET"))?;
        let key = self.find(secret).ok_or_else(|| unauthorized("the key is not known"))?;
        Ok(Principal { name: &key.name, namespace: key.namespace, role: key.role })
    }

    /// Looks at all keys and at all bytes of each, so that the time it takes tells
    /// nothing about them.
    fn find(&self, secret: &[u8]) -> Option<&Key> {
        let given: [u8; 32] = Sha256::digest(secret).into();
        let mut found = None;
        for key in &self.0 {
            let difference = key.sha256.iter().zip(given).fold(0, |sum, (a, b)| sum | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                found = Some(key);
            }
        }
        found
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, secret) = value.split_at_checked(7)?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !secret.is_empty()).then_some(secret)
}

impl Principal<'_> {
    /// Is at least this allowed?
    ///
    /// # Errors
    /// `forbidden`
    pub fn may(&self, needed: Role) -> Result<(), Problem> {
        if self.role >= needed {
            return Ok(());
        }
        let (name, has, needed) = (self.name, self.role.as_str(), needed.as_str());
        let detail = format_args!("the key {name:?} has the role {has}; this takes {needed}");
        Err(Problem::new(Kind::Forbidden, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let key = |name: &str, secret: &str, role| Key {
            name: name.to_owned(),
            namespace: Namespace::new(7),
            role,
            sha256: Sha256::digest(secret).into(),
        };
        Keys::new(vec![
            key("reader", "open sesame", Role::Read),
            key("shop", "s3cret", Role::Write),
        ])
    }

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn a_key_decides_name_namespace_and_role() {
        let keys = keys();
        let principal = keys.identify(&headers("bearer s3cret")).unwrap();
        let expected = Principal { name: "shop", namespace: Namespace::new(7), role: Role::Write };
        assert_eq!(principal, expected);
        assert_eq!(principal.may(Role::Read), Ok(()));
        assert_eq!(principal.may(Role::Write), Ok(()));
        assert_eq!(principal.may(Role::Admin).unwrap_err().code, "forbidden");
    }

    #[test]
    fn whatever_is_not_a_known_secret_is_refused() {
        let keys = keys();
        for bad in
            ["", "Bearer", "Bearer ", "Bearer S3CRET", "Basic s3cret", "s3cret", "Bearer  s3cret"]
        {
            let refused = keys.identify(&headers(bad)).map_err(|problem| problem.code);
            assert_eq!(refused, Err("unauthorized"), "{bad:?}");
        }
        let refused = keys.identify(&HeaderMap::new()).map_err(|problem| problem.code);
        assert_eq!(refused, Err("unauthorized"));
    }
}
