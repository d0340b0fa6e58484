//! `holdfast topic tail`: what a topic has and what comes, until it is stopped.

use std::collections::BTreeMap;

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
    /// Begin behind this message, in its partition: what was printed last as the place. May be
    /// given for several partitions.
    #[arg(long, value_name = "PARTITION:OFFSET", value_parser = place)]
    after: Vec<(u16, u64)>,
    /// Only this partition.
    #[arg(long)]
    partition: Option<u16>,
    #[command(flatten)]
    talk: TalkArguments,
}

/// A place in a topic, as it is printed.
fn place(text: &str) -> Result<(u16, u64), String> {
    let parts = text.split_once(':');
    let parsed =
        parts.and_then(|(number, offset)| Some((number.parse().ok()?, offset.parse().ok()?)));
    parsed.ok_or_else(|| format!("{text:?} is not PARTITION:OFFSET"))
}

pub(super) fn run(arguments: TailArguments) -> Result<Exit, Failure> {
    let TailArguments { topic, last, all, after, partition, talk } = arguments;
    talk.talk(async |client| {
        let ends = client.call(&GetTopicSpec::new(topic.clone())).await?.outcome.last_offsets;
        let begin = |end: u64| if all { 0 } else { end.saturating_sub(last) };
        let places = (0..).zip(ends).map(|(number, end)| (number, begin(end)));
        let mut places: BTreeMap<u16, u64> = places.collect();
        let named = after.iter().map(|(number, _)| number).chain(&partition);
        if let Some(number) = named.into_iter().find(|number| !places.contains_key(number)) {
            return Err(Failure::usage(format!("the topic {topic} has no partition {number}")));
        }
        places.extend(after);
        places.retain(|number, _| partition.is_none_or(|only| only == *number));
        let mut reader = client.reader(&topic, places);
        loop {
            let found = reader.next().await?;
            show(found.partition, &found.messages, talk.json)?;
        }
    })
}
