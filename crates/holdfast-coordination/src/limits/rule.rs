//! Rules: which requests are counted together, and how many of them are allowed.

use std::collections::BTreeMap;

use holdfast_state::{Id, Lifetime};
use minicbor::{Decode, Encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    descriptors::{DescriptorValue, Descriptors},
    quota::{CONCURRENCY_MAX, Quota, Units},
};

/// The most rules that a limit may have.
pub const RULES_MAX: usize = 32;

/// The most descriptors by which a rule counts.
pub const BY_MAX: usize = 8;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name. Of rules with one name the first that applies to a request counts, so that
    /// some may be allowed more than others.
    #[n(0)]
    pub name: Id,
    /// One counter for each combination of values of these descriptors, in this order; one
    /// for all requests when it is empty. To a request that has not all of them the rule
    /// does not apply.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Id>,
    /// It applies only to requests with these descriptors.
    #[n(2)]
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<Id, DescriptorValue>,
    /// How much is allowed.
    #[n(3)]
    pub quota: Quota,
    /// It counts and says what it would deny, but denies nothing.
    #[n(4)]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// What an edge does with a request to which this applies when it can ask nobody.
    #[n(5)]
    #[serde(default, skip_serializing_if = "OnFailure::is_open")]
    pub on_failure: OnFailure,
}

/// What is done without an answer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum OnFailure {
    /// The request is allowed.
    #[default]
    #[n(0)]
    Open,
    /// The request is denied.
    #[n(1)]
    Closed,
}

impl OnFailure {
    /// Is the request allowed without an answer?
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }
}

impl Rule {
    /// Does it count such a request?
    #[must_use]
    pub fn applies_to(&self, request: &Descriptors) -> bool {
        self.by.iter().all(|name| request.get(name).is_some())
            && self.only.iter().all(|(name, value)| request.get(name) == Some(value))
    }

    /// The counter of such a request: the values by which it counts, as a JSON list.
    #[must_use]
    pub fn counter_of(&self, request: &Descriptors) -> String {
        let values = self.by.iter().filter_map(|name| request.get(name));
        let values: Vec<_> = values.map(DescriptorValue::as_str).collect();
        serde_json::to_string(&values).expect("a list of texts is JSON")
    }

    /// Is it this rule, with counters that mean the same?
    #[must_use]
    pub fn keeps(&self, other: &Self) -> bool {
        let same = self.name == other.name && self.by == other.by && self.only == other.only;
        same && self.quota.keeps(&other.quota)
    }
}

/// The rules of a limit, 1 to 32, in the order in which they are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Rule>")]
pub struct Rules(Vec<Rule>);

/// Why a list is not [`Rules`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRules {
    /// None, or too many.
    #[error("a limit has 1 to {RULES_MAX} rules, not {0}")]
    Count(usize),
    /// Too many descriptors, or one twice.
    #[error("rule {0} counts by at most {BY_MAX} different descriptors")]
    By(Id),
    /// Too long a memory.
    #[error("the quota of rule {0} would not be whole again within ten years")]
    Slow(Id),
    /// Too many holders for one row.
    #[error("rule {0} allows more than {CONCURRENCY_MAX} at one time")]
    Crowd(Id),
    /// Two rules that count the same requests under one name: the second never would.
    #[error("two rules {0} apply to the same requests")]
    Twice(Id),
}

impl Rules {
    /// The rules, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Rule] {
        &self.0
    }
}

impl TryFrom<Vec<Rule>> for Rules {
    type Error = NotRules;

    fn try_from(rules: Vec<Rule>) -> Result<Self, NotRules> {
        if rules.is_empty() || rules.len() > RULES_MAX {
            return Err(NotRules::Count(rules.len()));
        }
        for (place, rule) in rules.iter().enumerate() {
            let distinct = (1..rule.by.len()).all(|at| !rule.by[..at].contains(&rule.by[at]));
            if !distinct || rule.by.len() > BY_MAX {
                return Err(NotRules::By(rule.name.clone()));
            }
            if Lifetime::from_us(rule.quota.window_us()).is_err() {
                return Err(NotRules::Slow(rule.name.clone()));
            }
            let crowd = |max: Units| max.get() > CONCURRENCY_MAX;
            if matches!(rule.quota, Quota::Concurrency { max, .. } if crowd(max)) {
                return Err(NotRules::Crowd(rule.name.clone()));
            }
            let same = |other: &Rule| {
                other.name == rule.name && other.by == rule.by && other.only == rule.only
            };
            if rules[..place].iter().any(same) {
                return Err(NotRules::Twice(rule.name.clone()));
            }
        }
        Ok(Self(rules))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: &str = r#""quota":{"algorithm":"sliding_log","max":9,"window":"PT1M"}"#;

    fn rules(list: &[&str]) -> Result<Rules, String> {
        let list: Vec<_> = list.iter().map(|fields| format!("{{{fields},{QUOTA}}}")).collect();
        let list = format!("[{}]", list.join(","));
        serde_json::from_str(&list).map_err(|error| error.to_string())
    }

    fn request(json: &str) -> Descriptors {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_rule_applies_where_it_can_count_and_its_descriptors_fit() {
        let rules = rules(&[r#""name":"a","by":["tenant","user"],"where":{"route":"search"}"#]);
        let rule = &rules.unwrap().0[0];
        let whole = request(r#"{"user":"u\"1","tenant":"t","route":"search","more":"x"}"#);
        assert!(rule.applies_to(&whole));
        assert_eq!(rule.counter_of(&whole), r#"["t","u\"1"]"#);
        for other in [
            r#"{"tenant":"t","route":"search"}"#,
            r#"{"tenant":"t","user":"u","route":"buy"}"#,
            r#"{"tenant":"t","user":"u"}"#,
        ] {
            assert!(!rule.applies_to(&request(other)), "{other}");
        }
    }

    #[test]
    fn lists_that_could_not_work_are_refused() {
        assert!(rules(&[]).unwrap_err().contains("1 to 32 rules"));
        assert!(rules(&[r#""name":"a""#; 33]).unwrap_err().contains("1 to 32 rules"));
        assert!(rules(&[r#""name":"a","by":["x","x"]"#]).unwrap_err().contains("different"));
        assert!(rules(&[r#""name":"a""#; 2]).unwrap_err().contains("two rules a"));
        let both = [r#""name":"a","where":{"plan":"free"}"#, r#""name":"a""#];
        assert_eq!(rules(&both).unwrap().0.len(), 2);
        let slow = r#"[{"name":"a","quota":{"algorithm":"token_bucket","capacity":11,"refill":1,"every":"P366D"}}]"#;
        let error = serde_json::from_str::<Rules>(slow).unwrap_err().to_string();
        assert!(error.contains("within ten years"), "{error}");
    }
}
