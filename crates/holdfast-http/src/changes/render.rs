//! Facts as JSON: what a reader of the change feed sees of a transaction.

use holdfast_engine::FeedError;
use holdfast_node::{KeyPart, TableInfo};
use holdfast_state::{
    LogTime, Namespace,
    fact::{Change, Fact},
    key::{BadKey, KeyReader},
    table::split_key,
};
use serde::Serialize;
use serde_json::{Number, Value};

use super::cbor;

/// A committed transaction, as far as the reader may and wants to see it.
#[derive(Debug, Serialize)]
pub struct Transaction {
    /// Its place in history.
    pub version: u64,
    /// Log time when it was evaluated.
    pub time: LogTime,
    /// What it changed, in the order in which it did.
    pub changes: Vec<RowChange>,
}

/// A change of one row, or of a range of them.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum RowChange {
    /// The row is this now.
    Put {
        /// The table's name.
        table: &'static str,
        /// The key's parts.
        key: Value,
        /// The row, fields by number.
        row: Value,
    },
    /// There is no such row any more.
    Delete {
        /// The table's name.
        table: &'static str,
        /// The key's parts.
        key: Value,
    },
    /// There is no row any more whose key's bytes lie in this range.
    DeleteRange {
        /// The table's name.
        table: &'static str,
        /// First key that goes, in hexadecimal.
        from: String,
        /// First key that stays, in hexadecimal; absent when none of the table does.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
}

impl Transaction {
    /// What `namespace` sees of a transaction in these tables, of rows whose keys begin
    /// with these parts; `None` when that is nothing. Ranges are shown whatever their
    /// keys: a reader who keeps a copy must know of them.
    ///
    /// # Errors
    /// [`FeedError::Broken`]: the log's bytes do not decode.
    pub fn of(
        change: &Change,
        namespace: Namespace,
        tables: &[TableInfo],
        key: &[String],
    ) -> Result<Option<Self>, FeedError> {
        let broken = |_| FeedError::Broken("a transaction does not decode".to_owned());
        let mut changes = Vec::new();
        for fact in change.facts() {
            let change = row_change(&fact.map_err(broken)?, namespace, tables);
            changes.extend(change.filter(|change| change.begins_with(key)));
        }
        let (version, time) = (change.version.get(), change.time);
        Ok((!changes.is_empty()).then_some(Self { version, time, changes }))
    }

    /// As a server-sent event.
    #[must_use]
    pub fn to_event(&self) -> String {
        let data = serde_json::to_string(self).expect("it is plain data");
        format!("id: {}\nevent: transaction\ndata: {data}\n\n", self.version)
    }
}

impl RowChange {
    fn begins_with(&self, parts: &[String]) -> bool {
        let (Self::Put { key, .. } | Self::Delete { key, .. }) = self else { return true };
        let Value::Array(shown) = key else { return parts.is_empty() };
        let is = |(shown, part): (&Value, &String)| match shown {
            Value::String(text) => text == part,
            Value::Number(number) => part.parse().is_ok_and(|part: Number| part == *number),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        };
        parts.len() <= shown.len() && shown.iter().zip(parts).all(is)
    }
}

fn row_change(fact: &Fact<'_>, namespace: Namespace, tables: &[TableInfo]) -> Option<RowChange> {
    let stored = match fact {
        Fact::Put { key, .. } | Fact::Delete { key } => key,
        Fact::DeleteRange { from, .. } => from,
    };
    let (owner, id, parts) = split_key(stored)?;
    let info = tables.iter().find(|table| table.id == id).filter(|_| owner == namespace)?;
    let table = info.name;
    Some(match fact {
        Fact::Put { key, value } => {
            RowChange::Put { table, key: show_key(info, parts, key), row: cbor::to_json(value) }
        }
        Fact::Delete { key } => RowChange::Delete { table, key: show_key(info, parts, key) },
        Fact::DeleteRange { from, to } => RowChange::DeleteRange {
            table,
            from: after_prefix(from),
            to: (from.get(..6) == to.get(..6)).then(|| after_prefix(to)),
        },
    })
}

/// A key's bytes without namespace and table.
fn after_prefix(stored: &[u8]) -> String {
    cbor::hex(stored.get(holdfast_state::table::PREFIX_LENGTH..).unwrap_or_default())
}

