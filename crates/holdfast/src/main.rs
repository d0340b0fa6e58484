//! The `holdfast` binary: wiring, configuration, and the command line.
//!
//! Each subcommand is a module of its own: [`serve`] and [`dev`] run a server,
//! [`demo`], [`replay`] and [`lab`] run a [`scenario`] against one,
//! [`check`] judges what a scenario left, [`doc`], [`lease`], [`session`], [`limit`], [`topic`], [`queue`] and [`call`]
//! talk to servers ([`connect`]), [`program`] runs programs for some of them, [`cluster`] to several, [`audit`], [`inspect`] and [`quarantine`] look at
//! the data of a stopped one, [`openapi`](print_openapi) prints the API's description, [`bench`](mod@bench)
//! measures. [`allocator`] gives everybody memory, [`config`] says what can be set and where, [`exit`] what the exit codes
//! mean. What is printed on stdout is for programs and scripts; everything else goes
//! to stderr.

mod allocator;
mod audit;
mod bench;
mod call;
mod check;
mod cluster;
mod completions;
mod config;
mod connect;
mod demo;
mod dev;
mod doc;
mod exit;
mod inspect;
mod lab;
mod lease;
mod limit;
mod logging;
mod program;
mod quarantine;
mod queue;
mod replay;
mod scenario;
mod serve;
mod session;
mod topic;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// What must be true together is committed together.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a server to try things out, with sample data and commands to copy.
    Dev(dev::DevArguments),
    /// Run made-up bookings with duplicates and kills, and judge what came of them.
    Demo(demo::DemoArguments),
    /// Run a data set against a server, with duplicates and kills, and judge what came of it.
    Replay {
        #[command(subcommand)]
        source: replay::Source,
    },
    /// Run experiments, each with a control that must fail.
    Lab {
        #[command(subcommand)]
        command: lab::LabCommand,
    },
    /// Judge the history that a scenario left: one effect for a key, versions in real time.
    Check(check::CheckArguments),
    /// Run a server.
    Serve(Box<serve::ServeArguments>),
    /// Read, write and watch documents of a running server.
    Doc {
        #[command(subcommand)]
        command: doc::DocCommand,
    },
    /// Run a program while a lease is held; list leases.
    Lease {
        #[command(subcommand)]
        command: lease::LeaseCommand,
    },
    /// List, show and close sessions of a running server.
    Session {
        #[command(subcommand)]
        command: session::SessionCommand,
    },
    /// Ask limits of a running server, and see how they stand.
    Limit {
        #[command(subcommand)]
        command: limit::LimitCommand,
    },
    /// Append to, read and follow topics of a running server.
    Topic {
        #[command(subcommand)]
        command: topic::TopicCommand,
    },
    /// Run a program for each message of a queue; see how queues stand.
    Queue {
        #[command(subcommand)]
        command: queue::QueueCommand,
    },
    /// Call any command of a running server by its name and fields.
    Call(call::CallArguments),
    /// See how several nodes are, or try some out.
    Cluster {
        #[command(subcommand)]
        command: cluster::ClusterCommand,
    },
    /// Derive every balance again from the log of a stopped server, and compare.
    Audit(audit::AuditArguments),
    /// Look at the log of a stopped server.
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
    /// See and clear what killed the process of a stopped server.
    Quarantine {
        #[command(subcommand)]
        command: quarantine::QuarantineCommand,
    },
    /// Print the description of the HTTP API (OpenAPI 3.1).
    Openapi,
    /// Print completions of this command line for a shell.
    Completions(completions::CompletionsArguments),
    /// Measure throughput and latency, beside what the machine itself can do.
    Bench(bench::BenchArgs),
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    /// List entries: position, epoch, versions, size, time.
    Inspect(inspect::InspectArguments),
}

fn main() -> ExitCode {
    allocator::configure();
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Replay { source } => replay::run(&source),
        Command::Lab { command } => lab::run(&command),
        Command::Check(arguments) => check::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Doc { command } => doc::run(command),
        Command::Lease { command } => lease::run(command),
        Command::Session { command } => session::run(command),
        Command::Limit { command } => limit::run(command),
        Command::Topic { command } => topic::run(command),
        Command::Queue { command } => queue::run(command),
        Command::Call(arguments) => call::run(&arguments),
        Command::Cluster { command } => cluster::run(&command),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Log { command: LogCommand::Inspect(arguments) } => inspect::run(&arguments),
        Command::Quarantine { command } => quarantine::run(&command),
        Command::Openapi => print_openapi(),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments)
            .map(|()| Exit::Done)
            .map_err(|error| exit::Failure::new(Exit::CannotStart, error)),
    };
    result.unwrap_or_else(|failure| failure.report()).into()
}

fn print_openapi() -> Result<Exit, exit::Failure> {
    let description = holdfast_http::openapi::describe(&holdfast_node::Registry::all());
    let text = serde_json::to_string_pretty(&description).expect("it is plain data");
    exit::print(&text)?;
    Ok(Exit::Done)
}
