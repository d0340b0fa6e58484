//! Going through a collection in the order of its ids, a few documents at a time.

use std::ops::ControlFlow;

use holdfast_state::{Abort, Id, Read, Scan, page::bad_key};

use super::{
    place::is_over,
    row::{DocumentRow, Documents},
};
use crate::ties::Known;

/// Documents read at once: of the largest, 8 MiB.
pub(super) const ROWS_AT_ONCE: usize = 32;

/// Above every id: ids are ASCII without it.
const ABOVE_ALL: &str = "\u{7f}";

/// Which documents of a range are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that are there.
    There,
    /// All that are stored, also those whose time or session is over.
    Stored,
}

/// A range of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    /// The first that belongs to it, or what sorts just before.
    from: String,
    /// The first that does not.
    to: Option<String>,
}

impl Range {
    /// Ids that begin so, from `from` on and before `to`.
    pub(super) fn new(prefix: Option<&Id>, from: Option<&Id>, to: Option<&Id>) -> Self {
        let lowest = prefix.map(Id::as_str).into_iter().chain(from.map(Id::as_str)).max();
        let after_prefix = prefix.map(|prefix| format!("{prefix}{ABOVE_ALL}"));
        let before = to.map(|to| to.as_str().to_owned());
        let to = after_prefix.into_iter().chain(before).min();
        Self { from: lowest.unwrap_or_default().to_owned(), to }
    }

    /// What of it lies behind this id.
    pub(super) fn after(mut self, id: &Id) -> Self {
        self.from = self.from.max(format!("{id}\0"));
        self
    }
}

/// Shows the documents of a range until `visit` breaks.
pub(super) fn walk<B>(
    state: &impl Read,
    collection: &Id,
    range: Range,
    which: Which,
    mut visit: impl FnMut(Id, DocumentRow) -> ControlFlow<B>,
) -> Result<Option<B>, Abort> {
    let collection = collection.as_str();
    let to = range.to.unwrap_or_else(|| ABOVE_ALL.to_owned());
    let (mut from, mut known) = (range.from, Known::default());
    while from < to {
        let scan = Scan::up(ROWS_AT_ONCE);
        let rows = state.range::<Documents>(&(collection, &*from), &(collection, &*to), scan)?;
        let whole = rows.len() == ROWS_AT_ONCE;
        for found in rows {
            let mut key = found.key();
            let id = key.str().and_then(|_| key.id()).map_err(|_| bad_key::<Documents>())?;
            from = format!("{id}\0");
            if which == Which::There && is_over(state, &mut known, &found.row)? {
                continue;
            }
            if let ControlFlow::Break(end) = visit(id, found.row) {
                return Ok(Some(end));
            }
        }
        if !whole {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn holds(range: &Range, text: &str) -> bool {
        *range.from <= *text && range.to.as_deref().is_none_or(|to| text < to)
    }

    #[test]
    fn a_range_is_what_all_bounds_allow() {
        let prefix = Range::new(Some(&id("b")), None, None);
        for (text, inside) in [("a", false), ("b", true), ("b-", true), ("bz", true), ("c", false)]
        {
            assert_eq!(holds(&prefix, text), inside, "{text}");
        }
        let both = Range::new(Some(&id("b")), Some(&id("b2")), Some(&id("b4")));
        for (text, inside) in [("b1", false), ("b2", true), ("b39", true), ("b4", false)] {
            assert_eq!(holds(&both, text), inside, "{text}");
        }
        let behind = both.after(&id("b2"));
        assert!(!holds(&behind, "b2") && holds(&behind, "b2-") && holds(&behind, "b3"));
        assert_eq!(behind.clone().after(&id("a")), behind);
        let nothing = Range::new(Some(&id("b")), Some(&id("c")), None);
        assert!(!holds(&nothing, "b") && !holds(&nothing, "c"));
    }
}
