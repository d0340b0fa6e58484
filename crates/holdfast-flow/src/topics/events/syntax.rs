//! How times, URIs and media types are written.
//!
//! Nothing is looked up and nothing is rewritten: what is well-formed is kept letter for
//! letter.

/// Text that a `CloudEvents` string may have: no control characters, and none that Unicode
/// sets aside for nobody.
pub(super) fn is_text(text: &str) -> bool {
    text.chars().all(crate::topics::key::may_stand)
}

/// A URI or a relative reference (RFC 3986, section 4.1): characters, percent signs,
/// brackets and the scheme are looked at; what a scheme makes of the rest is not.
pub(super) fn is_uri_reference(text: &str) -> bool {
    let hierarchy = text.split(['?', '#']).next().unwrap_or_default();
    let first = hierarchy.split('/').next().unwrap_or_default();
    let scheme_fits = first.split_once(':').is_none_or(|(scheme, _)| is_scheme(scheme));
    scheme_fits && text.matches('#').count() <= 1 && brackets_fit(text) && is_encoded(text)
}

/// A URI with a scheme (RFC 3986, section 3).
pub(super) fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(is_scheme) && is_uri_reference(text)
}

fn is_scheme(text: &str) -> bool {
    let other = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(other)
}

/// Brackets stand around an address in an authority, and nowhere else.
fn brackets_fit(text: &str) -> bool {
    let (authority, rest) = match text.split_once("//") {
        Some((before, behind)) if before.is_empty() || before.ends_with(':') => {
            behind.split_at(behind.find(['/', '?', '#']).unwrap_or(behind.len()))
        }
        _ => ("", text),
    };
    let opened = authority.matches('[').count();
    let closed = authority.find(']') > authority.find('[') && authority.matches(']').count() == 1;
    !rest.contains(['[', ']']) && (opened == 1 && closed || !authority.contains(['[', ']']))
}

/// Characters of a URI, and percent signs before two hex digits.
fn is_encoded(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => {
                let mut digit = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                digit() && digit()
            }
            other => other.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&other),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// A time as RFC 3339 writes it, a leap second at the end of a minute included.
pub(super) fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number = |at: usize, length: usize| -> Option<u32> {
        let digits = bytes.get(at..at + length)?;
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    };
    let marks = [(4, "-"), (7, "-"), (10, "Tt"), (13, ":"), (16, ":")];
    let stands =
        |(at, any): (usize, &str)| bytes.get(at).is_some_and(|byte| any.as_bytes().contains(byte));
    let day = match (number(0, 4), number(5, 2), number(8, 2)) {
        (Some(year), Some(month), Some(day)) => (1..=days(year, month)).contains(&day),
        _ => false,
    };
    let below = |at, end| number(at, 2).is_some_and(|number| number < end);
    let time = below(11, 24) && below(14, 60) && below(17, 61);
    let Some(rest) = text.get(19..) else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            if end == 0 { "" } else { &fraction[end..] }
        }
        None => rest,
    };
    marks.into_iter().all(stands) && day && time && is_offset(rest)
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

/// `Z`, or hours and minutes.
fn is_offset(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return text.eq_ignore_ascii_case("z");
    };
    let two = |part: &str, end: u8| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && part.parse::<u8>().is_ok_and(|number| number < end)
    };
    offset.split_once(':').is_some_and(|(hours, minutes)| two(hours, 24) && two(minutes, 60))
}

/// A media type (RFC 2045, section 5.1): type, subtype, and parameters if there are any.
pub(super) fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim_end();
    let parts = essence.split_once('/');
    is_text(text) && parts.is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// What a media type says about bytes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// They are JSON.
    Json,
    /// They are text, in UTF-8.
    Text,
    /// They are bytes.
    Bytes,
}

impl Declared {
    /// What this media type says.
    pub(super) fn of(media_type: &str) -> Self {
        let lower = media_type.to_ascii_lowercase();
        let (essence, parameters) = lower.split_once(';').unwrap_or((&lower, ""));
        let essence = essence.trim();
        let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
        if subtype == "json" || subtype.ends_with("+json") {
            return Self::Json;
        }
        let charset = parameters.split(';').find_map(|one| one.trim().strip_prefix("charset="));
        let unicode = charset.is_none_or(|charset| {
            matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii")
        });
        let is_text = essence.starts_with("text/") || subtype == "xml" || subtype.ends_with("+xml");
        if is_text && unicode { Self::Text } else { Self::Bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_the_specification_are_references() {
        for fine in [
            "https://github.com/cloudevents",
            "mailto:cncf-wg-serverless@lists.cncf.io",
            "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
            "cloudevents/spec/pull/123",
            "/sensors/tn-1234567/alerts",
            "1-555-123-4567",
            "//[2001:db8::7]:80/a?b#c",
            "ldap://[2001:db8::7]/c=GB?objectClass?one",
            "a%20b",
            "./a:b",
            "?q",
        ] {
            assert!(is_uri_reference(fine), "{fine}");
        }
        for bad in
            ["a b", "1a:b", ":", "a#b#c", "%", "%4", "%zz", "ä", "a[b]", "//]a[", "<a>", "a\\b"]
        {
            assert!(!is_uri_reference(bad), "{bad}");
        }
        assert!(is_uri("https://example.com/schema#1") && is_uri("urn:x"));
        assert!(!is_uri("/schema") && !is_uri("") && !is_uri("1:x"));
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        for fine in [
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "1990-12-31T23:59:60Z",
            "2000-02-29t00:00:00.123456789z",
            "0000-01-01T00:00:00+23:59",
        ] {
            assert!(is_time(fine), "{fine}");
        }
        for bad in [
            "",
            "1985-04-12",
            "1985-04-12 23:20:50Z",
            "1985-04-12T23:20:50",
            "1985-04-12T24:20:50Z",
            "1985-04-31T23:20:50Z",
            "1900-02-29T23:20:50Z",
            "1985-13-01T23:20:50Z",
            "1985-00-01T23:20:50Z",
            "1985-04-00T23:20:50Z",
            "1985-04-12T23:60:50Z",
            "1985-04-12T23:20:61Z",
            "1985-04-12T23:20:50.Z",
            "1985-04-12T23:20:50+24:00",
            "1985-04-12T23:20:50+0800",
            "1985-04-12T23:20:50+8:00",
            "85-04-12T23:20:50Z",
            "1985-04-12T23:20:5äZ",
        ] {
            assert!(!is_time(bad), "{bad}");
        }
    }

    #[test]
    fn media_types_say_what_bytes_are() {
        for (media_type, declared) in [
            ("application/json", Declared::Json),
            ("Application/JSON; charset=utf-8", Declared::Json),
            ("application/vnd.example+json", Declared::Json),
            ("text/plain", Declared::Text),
            ("text/xml;charset=\"UTF-8\"", Declared::Text),
            ("application/soap+xml", Declared::Text),
            ("text/plain; charset=utf-16", Declared::Bytes),
            ("application/octet-stream", Declared::Bytes),
            ("image/json-not", Declared::Bytes),
        ] {
            assert!(is_media_type(media_type), "{media_type}");
            assert_eq!(Declared::of(media_type), declared, "{media_type}");
        }
        for bad in ["", "text", "text/", "/plain", "a b/c", "text/plain;\u{1}", "a/b c"] {
            assert!(!is_media_type(bad), "{bad}");
        }
    }
}
