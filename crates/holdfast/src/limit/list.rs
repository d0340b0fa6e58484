//! `holdfast limit list`

use holdfast_client::api::limits::{ListLimitsSpec, Rule};

use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

pub(super) fn run(talk: &TalkArguments) -> Result<Exit, Failure> {
    talk.list(
        ListLimitsSpec::default(),
        |spec, page| {
            spec.cursor = page.next;
            (page.limits, spec.cursor.is_some())
        },
        |limit| {
            let rules: String =
                limit.rules.iter().map(|rule| format!("\n{}", shown(rule))).collect();
            format!("{:<32} {:>10}{rules}", limit.id, limit.version)
        },
    )
}

/// A rule in a line: its name, its quota as it was put, what it counts by.
fn shown(rule: &Rule) -> String {
    let quota = serde_json::to_string(&rule.quota).expect("a quota is JSON");
    let by = rule.by.as_deref().unwrap_or_default().join(", ");
    let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
    let trial = if rule.dry_run { ", on trial" } else { "" };
    format!("  {:<24} {quota}{by}{trial}", rule.name)
}
