//! Percent-encoded text, in paths and queries.

use std::borrow::Cow;

use crate::problem::{Kind, Problem};

/// Names and values that came as text.
pub type Fields<'t> = Vec<(Cow<'t, str>, Cow<'t, str>)>;

/// A path segment as the text it stands for.
///
/// # Errors
/// `malformed_request`: a percent sign without two hex digits, or not UTF-8.
pub fn segment(raw: &str) -> Result<Cow<'_, str>, Problem> {
    decode(raw, false)
}

/// The fields of a query, in order; `+` stands for a space.
///
/// # Errors
/// As [`segment`].
pub fn fields(query: &str) -> Result<Fields<'_>, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

fn decode(raw: &str, plus_is_space: bool) -> Result<Cow<'_, str>, Problem> {
    if !raw.bytes().any(|byte| byte == b'%' || (plus_is_space && byte == b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut nibble = || char::from(bytes.next()?).to_digit(16);
                let pair = nibble().zip(nibble());
                let (high, low) = pair.ok_or_else(|| malformed(raw))?;
                u8::try_from(high * 16 + low).expect("two hex digits")
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| malformed(raw))
}

fn malformed(raw: &str) -> Problem {
    Problem::new(Kind::MalformedRequest, format_args!("{raw:?} is not percent-encoded UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read() {
        for (raw, text) in [("", ""), ("%C3%a4%2F%25", "ä/%"), ("%00", "\u{0}"), ("~._-:", "~._-:")]
        {
            assert_eq!(segment(raw).unwrap(), text);
        }
        let found = fields("a=x%26y&b=1+2&c&&d==").unwrap();
        let found: Vec<_> = found.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        assert_eq!(found, [("a", "x&y"), ("b", "1 2"), ("c", ""), ("d", "=")]);
        assert_eq!(segment("a+b").unwrap(), "a+b");
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for bad in ["%", "%4", "%zz", "%ff", "a%c3", "%+1"] {
            assert_eq!(segment(bad).unwrap_err().code, "malformed_request", "{bad}");
            assert_eq!(fields(bad).unwrap_err().code, "malformed_request", "{bad}");
        }
    }
}
