//! `holdfast topic`: topics of a running server, from the command line.

mod append;
mod read;
mod tail;

use clap::Subcommand;
use holdfast_client::api::topics::Message;
use serde::Serialize;

use crate::{
    connect::print_json,
    exit::{Exit, Failure, print},
};

/// What can be done with topics.
#[derive(Debug, Subcommand)]
pub(crate) enum TopicCommand {
    /// Append a message.
    Append(append::AppendArguments),
    /// Print messages of a partition from an offset on, to its end.
    Read(read::ReadArguments),
    /// Print messages of all partitions as they come.
    Tail(tail::TailArguments),
}

pub(crate) fn run(command: TopicCommand) -> Result<Exit, Failure> {
    match command {
        TopicCommand::Append(arguments) => append::run(arguments),
        TopicCommand::Read(arguments) => read::run(arguments),
        TopicCommand::Tail(arguments) => tail::run(arguments),
    }
}

/// A message with its place in the topic.
#[derive(Serialize)]
struct Shown<'m> {
    partition: u16,
    #[serde(flatten)]
    message: &'m Message,
}

/// Prints messages, each on its line.
fn show(partition: u16, messages: &[Message], json: bool) -> Result<(), Failure> {
    for message in messages {
        if json {
            print_json(&Shown { partition, message })?;
            continue;
        }
        let Message { offset, time, r#type: kind, data, .. } = message;
        let (place, key) = (format!("{partition}:{offset}"), message.key.as_deref().unwrap_or("-"));
        print(&format!("{place:>10} {time} {kind:<24} {key:<24} {data}"))?;
    }
    Ok(())
}
