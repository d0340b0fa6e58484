//! `holdfast cluster status`: every node that is named, and whoever leads, in one table.
//!
//! Each is asked what it is and knows (`GET /v1/info`), all at the same time; what they say is of
//! slightly different moments. One that does not answer is a row that says so. All is well when
//! every node answers, one leads, and the others follow it and lack little.

mod health;

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use bytes::Bytes;
use clap::Args;
use holdfast_client::{
    Client, ClientConfig, Error, InVain, Options, Server, Wire,
    command::{Kind, Method},
};
use serde_json::{Value, json};

use crate::exit::{self, Exit, Failure};

/// Arguments of `cluster status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Nodes to ask: URLs, or HOST:PORT. Whoever they say leads is asked too.
    #[arg(env = "HOLDFAST_SERVER", value_name = "URL", value_delimiter = ',')]
    #[arg(default_value = "http://127.0.0.1:7411")]
    nodes: Vec<String>,
    /// Secret to send, where the nodes want one.
    #[arg(long, env = "HOLDFAST_KEY", value_name = "SECRET", hide_env_values = true)]
    key: Option<String>,
    /// How long to wait for an answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    timeout: u64,
    /// A follower that lacks more versions than this is not well.
    #[arg(long, value_name = "VERSIONS", default_value_t = 10_000)]
    lag_max: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// What one node said.
#[derive(Clone, Debug)]
struct Row {
    /// As it was asked.
    url: String,
    /// What it says of itself, or why it says nothing.
    told: Result<Value, String>,
}

impl Row {
    fn partition(&self) -> Option<&Value> {
        Some(&self.told.as_ref().ok()?["partitions"][0])
    }

    fn name(&self) -> Option<&str> {
        self.told.as_ref().ok()?["node"].as_str()
    }

    fn leads(&self) -> bool {
        self.partition().is_some_and(|partition| partition["phase"] == "leading")
    }

    fn number(&self, field: &str) -> Option<u64> {
        self.partition()?[field].as_u64()
    }
}

/// Asks, and tells.
pub(super) fn run(arguments: &StatusArguments) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::CannotStart, error))?;
    let rows = runtime.block_on(ask_all(arguments));
    let problems = health::problems(&rows, arguments.lag_max);
    let shown = if arguments.json { as_json(&rows, &problems) } else { as_table(&rows, &problems) };
    exit::print(&shown)?;
    Ok(if problems.is_empty() { Exit::Done } else { Exit::No })
}

/// Every node that was named, then the leaders that those name.
async fn ask_all(arguments: &StatusArguments) -> Vec<Row> {
    let named: Vec<String> = arguments.nodes.iter().map(|node| url(node)).collect();
    let mut rows = ask(named, arguments).await;
    let names: BTreeSet<&str> = rows.iter().filter_map(Row::name).collect();
    let followed = rows.iter().filter_map(|row| {
        let leader = &row.partition()?["leader"];
        let known = names.contains(leader["node"].as_str()?);
        (!known).then(|| leader["address"].as_str().map(url)).flatten()
    });
    let asked: BTreeSet<&String> = rows.iter().map(|row| &row.url).collect();
    let others: BTreeSet<String> = followed.filter(|url| !asked.contains(url)).collect();
    rows.extend(ask(others, arguments).await);
    rows
}

fn url(node: &str) -> String {
    if node.contains("://") { node.to_owned() } else { format!("http://{node}") }
}

async fn ask(urls: impl IntoIterator<Item = String>, arguments: &StatusArguments) -> Vec<Row> {
    let asking = urls.into_iter().map(|url| {
        let (secret, timeout) = (arguments.key.clone(), Duration::from_secs(arguments.timeout));
        tokio::spawn(async move {
            let told = info(&url, secret, timeout).await;
            Row { url, told }
        })
    });
    // All are on their way before the first is waited for.
    let asking: Vec<_> = asking.collect();
    let mut rows = Vec::with_capacity(asking.len());
    for asked in asking {
        rows.push(asked.await.expect("asking does not panic"));
    }
    rows
}

