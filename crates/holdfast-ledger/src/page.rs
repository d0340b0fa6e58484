//! Pages of a list.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

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
