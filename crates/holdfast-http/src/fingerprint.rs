//! What an idempotency key stands for (P13).

use holdfast_engine::Fingerprint;
use xxhash_rust::xxh3::Xxh3;

/// Part of every fingerprint, so that another way to compute them gives others.
const FORMAT: u8 = 1;

/// The fingerprint of a request: xxh3-128 over format number, method, target
/// (path and query), principal and raw body, each behind its length, so that
/// nothing can move from one into the next.
///
/// It guards against mistakes, not against forgery: whoever could make two
/// requests collide could as well have sent the second under a key of its own.
#[must_use]
pub fn fingerprint(method: &str, target: &str, principal: &str, body: &[u8]) -> Fingerprint {
    let mut hash = Xxh3::new();
    hash.update(&[FORMAT]);
    for part in [method.as_bytes(), target.as_bytes(), principal.as_bytes(), body] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Fingerprint(hash.digest128().to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_none_flows_into_the_next() {
        let base = fingerprint("POST", "/v1/a", "shop", b"{}");
        assert_eq!(base, fingerprint("POST", "/v1/a", "shop", b"{}"));
        for other in [
            fingerprint("PUT", "/v1/a", "shop", b"{}"),
            fingerprint("POST", "/v1/a?x=1", "shop", b"{}"),
            fingerprint("POST", "/v1/a", "shop2", b"{}"),
            fingerprint("POST", "/v1/a", "shop", b"{} "),
            fingerprint("POST", "/v1/as", "hop", b"{}"),
            fingerprint("POST", "/v1/a", "shop{", b"}"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn the_first_format_stays_as_it_is() {
        // Records of earlier releases hold these: a change needs another FORMAT.
        let Fingerprint(bytes) = fingerprint("POST", "/v1/ledger/transfers", "shop", b"{\"id\":1}");
        assert_eq!(u128::from_le_bytes(bytes), 12_358_172_503_193_034_061_473_372_246_992_765_937);
    }
}
