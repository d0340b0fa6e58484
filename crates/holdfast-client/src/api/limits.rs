//! Commands of `limits`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod check;
mod delete;
mod get;
mod list;
mod put;
mod release;
mod renew;
mod slice;
mod status;
mod take;

use serde::{Deserialize, Serialize};

use crate::{json::Json, lifetime::Lifetime};

pub use check::{CheckLimitOutcome, CheckLimitSpec, CheckedLimit};
pub use delete::{DeleteLimitOutcome, DeleteLimitSpec, LimitDeleted};
pub use get::GetLimitSpec;
pub use list::{LimitsPage, ListLimitsSpec};
pub use put::{LimitPut, PutLimitOutcome, PutLimitSpec};
pub use release::{HolderReleased, ReleaseHolderOutcome, ReleaseHolderSpec};
pub use renew::{HeldRule, HolderRenewed, RenewHolderOutcome, RenewHolderSpec};
pub use slice::{SliceTaken, TakeSliceOutcome, TakeSliceSpec};
pub use status::{AcceptedCost, LimitStatusOutcome, LimitStatusSpec, RuleStatus};
pub use take::{TakeLimitOutcome, TakeLimitSpec, TakenLimit};

/// Header fields, by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitFields {
    /// How they stand.
    #[serde(rename = "RateLimit", default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<String>,
    /// The rules that apply.
    #[serde(rename = "RateLimit-Policy", default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_policy: Option<String>,
    /// When to ask again, of a request that was denied.
    #[serde(rename = "Retry-After", default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}

/// What is done without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The request is allowed.
    Open,
    /// The request is denied.
    Closed,
}

/// So much, by an algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "algorithm", rename_all = "snake_case")]
pub enum Quota {
    /// At most `max` in every window of this length, wherever it begins: exact. Keeps a
    /// stamp of a few bytes for each request of the last window.
    SlidingLog {
        /// How much in a window.
        max: u64,
        /// The window's length.
        window: Lifetime,
    },
    /// About `max` in every window: the count of this fixed window and a share of the last
    /// one's, as if that had been spread evenly. Keeps two numbers.
    SlidingCounter {
        /// How much in a window.
        max: u64,
        /// The window's length.
        window: Lifetime,
    },
    /// A bucket that holds `capacity` tokens and gets `refill` of them, evenly, `every` so
    /// often. Keeps how full it was when.
    TokenBucket {
        /// How many tokens it holds: the largest burst.
        capacity: u64,
        /// How many it gets.
        refill: u64,
        /// In how long.
        every: Lifetime,
    },
    /// The generic cell rate algorithm: `max` in a window, spaced evenly, with bursts of up
    /// to `burst`. Keeps one time.
    Gcra {
        /// How much in a window.
        max: u64,
        /// The window's length.
        window: Lifetime,
        /// How much at once; `max` when nothing is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        burst: Option<u64>,
    },
    /// At most `max` at one time. Who holds some of it gives it back (`limits.release`), or
    /// has it for `ttl`, unless it renews. Keeps a row for each holder.
    Concurrency {
        /// How much at one time; at most 1000.
        max: u64,
        /// For how long a holder has it.
        ttl: Lifetime,
    },
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name. Of rules with one name the first that applies to a request counts, so that
    /// some may be allowed more than others.
    pub name: String,
    /// How much is allowed.
    pub quota: Quota,
    /// One counter for each combination of values of these descriptors, in this order; one
    /// for all requests when it is empty. To a request that has not all of them the rule
    /// does not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<String>>,
    /// It counts and says what it would deny, but denies nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// What an edge does with a request to which this applies when it can ask nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// It applies only to requests with these descriptors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#where: Option<Json>,
}

impl Rule {
    /// With what must be there, and nothing else.
    #[must_use]
    pub fn new(name: impl Into<String>, quota: Quota) -> Self {
        Self { name: name.into(), quota, by: None, dry_run: false, on_failure: None, r#where: None }
    }
}

/// How a rule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RuleStanding {
    /// Its name.
    pub rule: String,
    /// What it says of the request.
    pub verdict: RuleVerdict,
    /// What is left of its quota.
    pub remaining: u64,
    /// In how long all of it is there again, in milliseconds, if nothing is charged.
    pub reset_after_ms: u64,
    /// In how long it has room, in milliseconds, if nothing else is charged meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// What a rule says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RuleVerdict {
    /// It has room for it.
    Allowed,
    /// It has not.
    Denied,
    /// It has not, but denies nothing: it is on trial (`dry_run`).
    WouldDeny,
    /// What this release of the client does not know.
    #[serde(other)]
    Unknown,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShownLimit {
    /// Its id.
    pub id: String,
    /// The transaction that wrote it last: its entity tag.
    pub version: u64,
    /// The transaction that created it.
    pub created_version: u64,
    /// When it was written last.
    pub updated_at: String,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}
