//! `holdfast topic read`: page after page, to the end or to a limit.

use clap::Args;
use holdfast_client::api::topics::ReadMessagesSpec;

use super::show;
use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

/// Messages in one page.
const PAGE: u64 = 1_000;

/// Arguments of `topic read`.
#[derive(Debug, Args)]
pub(crate) struct ReadArguments {
    /// The topic.
    topic: String,
    /// The partition.
    #[arg(long, default_value_t = 0)]
    partition: u16,
    /// Begin behind the message of this offset; 0 for the first.
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    after: u64,
    /// How many at most.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ReadArguments) -> Result<Exit, Failure> {
    let ReadArguments { topic, partition, after, limit, talk } = arguments;
    talk.talk(async |client| {
        let mut left = limit.unwrap_or(u64::MAX);
        let mut spec = ReadMessagesSpec {
            partition: Some(partition),
            after: Some(after),
            ..ReadMessagesSpec::new(topic)
        };
        while left > 0 {
            spec.limit = Some(left.min(PAGE));
            let page = client.call(&spec).await?.outcome;
            show(partition, &page.messages, talk.json)?;
            left = left.saturating_sub(page.messages.len() as u64);
            spec.after = Some(page.next);
            if page.next >= page.last_offset {
                break;
            }
        }
        Ok(Exit::Done)
    })
}
