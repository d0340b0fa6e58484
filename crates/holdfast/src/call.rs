//! `holdfast call`: any command of the registry, against a running server.
//!
//! Nothing is listed here: names, places and types of fields come from the
//! registry. Fields are given as `name=value`; what the command takes as text stays
//! text, anything else is JSON.

mod fields;

use std::time::Duration;

use clap::Args;
use holdfast_node::{Registry, registry::method_name};
use holdfast_state::command::{Entry, Method};

use crate::{
    client,
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
    /// The server.
    #[arg(
        long,
        env = "HOLDFAST_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7411"
    )]
    server: String,
    /// Secret to send, where the server wants one.
    #[arg(long, env = "HOLDFAST_KEY", value_name = "SECRET", hide_env_values = true)]
    key: Option<String>,
    /// Makes the request repeatable.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Read everything up to this version: PARTITION:VERSION.
    #[arg(long, value_name = "AT")]
    after: Option<String>,
    /// How long to wait for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
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
    let request = request(entry, arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::NoAnswer, error))?;
    let timeout = Duration::from_secs(arguments.timeout);
    let answer = runtime
        .block_on(async { tokio::time::timeout(timeout, client::send(request)).await })
        .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer within {timeout:?}")))
        .map_err(|error| {
            let error = anyhow::anyhow!("{}: {error}", arguments.server);
            Failure::new(Exit::NoAnswer, error)
        })?;
    show(&answer, arguments.json)
}

fn list(registry: &Registry) -> Result<(), Failure> {
    for entry in registry.commands() {
        exit::print(&format!("{:<28} {}", entry.name, entry.summary))?;
    }
    Ok(())
}

fn request(entry: &Entry, arguments: &CallArguments) -> Result<client::Request, Failure> {
    let mut fields = fields::read(entry, &arguments.fields).map_err(Failure::usage)?;
    let mut path = entry.path.to_owned();
    for name in entry.path_fields() {
        let value = fields
            .take_text(name)
            .ok_or_else(|| Failure::usage(format!("{} needs {name}=…", entry.name)))?;
        path = path.replace(&format!("{{{name}}}"), &holdfast_http::query::encode(&value));
    }
    let mut body = None;
    match entry.method {
        Method::Get | Method::Delete => path.push_str(&fields.query()),
        Method::Post | Method::Put | Method::Patch => body = Some(fields.body()),
    }
    let mut headers = Vec::new();
    let mut header = |name: &'static str, value: &Option<String>| {
        headers.extend(value.clone().map(|value| (name, value)));
    };
    header("authorization", &arguments.key.as_ref().map(|key| format!("Bearer {key}")));
    header("idempotency-key", &arguments.idempotency_key);
    header("holdfast-after", &arguments.after);
    Ok(client::Request {
        server: arguments.server.clone(),
        method: method_name(entry.method),
        path,
        headers,
        body,
    })
}

fn show(answer: &client::Answer, json: bool) -> Result<Exit, Failure> {
    let text = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(value) if !json => serde_json::to_string_pretty(&value).expect("it was JSON"),
        Ok(_) | Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    exit::print(&text)?;
    if !json {
        let at = answer.at.as_deref().unwrap_or("-");
        let replayed = if answer.replayed { ", replayed" } else { "" };
        eprintln!("{} at {at}{replayed}", answer.status);
    }
    Ok(match answer.status {
        200..=299 => Exit::Done,
        500.. => Exit::NoAnswer,
        _ => Exit::No,
    })
}
