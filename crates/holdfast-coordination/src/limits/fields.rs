//! What a request's answer may tell its client, as HTTP header fields.
//!
//! `RateLimit-Policy` and `RateLimit` are those of the IETF's draft (*RateLimit header
//! fields for HTTP*, draft-ietf-httpapi-ratelimit-headers): lists of rules, with quota `q`
//! and window `w`, and with what remains `r` and the time `t` until all of it is there
//! again. Times are seconds, rounded up. `Retry-After` is when there is room for a request
//! that was denied (RFC 9110, section 10.2.3). Rules on trial are not in them.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    evaluate::{Evaluation, RuleVerdict},
    quota::Quota,
};

/// Header fields, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LimitFields {
    /// The rules that apply.
    #[serde(rename = "RateLimit-Policy", skip_serializing_if = "String::is_empty")]
    pub policy: String,
    /// How they stand.
    #[serde(rename = "RateLimit", skip_serializing_if = "String::is_empty")]
    pub standing: String,
    /// When to ask again, of a request that was denied.
    #[serde(rename = "Retry-After", skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
}

const US: u64 = 1_000_000;

impl LimitFields {
    pub(super) fn of(evaluation: &Evaluation<'_>) -> Self {
        let mut fields = Self::default();
        for applied in evaluation.rules.iter().filter(|applied| !applied.row.rule.dry_run) {
            if !fields.policy.is_empty() {
                fields.policy.push_str(", ");
                fields.standing.push_str(", ");
            }
            let (name, quota) = (&applied.row.rule.name, applied.row.rule.quota);
            let (max, window) = (quota.at_once().get(), quota.window_us().div_ceil(US));
            let (left, reset) = (applied.reading.remaining, applied.reading.reset_us.div_ceil(US));
            let (policy, standing) = (&mut fields.policy, &mut fields.standing);
            let written = match quota {
                Quota::Concurrency { .. } => {
                    write!(policy, "\"{name}\";q={max};qu=\"concurrent-requests\"")
                        .and(write!(standing, "\"{name}\";r={left}"))
                }
                Quota::SlidingLog { .. }
                | Quota::SlidingCounter { .. }
                | Quota::TokenBucket { .. }
                | Quota::Gcra { .. } => write!(policy, "\"{name}\";q={max};w={window}")
                    .and(write!(standing, "\"{name}\";r={left};t={reset}")),
            };
            written.expect("memory takes text");
        }
        let denied = evaluation.rules.iter().filter(|one| one.verdict() == RuleVerdict::Denied);
        let longest = denied.filter_map(super::evaluate::Applied::retry_us).max();
        fields.retry_after = longest.map(|us| us.div_ceil(US).max(1).to_string());
        fields
    }
}
