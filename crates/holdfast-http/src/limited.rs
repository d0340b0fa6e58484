//! Header fields of a refusal by a limit (429).
//!
//! Such a refusal may say in its facts, under `fields`, what its client is to be told in
//! header fields: when to ask again (RFC 9110, section 10.2.3), and how its quotas stand
//! (`RateLimit`, an IETF draft). The names that are known here become fields of the
//! answer, of a stored one too, since its facts are stored with it.

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::Deserialize;

const RATELIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Deserialize)]
struct Details {
    facts: Facts,
}

#[derive(Deserialize)]
struct Facts {
    fields: Fields,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "RateLimit-Policy")]
    policy: Option<String>,
    #[serde(rename = "RateLimit")]
    standing: Option<String>,
    #[serde(rename = "Retry-After")]
    retry_after: Option<String>,
}

/// Puts the fields into an answer's header that its problem details ask for, if they ask
/// for any.
pub(crate) fn put_fields(headers: &mut HeaderMap, details: &[u8]) {
    let Ok(Details { facts: Facts { fields } }) = serde_json::from_slice(details) else { return };
    let named = [
        (RATELIMIT_POLICY, fields.policy),
        (RATELIMIT, fields.standing),
        (RETRY_AFTER, fields.retry_after),
    ];
    for (name, value) in named {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(details: &str) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        put_fields(&mut headers, details.as_bytes());
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut fields: Vec<_> =
            headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        fields.sort();
        fields
    }

    #[test]
    fn what_a_limit_says_becomes_header_fields_and_nothing_else_does() {
        let said = fields(
            r#"{"code":"x","facts":{"cost":1,"fields":{"RateLimit":"\"a\";r=0;t=7",
            "RateLimit-Policy":"\"a\";q=5;w=10","Retry-After":"2","Set-Cookie":"x"}}}"#,
        );
        let expected = [
            ("ratelimit", "\"a\";r=0;t=7"),
            ("ratelimit-policy", "\"a\";q=5;w=10"),
            ("retry-after", "2"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(said, expected);
        for none in ["", "{}", r#"{"facts":{}}"#, r#"{"facts":{"fields":{"Retry-After":"a\nb"}}}"#]
        {
            assert_eq!(fields(none), [], "{none}");
        }
    }
}
