//! The pages of `docs/errors`, carried in the binary: a problem's `type` leads to
//! the page about it on the very server that reported it.

/// Code and Markdown text, sorted by code.
pub const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page about this code.
#[must_use]
pub fn page(code: &str) -> Option<&'static str> {
    let found = PAGES.binary_search_by_key(&code, |(name, _)| name).ok()?;
    PAGES.get(found).map(|(_, text)| *text)
}
