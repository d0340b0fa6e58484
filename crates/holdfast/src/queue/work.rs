//! `holdfast queue work TOPIC QUEUE -- PROGRAM …`: a program for each message of a queue.
//!
//! It finds what the message says on its stdin, as JSON, and the rest in its environment. When it
//! ends with 0 the message is done; otherwise it is given out again after a while, to whoever works
//! there, until the queue makes a dead letter of it. While it runs, the message is kept out of
//! others' sight; should that fail it gets SIGTERM and, if it goes on, SIGKILL, as one does whose
//! lease is lost.
//!
//! A signal ends the receiving. Programs that run have a while to finish, and are ended then; what
//! they had is given back. A second signal ends them at once.

use std::{ffi::OsString, process::Stdio, sync::Arc, time::Duration};

use clap::Args;
use holdfast_client::{Client, Error, Job, Worker, WorkerRequest};
use tokio::{
    io::AsyncWriteExt as _,
    process::{ChildStdin, Command},
    sync::watch,
    task::JoinSet,
};

use crate::{
    connect::{ServerArguments, runtime},
    exit::{Exit, Failure},
    program::{CANNOT_RUN, Running, Signals, code},
};

/// Arguments of `queue work`.
#[derive(Debug, Args)]
pub(crate) struct WorkArguments {
    /// The topic.
    topic: String,
    /// The queue.
    queue: String,
    /// How many programs run at a time.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    at_once: u16,
    /// How long a message stays out of others' sight when nothing is heard of this worker, in
    /// seconds. As the queue says, unless this is given.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    visibility: Option<u64>,
    /// How long a message waits to be given out again when its program failed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    again_after: u64,
    /// How long programs have to finish after a signal, and how long one has to end after
    /// SIGTERM, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    grace: u64,
    #[command(flatten)]
    server: ServerArguments,
    /// The program and its arguments. It finds `HOLDFAST_TOPIC`, `HOLDFAST_QUEUE`,
    /// `HOLDFAST_MESSAGE_ID`, `_TYPE`, `_KEY`, `_TIME`, `_PARTITION`, `_OFFSET`, `_ATTEMPT` and
    /// `HOLDFAST_SERVER` in its environment.
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

pub(super) fn run(arguments: WorkArguments) -> Result<Exit, Failure> {
    let client = arguments.server.client()?;
    runtime()?.block_on(work(&client, Arc::new(arguments)))
}

async fn work(client: &Client, arguments: Arc<WorkArguments>) -> Result<Exit, Failure> {
    let mut signals = Signals::new()?;
    let request = WorkerRequest {
        at_once: usize::from(arguments.at_once),
        visibility: arguments.visibility.map(Duration::from_secs),
        ..WorkerRequest::new(&arguments.topic, &arguments.queue)
    };
    let mut worker = client.work(&request).await?;
    let mut programs = JoinSet::new();
    let ended = receive(&mut worker, &mut programs, &mut signals, &arguments).await;
    let grace = Duration::from_secs(arguments.grace);
    // What is not done then is given back, whereupon its program is ended.
    let finishing = async {
        tokio::join!(worker.finish(grace), async { while programs.join_next().await.is_some() {} })
    };
    tokio::select! {
        _ = finishing => {}
        // Their drop kills them, and has their messages given back: as well as that goes.
        _ = signals.next() => {}
    }
    ended
}

/// Runs programs until a signal comes, one cannot be run, or the queue is gone.
async fn receive(
    worker: &mut Worker,
    programs: &mut JoinSet<()>,
    signals: &mut Signals,
    arguments: &Arc<WorkArguments>,
) -> Result<Exit, Failure> {
    let (cannot, mut could_not) = watch::channel(false);
    loop {
        let job = tokio::select! {
            biased;
            _ = signals.next() => return Ok(Exit::Done),
            Ok(_) = could_not.wait_for(|cannot| *cannot) => return Ok(Exit::Of(CANNOT_RUN)),
            Some(_) = programs.join_next() => continue,
            job = worker.next() => job?,
        };
        let Some(job) = job else { return Ok(Exit::Done) };
        programs.spawn(deal(job, Arc::clone(arguments), cannot.clone()));
    }
}

async fn deal(job: Job, arguments: Arc<WorkArguments>, cannot: watch::Sender<bool>) {
    let (program, stdin) = match spawn(&job, &arguments) {
        Ok(spawned) => spawned,
        Err(error) => {
            let program = arguments.program[0].to_string_lossy().into_owned();
            eprintln!("holdfast: cannot run {program}: {error}");
            cannot.send_replace(true);
            return;
        }
    };
    let code = run_one(&job, program, stdin, Duration::from_secs(arguments.grace)).await;
    let settled = match code {
        None => return,
        Some(0) => job.ack().await,
        Some(code) => {
            let after = arguments.again_after;
            say(&job, &format!("the program ended with {code}; again in {after} s"));
            job.nack(Duration::from_secs(after)).await
        }
    };
    match settled {
        Ok(true) => {}
        Ok(false) => say(&job, "it was somebody else's when the program ended, and comes again"),
        Err(Error::Refused(problem)) => say(&job, &format!("it could not be settled: {problem}")),
        Err(error) => say(&job, &format!("it could not be settled, and may come again: {error}")),
    }
}

fn say(job: &Job, what: &str) {
    let message = job.message();
    let (partition, offset, attempt) = (message.partition, message.offset, message.attempt);
    eprintln!("holdfast: message {partition}:{offset}, attempt {attempt}: {what}");
}

fn spawn(job: &Job, arguments: &WorkArguments) -> std::io::Result<(Running, ChildStdin)> {
    let message = job.message();
    let mut command = Command::new(&arguments.program[0]);
    command
        .args(&arguments.program[1..])
        .env("HOLDFAST_TOPIC", &arguments.topic)
        .env("HOLDFAST_QUEUE", &arguments.queue)
        .env("HOLDFAST_MESSAGE_ID", &message.id)
        .env("HOLDFAST_MESSAGE_TYPE", &message.r#type)
        .env("HOLDFAST_MESSAGE_KEY", message.key.as_deref().unwrap_or_default())
        .env("HOLDFAST_MESSAGE_TIME", &message.time)
        .env("HOLDFAST_MESSAGE_PARTITION", message.partition.to_string())
        .env("HOLDFAST_MESSAGE_OFFSET", message.offset.to_string())
        .env("HOLDFAST_MESSAGE_ATTEMPT", message.attempt.to_string())
        .env("HOLDFAST_SERVER", &arguments.server.server)
        .stdin(Stdio::piped());
    let mut running = Running::start(&mut command)?;
    let stdin = running.child.stdin.take().expect("it is piped");
    Ok((running, stdin))
}

/// The program's exit code; `None` if the message was lost, and the program ended for that.
async fn run_one(
    job: &Job,
    mut program: Running,
    mut stdin: ChildStdin,
    grace: Duration,
) -> Option<u8> {
    let data = format!("{}\n", job.message().data);
    // A program need not read it, and is told of its end by the pipe's.
    let fed = async {
        drop(stdin.write_all(data.as_bytes()).await);
        drop(stdin);
        std::future::pending::<()>().await;
    };
    let status = tokio::select! {
        status = program.child.wait() => status,
        () = fed => unreachable!("it goes on for ever"),
        loss = job.lost() => {
            say(job, &format!("it is lost: {loss}"));
            // It ends for a reason of ours, which says nothing about the message.
            drop(program.end(grace).await);
            return None;
        }
    };
    match status {
        Ok(status) => Some(code(status)),
        Err(error) => {
            say(job, &format!("nothing is known of the program's end: {error}"));
            None
        }
    }
}
