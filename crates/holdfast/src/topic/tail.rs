//! `holdfast topic tail`: what a topic has and what comes, until it is stopped.

use clap::Args;
use holdfast_client::api::topics::GetTopicSpec;

use super::show;
use crate::{
    connect::TalkArguments,
    exit::{Exit, Failure},
};

/// Arguments of `topic tail`.
#[derive(Debug, Args)]
pub(crate) struct TailArguments {
    /// The topic.
    topic: String,
    /// Begin with so many messages of each partition that are there already.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    last: u64,
    /// Begin with the first message that there is.
    #[arg(long, conflicts_with = "last")]
    all: bool,
    /// Only this partition.
    #[arg(long)]
    partition: Option<u16>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: TailArguments) -> Result<Exit, Failure> {
    let TailArguments { topic, last, all, partition, talk } = arguments;
    talk.talk(async |client| {
        let ends = client.call(&GetTopicSpec::new(topic.clone())).await?.outcome.last_offsets;
        let begin = |end: u64| if all { 0 } else { end.saturating_sub(last) };
        let places = (0..).zip(ends).map(|(number, end)| (number, begin(end)));
        let places = places.filter(|(number, _)| partition.is_none_or(|only| only == *number));
        let mut reader = client.reader(&topic, places.collect());
        if reader.positions().is_empty() {
            return Err(Failure::usage(format!("the topic {topic} has no such partition")));
        }
        loop {
            let found = reader.next().await?;
            show(found.partition, &found.messages, talk.json)?;
        }
    })
}