/// The key's parts, or all of it in hexadecimal where it has other parts than its
/// table declares.
fn show_key(table: &TableInfo, parts: KeyReader<'_>, stored: &[u8]) -> Value {
    key_parts(table, parts).unwrap_or_else(|_| Value::String(after_prefix(stored)))
}

fn key_parts(table: &TableInfo, mut parts: KeyReader<'_>) -> Result<Value, BadKey> {
    let mut shown = Vec::with_capacity(table.key.len());
    for part in table.key {
        shown.push(match part {
            KeyPart::Text => parts.str()?.into(),
            KeyPart::Bytes => cbor::hex(&parts.bytes()?).into(),
            KeyPart::U16 => parts.u16()?.into(),
            KeyPart::U32 => parts.u32()?.into(),
            KeyPart::U64 => parts.u64()?.into(),
            KeyPart::I64 => parts.i64()?.into(),
            KeyPart::Time => LogTime::from_us(parts.u64()?).to_string().into(),
        });
    }
    parts.end()?;
    Ok(Value::Array(shown))
}

#[cfg(test)]
mod tests {
    use holdfast_state::{TableId, table::stored_key};
    use serde_json::json;

    use super::*;

    const TABLE: TableInfo =
        TableInfo { id: TableId(0x7f01), name: "site.visits", key: &[KeyPart::Text, KeyPart::U64] };

    fn shown(fact: &Fact<'_>) -> Option<Value> {
        let change = row_change(fact, Namespace::new(7), &[TABLE])?;
        Some(serde_json::to_value(change).unwrap())
    }

    fn key(namespace: u32, table: u16) -> Vec<u8> {
        stored_key(Namespace::new(namespace), TableId(table), &("lisbon", 3u64))
    }

    #[test]
    fn a_put_shows_key_parts_and_numbered_fields() {
        let value = minicbor::to_vec([1u8, 2]).unwrap();
        let expected = json!({
            "op": "put", "table": "site.visits", "key": ["lisbon", 3], "row": [1, 2]
        });
        assert_eq!(shown(&Fact::Put { key: &key(7, 0x7f01), value: &value }), Some(expected));
    }

    #[test]
    fn other_namespaces_and_undeclared_tables_are_not_shown() {
        for key in [key(8, 0x7f01), key(0, 0x7f01), key(7, 0x0002)] {
            assert_eq!(shown(&Fact::Delete { key: &key }), None);
            assert_eq!(shown(&Fact::Put { key: &key, value: &[] }), None);
        }
    }

    #[test]
    fn a_key_is_told_by_its_first_parts() {
        let begins = |fact: &Fact<'_>, parts: &[&str]| {
            let parts: Vec<_> = parts.iter().map(|part| (*part).to_owned()).collect();
            row_change(fact, Namespace::new(7), &[TABLE]).unwrap().begins_with(&parts)
        };
        let stored = key(7, 0x7f01);
        for fact in [Fact::Delete { key: &stored }, Fact::Put { key: &stored, value: &[1] }] {
            assert!(begins(&fact, &[]) && begins(&fact, &["lisbon"]));
            assert!(begins(&fact, &["lisbon", "3"]));
            for other in [&["porto"][..], &["lis"], &["lisbon", "4"], &["lisbon", "3", "1"]] {
                assert!(!begins(&fact, other), "{other:?}");
            }
        }
        let range = Fact::DeleteRange { from: &stored, to: &[0, 0, 0, 7, 0x7f, 2] };
        assert!(begins(&range, &["porto"]));
        let short = stored_key(Namespace::new(7), TABLE.id, &(1u16,));
        assert!(!begins(&Fact::Delete { key: &short }, &["1"]));
    }

    #[test]
    fn a_range_is_shown_by_its_bounds() {
        let from = [0, 0, 0, 7, 0x7f, 1, 0xab];
        let range = |to: &[u8]| shown(&Fact::DeleteRange { from: &from, to }).unwrap();
        assert_eq!(range(&[0, 0, 0, 7, 0x7f, 1, 0xac])["to"], "ac");
        let all_beyond = range(&[0, 0, 0, 7, 0x7f, 2]);
        let expected = json!({"op": "delete_range", "table": "site.visits", "from": "ab"});
        assert_eq!(all_beyond, expected);
    }

    #[test]
    fn a_key_of_other_parts_is_shown_raw() {
        let key = stored_key(Namespace::new(7), TABLE.id, &(1u16,));
        assert_eq!(shown(&Fact::Delete { key: &key }).unwrap()["key"], "0001");
    }
}
