//! Pages of a list, and all rows of a table page by page.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    key::{BadKey, Key, after_prefix},
    store::{Scan, StoreError},
    table::{Found, Read, Table, stored_key},
    tx::Abort,
};

/// The most rows a page may have.
pub const ROWS_MAX: u32 = 1000;

/// How many rows a page has at most: 1 to 1000, 100 when nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PageSize(u32);

impl PageSize {
    /// At most this many rows; `None` unless it is 1 to 1000.
    #[must_use]
    pub const fn new(rows: u32) -> Option<Self> {
        if rows >= 1 && rows <= ROWS_MAX { Some(Self(rows)) } else { None }
    }

    /// The number of rows.
    #[must_use]
    pub const fn rows(self) -> usize {
        self.0 as usize
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(100)
    }
}

impl<'de> Deserialize<'de> for PageSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = u32::deserialize(deserializer)?;
        Self::new(rows).ok_or_else(|| de::Error::custom("a page has 1 to 1000 rows"))
    }
}

impl JsonSchema for PageSize {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PageSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": ROWS_MAX, "default": 100 })
    }
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The latest first.
    #[default]
    Newest,
    /// The earliest first.
    Oldest,
}

/// A page of a table.
#[derive(Debug)]
pub struct Page<R> {
    /// Its rows, in key order.
    pub rows: Vec<Found<R>>,
    /// Whether rows follow it.
    pub more: bool,
}

/// The rows whose keys begin with `prefix`: those after the row of `cursor`, or the
/// first ones.
///
/// # Errors
/// [`Abort`]
pub fn page<T: Table>(
    state: &impl Read,
    prefix: &impl Key,
    cursor: Option<T::Key<'_>>,
    size: PageSize,
) -> Result<Page<T::Row>, Abort> {
    let all = stored_key(state.namespace(), T::ID, prefix);
    let end = after_prefix(&all).expect("a stored key begins with a table number, not all FF");
    let from = match cursor {
        Some(last) => after(&stored_key(state.namespace(), T::ID, &last)).max(all),
        None => all,
    };
    if from >= end {
        return Ok(Page { rows: Vec::new(), more: false });
    }
    // One more than asked tells whether a page follows.
    let mut rows = state.rows::<T>(&from, &end, Scan::up(size.rows() + 1))?;
    let more = rows.len() > size.rows();
    rows.truncate(size.rows());
    Ok(Page { rows, more })
}

/// Shows every row of a table, in key order.
///
/// # Errors
/// [`Abort`]; a key of which `visit` cannot make anything is doubt.
pub fn each<T: Table>(
    state: &impl Read,
    mut visit: impl FnMut(Found<T::Row>) -> Result<(), BadKey>,
) -> Result<(), Abort> {
    each_while::<T>(state, |found| {
        visit(found).map_err(|BadKey| bad_key::<T>())?;
        Ok(true)
    })
}

/// Shows the rows of a table in key order, for as long as `visit` wants more.
///
/// # Errors
/// [`Abort`]
pub fn each_while<T: Table>(
    state: &impl Read,
    mut visit: impl FnMut(Found<T::Row>) -> Result<bool, Abort>,
) -> Result<(), Abort> {
    const ROWS: usize = 1024;
    let mut from = stored_key(state.namespace(), T::ID, &());
    let end = after_prefix(&from).expect("a table's number is not all FF");
    loop {
        let rows = state.rows::<T>(&from, &end, Scan::up(ROWS))?;
        let last = rows.last().filter(|_| rows.len() == ROWS).map(|found| after(found.stored()));
        for found in rows {
            if !visit(found)? {
                return Ok(());
            }
        }
        match last {
            Some(next) => from = next,
            None => return Ok(()),
        }
    }
}

/// The doubt that a key of `T` brings which is none.
#[must_use]
pub fn bad_key<T: Table>() -> Abort {
    StoreError::Doubt { what: format!("a key of {} does not decode", T::NAME) }.into()
}

/// The first key after this one.
fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}
