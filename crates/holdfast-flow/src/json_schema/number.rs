//! How numbers compare: integers exactly, others as the doubles nearest to them.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// From here on every double is an integer.
const WHOLE_FROM: f64 = 9_007_199_254_740_992.0;

/// A number.
#[derive(Clone, Copy, Debug)]
pub enum Num {
    /// An integer that fits.
    Integer(i128),
    /// Not an integer, or larger than any that fits.
    Double(f64),
}

impl Num {
    /// The number that JSON writes so. `1.0` is the integer 1.
    #[must_use]
    pub fn of(number: &Number) -> Self {
        if let Some(integer) = number.as_i64() {
            return Self::Integer(integer.into());
        }
        if let Some(integer) = number.as_u64() {
            return Self::Integer(integer.into());
        }
        let double = number.as_f64().expect("a number of JSON has a double near it");
        if double.fract() == 0.0 && double.abs() < WHOLE_FROM {
            return Self::Integer(whole(double));
        }
        Self::Double(double)
    }

    /// Is it an integer, however large?
    #[must_use]
    pub fn is_integer(self) -> bool {
        match self {
            Self::Integer(_) => true,
            Self::Double(double) => double.fract() == 0.0,
        }
    }

    /// Is it a multiple of this integer, which is at most 2^53?
    #[must_use]
    pub fn is_multiple_of(self, of: u64) -> bool {
        match self {
            Self::Integer(integer) => integer % i128::from(of) == 0,
            // The remainder of doubles is exact.
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53: doubles have it")]
            Self::Double(double) => double % (of as f64) == 0.0,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53")]
fn whole(double: f64) -> i128 {
    double as i128
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Num {}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Num {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => one.cmp(other),
            (Self::Double(one), Self::Double(other)) => one.total_cmp(other),
            (Self::Integer(one), Self::Double(other)) => beside(*one, *other),
            (Self::Double(one), Self::Integer(other)) => beside(*other, *one).reverse(),
        }
    }
}

/// An integer beside a double that has a fraction or is 2^53 or larger.
fn beside(integer: i128, double: f64) -> Ordering {
    if double.abs() < WHOLE_FROM {
        // Never equal: the double has a fraction.
        return if integer <= whole(double.floor()) { Ordering::Less } else { Ordering::Greater };
    }
    // Integers of JSON have 64 bits, so that 2^100 is beyond all of them.
    if double.abs() < 1e30 { integer.cmp(&whole(double)) } else { 0.0_f64.total_cmp(&double) }
}

/// Are two values the same by JSON Schema, for which 1 is 1.0?
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Num::of(one) == Num::of(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let there = |(name, one)| other.get(name).is_some_and(|other| same(one, other));
            one.len() == other.len() && one.iter().all(there)
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn num(json: &str) -> Num {
        Num::of(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn numbers_are_in_order_however_they_are_written() {
        let rising = [
            "-1e400",
            "-1e300",
            "-9223372036854775808",
            "-9007199254740993",
            "-1.5",
            "-1",
            "0",
            "0.5",
            "1",
            "1.5",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "1e300",
        ];
        let rising: Vec<_> =
            rising.iter().filter_map(|json| serde_json::from_str(json).ok()).collect();
        let rising: Vec<Num> = rising.iter().map(Num::of).collect();
        assert!(rising.len() >= 13 && rising.windows(2).all(|two| two[0] < two[1]), "{rising:?}");
        assert_eq!(num("1.0"), num("1"));
        assert_eq!(num("-0.0"), num("0"));
        assert_eq!(num("1e18"), num("1000000000000000000"));
        assert!(num("1e300").is_integer() && !num("0.5").is_integer());
        assert!(num("30").is_multiple_of(10) && num("1e300").is_multiple_of(2));
        assert!(!num("31").is_multiple_of(10) && !num("0.5").is_multiple_of(1));
    }
}
