//! What an idempotency key stands for (P13).

use std::borrow::Cow;

use holdfast_engine::Fingerprint;

/// The fingerprint of a request: of method, target (path and query), principal, raw
/// body, and the conditions of its header, if it has any.
#[must_use]
pub fn fingerprint(
    method: &str,
    target: &str,
    principal: &str,
    body: &[u8],
    conditions: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Fingerprint {
    let mut parts = vec![method.as_bytes(), target.as_bytes(), principal.as_bytes(), body];
    for (name, value) in conditions {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    Fingerprint::of(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(method: &str, target: &str, principal: &str, body: &[u8]) -> Fingerprint {
        super::fingerprint(method, target, principal, body, &[])
    }

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
        let condition = |value| [(Cow::Borrowed("if_match"), Cow::Borrowed(value))];
        let conditional =
            |value| super::fingerprint("POST", "/v1/a", "shop", b"{}", &condition(value));
        assert_ne!(base, conditional("7"));
        assert_ne!(conditional("7"), conditional("*"));
    }

    #[test]
    fn the_first_format_stays_as_it_is() {
        // Records of earlier releases hold these: a change needs another FORMAT.
        let Fingerprint(bytes) = fingerprint("POST", "/v1/ledger/transfers", "shop", b"{\"id\":1}");
        assert_eq!(u128::from_le_bytes(bytes), 12_358_172_503_193_034_061_473_372_246_992_765_937);
    }
}
