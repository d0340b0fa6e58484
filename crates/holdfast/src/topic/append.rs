//! `holdfast topic append`

use clap::Args;
use holdfast_client::{Json, api::topics::AppendSpec};

use crate::{
    connect::{TalkArguments, json_argument, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `topic append`.
#[derive(Debug, Args)]
pub(crate) struct AppendArguments {
    /// The topic.
    topic: String,
    /// What happened: `booking.held`.
    r#type: String,
    /// What it says, as JSON; read from stdin if it is `-`.
    data: Option<String>,
    /// What it is about: messages of one key share a partition, and are in order.
    #[arg(long)]
    message_key: Option<String>,
    /// The message's id, used once in the topic.
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: AppendArguments) -> Result<Exit, Failure> {
    let AppendArguments { topic, r#type: kind, data, message_key, id, talk } = arguments;
    let data: Option<Json> = data.map(|data| json_argument(Some(data))).transpose()?;
    let spec = AppendSpec { data, key: message_key, id, ..AppendSpec::new(topic, kind) };
    talk.talk(async |client| {
        let outcome = client.call(&spec).await?.outcome;
        if talk.json {
            print_json(&outcome)?;
        } else {
            let again = if outcome.existed { ", which was there already" } else { "" };
            print(&format!("offset {} of partition {}{again}", outcome.offset, outcome.partition))?;
        }
        Ok(Exit::Done)
    })
}
