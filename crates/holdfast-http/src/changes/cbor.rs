//! CBOR as JSON, whatever it holds.
//!
//! Rows have numbered fields, so a map's keys become text (`{"0": …}`) and arrays
//! stay arrays. Bytes are shown in hexadecimal. What JSON has no word for, or is no
//! CBOR at all, is shown as the hexadecimal of the whole value: a reader of the
//! feed gets every change, also of rows that a newer release wrote.

use minicbor::{Decoder, data::Type, decode::Error};
use serde_json::{Map, Value};

/// Nesting beyond which a row is shown raw.
const DEPTH_MAX: u32 = 32;

/// The value as JSON.
#[must_use]
pub fn to_json(bytes: &[u8]) -> Value {
    let mut decoder = Decoder::new(bytes);
    match value(&mut decoder, 0) {
        Ok(value) if decoder.position() == bytes.len() => value,
        Ok(_) | Err(_) => Value::String(hex(bytes)),
    }
}

/// Bytes in hexadecimal, lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| char::from_digit(u32::from(nibble), 16).expect("four bits")).collect()
}

fn value(d: &mut Decoder<'_>, depth: u32) -> Result<Value, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::message("nested too deeply"));
    }
    Ok(match d.datatype()? {
        Type::Bool => d.bool()?.into(),
        Type::Null => {
            d.null()?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => d.u64()?.into(),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => d.i64()?.into(),
        Type::F16 | Type::F32 | Type::F64 => d.f64()?.into(),
        Type::String => d.str()?.into(),
        Type::Bytes => hex(d.bytes()?).into(),
        Type::Array | Type::ArrayIndef => array(d, depth)?,
        Type::Map | Type::MapIndef => map(d, depth)?,
        Type::Tag => {
            d.tag()?;
            value(d, depth + 1)?
        }
        Type::Undefined
        | Type::Simple
        | Type::Int
        | Type::BytesIndef
        | Type::StringIndef
        | Type::Break
        | Type::Unknown(_) => return Err(Error::message("JSON has no word for this")),
    })
}

fn array(d: &mut Decoder<'_>, depth: u32) -> Result<Value, Error> {
    let mut items = Vec::new();
    let length = d.array()?;
    while goes_on(d, length, items.len())? {
        items.push(value(d, depth + 1)?);
    }
    Ok(Value::Array(items))
}

fn map(d: &mut Decoder<'_>, depth: u32) -> Result<Value, Error> {
    let mut fields = Map::new();
    let mut count = 0;
    let length = d.map()?;
    while goes_on(d, length, count)? {
        let name = match value(d, depth + 1)? {
            Value::String(name) => name,
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Error::message("JSON has no such keys"));
            }
        };
        fields.insert(name, value(d, depth + 1)?);
        count += 1;
    }
    Ok(Value::Object(fields))
}

/// Is there another item? Takes the mark at the end of an indefinite length.
fn goes_on(d: &mut Decoder<'_>, length: Option<u64>, count: usize) -> Result<bool, Error> {
    match length {
        Some(length) => Ok((count as u64) < length),
        None if d.datatype()? == Type::Break => {
            d.set_position(d.position() + 1);
            Ok(false)
        }
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use minicbor::{Encode, bytes::ByteVec};
    use serde_json::json;

    use super::*;

    #[derive(Encode)]
    #[cbor(map)]
    struct Row {
        #[n(0)]
        name: String,
        #[n(2)]
        amount: i64,
        #[n(5)]
        parts: Vec<Option<bool>>,
        #[n(6)]
        raw: ByteVec,
    }

    #[test]
    fn a_row_becomes_an_object_of_numbered_fields() {
        let row = Row {
            name: "a".to_owned(),
            amount: -5,
            parts: vec![Some(true), None],
            raw: vec![0xAB, 0].into(),
        };
        let shown = to_json(&minicbor::to_vec(row).unwrap());
        assert_eq!(shown, json!({"0": "a", "2": -5, "5": [true, null], "6": "ab00"}));
    }

    #[test]
    fn indefinite_lengths_are_read() {
        assert_eq!(to_json(&[0x9F, 1, 2, 0xFF]), json!([1, 2]));
        assert_eq!(to_json(&[0xBF, 1, 2, 0xFF]), json!({"1": 2}));
    }

    #[test]
    fn what_json_cannot_say_is_shown_raw() {
        for bytes in [
            &[][..],
            &[0xFF],
            &[0x82, 1],
            &[1, 2],
            &[0xF7],
            &[0xA1, 0x80, 1],
            &[0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x81; 40],
            &[0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            assert_eq!(to_json(bytes), json!(hex(bytes)), "{bytes:?}");
        }
    }
}
