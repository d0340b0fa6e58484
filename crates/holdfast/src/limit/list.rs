//! `holdfast limit list`

use clap::Args;
use holdfast_client::api::limits::{ListLimitsSpec, Rule};

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `limit list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ListArguments) -> Result<Exit, Failure> {
    let ListArguments { talk } = arguments;
    talk.talk(async |client| {
        let mut spec = ListLimitsSpec::default();
        loop {
            let page = client.call(&spec).await?.outcome;
            for limit in &page.limits {
                if talk.json {
                    print_json(limit)?;
                } else {
                    print(&format!("{:<32} {:>10}", limit.id, limit.version))?;
                    limit.rules.iter().try_for_each(|rule| print(&shown(rule)))?;
                }
            }
            spec.cursor = page.next;
            if spec.cursor.is_none() {
                return Ok(Exit::Done);
            }
        }
    })
}

/// A rule in a line: its name, its quota as it was put, what it counts by.
fn shown(rule: &Rule) -> String {
    let quota = serde_json::to_string(&rule.quota).expect("a quota is JSON");
    let by = rule.by.as_deref().unwrap_or_default().join(", ");
    let by = if by.is_empty() { String::new() } else { format!(" by {by}") };
    let trial = if rule.dry_run { ", on trial" } else { "" };
    format!("  {:<24} {quota}{by}{trial}", rule.name)
}
