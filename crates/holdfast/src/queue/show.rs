//! `holdfast queue show`

use clap::Args;
use holdfast_client::api::queues::GetQueueSpec;

use crate::{
    connect::{TalkArguments, print_json},
    exit::{Exit, Failure, print},
};

/// Arguments of `queue show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The topic.
    topic: String,
    /// The queue.
    queue: String,
    #[command(flatten)]
    talk: TalkArguments,
}

pub(super) fn run(arguments: ShowArguments) -> Result<Exit, Failure> {
    let ShowArguments { topic, queue, talk } = arguments;
    talk.talk(async |client| {
        let found = client.call(&GetQueueSpec::new(topic, queue)).await?.outcome;
        if talk.json {
            print_json(&found)?;
        } else {
            let (waiting, out, dead, lost) = (found.waiting, found.out, found.dead, found.lost);
            print(&format!("{waiting} waiting, {out} out, {dead} dead letters, {lost} lost"))?;
        }
        Ok(Exit::Done)
    })
}
