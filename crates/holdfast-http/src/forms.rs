//! Content types: which form a request is in, and in which form its answer is wanted.
//!
//! JSON is what every command takes and gives. Which commands know other forms, the registry
//! says (`AskedForm`, `AnsweredForm` of `holdfast-state`), with a function for each; nothing
//! here knows what any of them is. A request in another form becomes the JSON of its spec
//! before anything looks at it, and goes on as if it had come so. `Accept` is looked at where
//! there is a choice; everywhere else answers are JSON, whatever it says.

use std::borrow::Cow;

use holdfast_state::command::{
    Entry,
    foreign::{AnsweredForm, AskedForm, Foreign, ToldBy},
};
use hyper::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};

use crate::{
    events,
    problem::{Kind, Problem},
    query::Fields,
    reply::{self, Reply},
};

const JSON: &str = "application/json";

/// The form of a request that has a body, or fields of a form; `None` for JSON.
///
/// # Errors
/// `unsupported_media_type`, with all that the command takes.
pub(crate) fn asked(
    headers: &HeaderMap,
    entry: &Entry,
    has_body: bool,
) -> Result<Option<&'static AskedForm>, Problem> {
    let given = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = given.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is = |media_type: &str| essence.eq_ignore_ascii_case(media_type.as_bytes());
    let told = |form: &&AskedForm| match form.told_by {
        ToldBy::MediaType(media_type) => is(media_type),
        ToldBy::Fields(prefix) => headers.keys().any(|name| name.as_str().starts_with(prefix)),
    };
    if let Some(form) = entry.asked_in.iter().find(told) {
        return Ok(Some(form));
    }
    if is(JSON) || !has_body {
        return Ok(None);
    }
    let others = entry.asked_in.iter().filter_map(|form| match form.told_by {
        ToldBy::MediaType(media_type) => Some(media_type),
        ToldBy::Fields(_) => None,
    });
    let accepted: Vec<_> = std::iter::once(JSON).chain(others).collect();
    let shown = String::from_utf8_lossy(given);
    let detail = format_args!("the body is declared as {shown:?}; send {}", accepted.join(" or "));
    Err(Problem::new(Kind::UnsupportedMediaType, detail).fact("accepted", accepted).closing())
}

/// The JSON of a spec, of a request in this form.
///
/// # Errors
/// What the form's function finds wrong.
pub(crate) fn read(form: &AskedForm, headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::to_str).transpose();
    let media_type = media_type.map_err(|_| {
        let detail = format_args!("{CONTENT_TYPE}: it is not visible ASCII");
        Problem::new(Kind::InvalidHeader, detail).fact("header", CONTENT_TYPE.as_str())
    })?;
    let fields: Vec<_> =
        fields_of(form, headers).map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let foreign = Foreign { media_type: media_type.unwrap_or_default(), fields: &fields, body };
    Ok((form.read)(foreign)?)
}

/// What makes a request in this form another than one with the same body, for its
/// fingerprint: in one order, whatever order came.
pub(crate) fn fingerprinted(form: &AskedForm, headers: &HeaderMap) -> Fields<'static> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let given = headers.get(CONTENT_TYPE).into_iter().map(|value| (&CONTENT_TYPE, value));
    let mut all: Fields<'static> = given
        .chain(fields_of(form, headers))
        .map(|(name, value)| (Cow::Owned(name.as_str().to_owned()), Cow::Owned(text(value))))
        .collect();
    all.sort();
    all
}

fn fields_of<'h>(
    form: &AskedForm,
    headers: &'h HeaderMap,
) -> impl Iterator<Item = (&'h HeaderName, &'h HeaderValue)> {
    let prefix = match form.told_by {
        ToldBy::Fields(prefix) => Some(prefix),
        ToldBy::MediaType(_) => None,
    };
    headers.iter().filter(move |(name, _)| prefix.is_some_and(|it| name.as_str().starts_with(it)))
}

/// The form in which the answer is wanted; `None` for JSON.
///
/// # Errors
/// `not_acceptable`, where the command knows several forms and the client takes none.
pub(crate) fn answered(
    headers: &HeaderMap,
    entry: &Entry,
) -> Result<Option<&'static AnsweredForm>, Problem> {
    if entry.answered_in.is_empty() {
        return Ok(None);
    }
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return Ok(None);
    }
    let json = (quality(&ranges, JSON), None);
    let others = entry.answered_in.iter();
    let others = others.map(|form| (quality(&ranges, form.media_type), Some(form)));
    // The first of the best: `max_by_key` would take the last.
    let best = others.fold(json, |best, other| if other.0 > best.0 { other } else { best });
    if best.0 > 0 {
        return Ok(best.1);
    }
    let others = entry.answered_in.iter().map(|form| form.media_type);
    let stream = entry.tailed_from.map(|_| events::MEDIA_TYPE);
    let offered: Vec<_> = std::iter::once(JSON).chain(others).chain(stream).collect();
    let detail = format_args!("the answer can be {}", offered.join(" or "));
    Err(Problem::new(Kind::NotAcceptable, detail).fact("offered", offered))
}

/// A range of media types and how much it is wanted, from 0 to 1000.
type Range = (String, u16);

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(',')).filter(|range| !range.trim().is_empty());
    ranges
        .map(|range| {
            let mut parts = range.split(';');
            let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let quality = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
            });
            (essence, quality.unwrap_or(1000))
        })
        .collect()
}

/// A weight as RFC 9110 writes it (section 12.4.2); what is written otherwise counts as 1.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("0", true) => format!("{fraction:0<3}").parse().unwrap_or(1000),
        _ => 1000,
    }
}

/// How much a media type is wanted: what the range says that fits it best.
fn quality(ranges: &[Range], media_type: &str) -> u16 {
    let kind = media_type.split('/').next().unwrap_or_default();
    let any_of_kind = format!("{kind}/*");
    let wanted = |range: &str| ranges.iter().find(|(essence, _)| essence == range);
    let found = wanted(media_type).or_else(|| wanted(&any_of_kind)).or_else(|| wanted("*/*"));
    found.map_or(0, |(_, quality)| *quality)
}

/// An outcome in this form.
pub(crate) fn write(form: &AnsweredForm, outcome: &[u8]) -> Reply {
    let rendered = (form.write)(outcome);
    let mut response = reply::text(form.media_type, rendered.body);
    for (name, value) in rendered.fields {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a form's fields have names");
        let value = HeaderValue::from_str(&value).expect("a form's fields are visible ASCII");
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality_of(accept: &str, media_type: &str) -> u16 {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_str(accept).unwrap());
        quality(&ranges(&headers), media_type)
    }

    #[test]
    fn the_range_that_fits_best_decides() {
        for (accept, expected) in [
            ("*/*", 1000),
            ("application/json", 1000),
            ("APPLICATION/JSON ; charset=utf-8", 1000),
            ("text/html, application/*;q=0.5", 500),
            ("application/json;q=0, */*", 0),
            ("*/*;q=0.1, application/json;q=0.75", 750),
            ("application/json;q=1.000", 1000),
            ("application/json; q=0.001", 1),
            ("application/json;q=nonsense", 1000),
            ("text/*", 0),
            ("", 0),
        ] {
            assert_eq!(quality_of(accept, JSON), expected, "{accept:?}");
        }
    }
}
