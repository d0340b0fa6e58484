//! `holdfast call`: any command of the registry, against a running server.
//!
//! Nothing is listed here: names, places and types of fields come from the
//! registry. Fields are given as `name=value`; what the command takes as text stays
//! text, anything else is JSON. What is done every day has commands of its own that read
//! better (`doc`, `lease`, `topic`); this reaches the rest, and shows answers as they came.

mod fields;

use std::time::Duration;

use clap::Args;
use holdfast_client::{
    At, Error, IdempotencyKey, Options, Problem, Wire, WireAnswer,
    command::{Kind as WireKind, Method as WireMethod, encode},
};
use holdfast_node::Registry;
use holdfast_state::command::{Entry, Kind, Method};

use crate::{
    connect::{ServerArguments, runtime},
    exit::{self, Exit, Failure},
};

/// Arguments of `call`.
#[derive(Debug, Args)]
pub(crate) struct CallArguments {
    /// Name of the command; without it all are listed.
    name: Option<String>,
    /// Fields of the request.
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    #[command(flatten)]
    server: ServerArguments,
    /// The request's own; a fresh one unless this is given. Asking again with it gives the same
    /// answer.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Read everything up to this version: PARTITION:VERSION.
    #[arg(long, value_name = "AT")]
    after: Option<String>,
    /// Print the answer as it came, on one line, and nothing else.
    #[arg(long)]
    json: bool,
}

/// Makes one call.
pub(crate) fn run(arguments: &CallArguments) -> Result<Exit, Failure> {
    let registry = Registry::all();
    let Some(name) = &arguments.name else {
        list(&registry)?;
        return Ok(Exit::Done);
    };
    let entry = registry.command(name).ok_or_else(|| {
        Failure::usage(format!("there is no command {name:?}; `holdfast call` lists them all"))
    })?;
    let (wire, options) = (wire(entry, arguments)?, options(arguments)?);
    let client = arguments.server.client()?;
    match runtime()?.block_on(client.send(&wire, &options)) {
        Ok(answer) => show(&answer, arguments.json).map(|()| Exit::Done),
        Err(Error::Refused(problem)) => show_refusal(&problem, arguments.json).map(|()| Exit::No),
        Err(error) => Err(error.into()),
    }
}

fn list(registry: &Registry) -> Result<(), Failure> {
    for entry in registry.commands() {
        exit::print(&format!("{:<28} {}", entry.name, entry.summary))?;
    }
    Ok(())
}

fn wire(entry: &Entry, arguments: &CallArguments) -> Result<Wire, Failure> {
    let mut fields = fields::read(entry, &arguments.fields).map_err(Failure::usage)?;
    let mut target = entry.path.to_owned();
    for name in entry.path_fields() {
        let value = fields
            .take_text(name)
            .ok_or_else(|| Failure::usage(format!("{} needs {name}=…", entry.name)))?;
        target = target.replace(&format!("{{{name}}}"), &encode(&value));
    }
    let method = match entry.method {
        Method::Get => WireMethod::Get,
        Method::Post => WireMethod::Post,
        Method::Put => WireMethod::Put,
        Method::Patch => WireMethod::Patch,
        Method::Delete => WireMethod::Delete,
    };
    let kind = match entry.kind {
        Kind::Write => WireKind::Write,
        Kind::Query => WireKind::Query,
    };
    let wait = if entry.awaited { fields.wait() } else { Duration::ZERO };
    let mut body = String::new();
    if method.takes_body() {
        body = fields.body();
    } else {
        target.push_str(&fields.query());
    }
    Ok(Wire { method, target, body: body.into(), kind, wait })
}

fn options(arguments: &CallArguments) -> Result<Options, Failure> {
    let key = arguments.idempotency_key.as_deref().map(IdempotencyKey::new).transpose();
    let after = arguments.after.as_deref().map(str::parse::<At>).transpose();
    Ok(Options {
        key: key.map_err(|error| Failure::usage(format!("--idempotency-key: {error}")))?,
        after: after.map_err(|error| Failure::usage(format!("--after: {error}")))?,
        ..Options::default()
    })
}

fn show(answer: &WireAnswer, json: bool) -> Result<(), Failure> {
    let text = match serde_json::from_slice::<serde_json::Value>(&answer.outcome) {
        Ok(value) if !json => serde_json::to_string_pretty(&value).expect("it was JSON"),
        Ok(_) | Err(_) => String::from_utf8_lossy(&answer.outcome).into_owned(),
    };
    exit::print(&text)?;
    place("200", answer.at, answer.replayed, json);
    Ok(())
}

fn show_refusal(problem: &Problem, json: bool) -> Result<(), Failure> {
    let text =
        if json { serde_json::to_string(problem) } else { serde_json::to_string_pretty(problem) };
    exit::print(&text.expect("it came as JSON"))?;
    place(&problem.status.to_string(), problem.at, problem.replayed, json);
    Ok(())
}

/// For people: where in the order the answer stands.
fn place(what: &str, at: Option<At>, replayed: bool, json: bool) {
    if json {
        return;
    }
    let at = at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let replayed = if replayed { ", replayed" } else { "" };
    eprintln!("{what} at {at}{replayed}");
}
