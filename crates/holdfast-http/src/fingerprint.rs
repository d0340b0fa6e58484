//! What an idempotency key stands for (P13).

use holdfast_engine::Fingerprint;

/// The fingerprint of a request: of method, target (path and query), principal and
/// raw body.
#[must_use]
pub fn fingerprint(method: &str, target: &str, principal: &str, body: &[u8]) -> Fingerprint {
    Fingerprint::of(&[method.as_bytes(), target.as_bytes(), principal.as_bytes(), body])
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
