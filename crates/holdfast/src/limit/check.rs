//! `holdfast limit check`

use clap::Args;
use holdfast_client::api::limits::{CheckLimitSpec, CheckedLimit, RuleVerdict};

use super::{Asked, exit, seconds};
use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `limit check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    asked: Asked,
    /// Who holds what it takes of limits of concurrency: a name that no other request has.
    #[arg(long)]
    holder: Option<String>,
    /// Only ask: nothing is charged.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: CheckArguments) -> Result<Exit, Failure> {
    let CheckArguments { asked, holder, dry_run, talk } = arguments;
    let (descriptors, cost) = (asked.descriptors()?, asked.cost);
    let spec =
        CheckLimitSpec { descriptors, cost, holder, dry_run, ..CheckLimitSpec::new(asked.limit) };
    talk.talk(async |client| {
        let answer = client.call(&spec).await?.outcome;
        let allowed = answer.outcome == CheckedLimit::Allowed;
        if talk.json {
            print_json(&answer)?;
        } else {
            let denied = || match answer.retry_after_ms {
                Some(ms) => format!("denied, may in {}", seconds(ms)),
                None => "denied".to_owned(),
            };
            print(&if allowed { "allowed".to_owned() } else { denied() })?;
            for rule in &answer.rules {
                let (reset, left) = (seconds(rule.reset_after_ms), rule.remaining);
                let verdict = shown(rule.verdict);
                print(&format!("  {:<24} {verdict:<10} {left} left, all in {reset}", rule.rule))?;
            }
        }
        Ok(exit(allowed))
    })
}

/// A verdict for people.
pub(super) const fn shown(verdict: RuleVerdict) -> &'static str {
    match verdict {
        RuleVerdict::Allowed => "allowed",
        RuleVerdict::Denied => "denied",
        RuleVerdict::WouldDeny => "would deny",
        _ => "unknown",
    }
}
