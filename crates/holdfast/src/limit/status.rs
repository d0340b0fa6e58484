//! `holdfast limit status`

use clap::Args;
use holdfast_client::api::limits::{LimitStatusSpec, OnFailure};

use super::{Asked, check::shown, exit, seconds};
use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `limit status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: StatusArguments) -> Result<Exit, Failure> {
    let StatusArguments { asked, talk } = arguments;
    let (descriptors, cost) = (asked.descriptors()?, asked.cost);
    let spec = LimitStatusSpec { descriptors, cost, ..LimitStatusSpec::new(asked.limit) };
    talk.talk(async |client| {
        let answer = client.call(&spec).await?.outcome;
        if talk.json {
            print_json(&answer)?;
            return Ok(exit(answer.allowed));
        }
        print(if answer.allowed { "allowed" } else { "denied" })?;
        for rule in &answer.rules {
            let (reset, left) = (seconds(rule.reset_after_ms), rule.remaining);
            let (verdict, counter) = (shown(rule.verdict), &rule.counter);
            print(&format!("  {:<24} {verdict:<10} {left} left, all in {reset}", rule.rule))?;
            let closed = if rule.on_failure == OnFailure::Closed { ", fails closed" } else { "" };
            let room = rule.retry_after_ms.map(|ms| format!(", room in {}", seconds(ms)));
            print(&format!("    counts by {counter}{closed}{}", room.unwrap_or_default()))?;
            for accepted in &rule.accepted {
                print(&format!("    {} {}", accepted.at, accepted.cost))?;
            }
        }
        Ok(exit(answer.allowed))
    })
}