/// What this node, and no other, says of itself.
async fn info(url: &str, secret: Option<String>, timeout: Duration) -> Result<Value, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let config = ClientConfig {
        secret: secret.map(Into::into),
        deadline: timeout,
        try_within: timeout,
        wait_for_ready: false,
        ..ClientConfig::new(Server::list(url).map_err(|error| told(&error))?)
    };
    let (method, target) = (Method::Get, "/v1/info".to_owned());
    let wire = Wire { method, target, body: Bytes::new(), kind: Kind::Query, wait: Duration::ZERO };
    let client = Client::new(config).map_err(|error| told(&error))?;
    let answer = client.send(&wire, &Options::default()).await.map_err(|error| match error {
        // Which node it is about stands beside it, and how often it was tried says nothing here.
        Error::NotDone(InVain { last: Some(trouble), .. }) => told(&trouble),
        other => told(&other),
    })?;
    let info: Option<Value> = serde_json::from_slice(&answer.outcome).ok();
    let info = info.filter(|info| info["partitions"][0].is_object());
    info.ok_or_else(|| "not an answer of Holdfast".to_owned())
}

fn as_json(rows: &[Row], problems: &[String]) -> String {
    let nodes: Vec<_> = rows
        .iter()
        .map(|row| match &row.told {
            Ok(info) => json!({ "url": row.url, "info": info, "lag": lag(row, rows) }),
            Err(why) => json!({ "url": row.url, "error": why }),
        })
        .collect();
    json!({ "healthy": problems.is_empty(), "problems": problems, "nodes": nodes }).to_string()
}

const COLUMNS: [&str; 10] =
    ["NODE", "URL", "PHASE", "EPOCH", "VERSION", "LAG", "HEARD", "LEASE", "LOG", "SNAPSHOTS"];

fn as_table(rows: &[Row], problems: &[String]) -> String {
    let mut lines = vec![COLUMNS.map(str::to_owned)];
    lines.extend(rows.iter().filter(|row| row.told.is_ok()).map(|row| cells(row, rows)));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..COLUMNS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let padded = padded.collect::<Vec<_>>().join("  ");
        writeln!(text, "{}", padded.trim_end()).expect("a text takes what is written to it");
    }
    for row in rows {
        if let Err(why) = &row.told {
            writeln!(text, "{:<width$}  {}  {why}", "-", row.url, width = widths[0])
                .expect("a text takes what is written to it");
        }
    }
    text.push_str(&match problems {
        [] => "healthy".to_owned(),
        some => format!("not healthy: {}", some.join("; ")),
    });
    text
}

fn cells(row: &Row, rows: &[Row]) -> [String; COLUMNS.len()] {
    let info = row.told.as_ref().ok();
    let text = |field: &str| row.partition().and_then(|partition| partition[field].as_str());
    let number = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    let ms = |field: &str| row.number(field).map_or("-".to_owned(), |ms| format!("{ms} ms"));
    let snapshots = info.and_then(|info| info["snapshots"].as_array());
    [
        row.name().unwrap_or("-").to_owned(),
        row.url.clone(),
        text("phase").unwrap_or("-").to_owned(),
        number(row.number("epoch")),
        number(row.number("version")),
        number(lag(row, rows)),
        ms("heard_ms"),
        ms("lease_remaining_ms"),
        info.map_or("-".to_owned(), |info| log(&info["log"])),
        snapshots.map_or("-".to_owned(), |versions| match versions.first() {
            Some(newest) => format!("{}, newest {newest}", versions.len()),
            None => "none".to_owned(),
        }),
    ]
}

fn log(log: &Value) -> String {
    let field = |name: &str| log[name].as_str();
    let engine = field("engine").unwrap_or("-").to_owned();
    let server = field("server").map(|server| format!(" {server}"));
    let role = field("role").map(|role| format!(" {role}"));
    let timeline = field("timeline").map(|timeline| format!(" timeline {timeline}"));
    let lost = (engine == "postgresql" && server.is_none()).then(|| " not connected".to_owned());
    [server, lost, role, timeline].into_iter().flatten().fold(engine, |text, part| text + &part)
}

/// How many versions a node lacks that the leader has; `None` where nobody leads.
fn lag(row: &Row, rows: &[Row]) -> Option<u64> {
    let leaders = rows.iter().filter(|row| row.leads());
    let leader = leaders.max_by_key(|row| row.number("epoch"))?;
    Some(leader.number("version")?.saturating_sub(row.number("version")?))
}
