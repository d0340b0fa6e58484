//! What this server is and how it is doing: what an operator and `holdfast cluster status` look at.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use holdfast_engine::Phase;
use holdfast_node::{Node, at::PARTITION};
use hyper::StatusCode;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::Value;

use crate::{
    limits::Limits,
    problem::{Kind, Problem},
    reply::{self, Reply},
};

/// How long listing the snapshots may take: their directory may be on a network.
const LISTED_WITHIN: Duration = Duration::from_millis(500);

/// A server.
#[derive(Serialize, JsonSchema)]
struct Info<'a> {
    /// The release.
    version: &'static str,
    /// What this node is called.
    node: &'a str,
    /// How safe an acknowledged write is.
    durability: &'static str,
    log: LogInfo,
    /// Versions of the snapshots that a node could begin from, newest first; none when they cannot be
    /// listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<Vec<u64>>,
    partitions: [PartitionInfo; 1],
    limits: LimitsInfo,
}

/// What the log is kept on.
#[derive(Serialize, JsonSchema)]
struct LogInfo {
    /// `files`, `memory`, `postgresql`.
    engine: &'static str,
    /// Where the server is; none while none is connected that may hold the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// What else is known of it: of PostgreSQL its role, system identifier and timeline.
    #[serde(flatten)]
    facts: BTreeMap<&'static str, String>,
}

/// A partition on this node.
#[derive(Serialize, JsonSchema)]
struct PartitionInfo {
    partition: u32,
    /// `starting`, `leading`, `following`, `stopped`.
    phase: &'static str,
    /// Why it has stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The last transaction in its state.
    version: u64,
    /// The position of the log that it was in.
    position: u64,
    /// The number of the latest claim of leadership.
    epoch: u64,
    /// Who else leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<LeaderInfo>,
    /// How long ago the state was known to hold everything that was acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_ms: Option<u64>,
    /// How long ago an entry that counts was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard_ms: Option<u64>,
    /// How long the lease runs on, of a node that leads on a log that nodes share.
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_remaining_ms: Option<u64>,
    /// Log time.
    time: holdfast_state::LogTime,
    /// The change feed begins here.
    oldest_change: u64,
}

/// A node that leads.
#[derive(Serialize, JsonSchema)]
struct LeaderInfo {
    node: String,
    address: String,
    epoch: u64,
}

/// Bounds.
#[derive(Serialize, JsonSchema)]
struct LimitsInfo {
    body_bytes_max: usize,
    bulk_body_bytes_max: usize,
    header_bytes_max: usize,
    idempotency_key_max: usize,
    idempotency_retention_s: u64,
    request_timeout_ms: u128,
    request_timeout_max_ms: u128,
    transaction_reads_max: u32,
    transaction_writes_max: u32,
    transaction_read_bytes_max: usize,
    transaction_write_bytes_max: usize,
}

/// What `/v1/info` says.
pub async fn info(node: &Arc<Node>, limits: &Limits) -> Reply {
    let snapshots = snapshots(node).await;
    let log = node.log_server();
    let config = &node.config().engine;
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        node: &config.node,
        durability: node.durability().as_str(),
        log: LogInfo {
            engine: log.engine,
            server: log.address,
            facts: log.facts.into_iter().collect(),
        },
        snapshots,
        partitions: [partition(node)],
        limits: LimitsInfo {
            body_bytes_max: limits.body_bytes_max,
            bulk_body_bytes_max: limits.bulk_body_bytes_max,
            header_bytes_max: limits.header_bytes_max,
            idempotency_key_max: crate::conventions::IDEMPOTENCY_KEY_MAX,
            idempotency_retention_s: config.retention_us / 1_000_000,
            request_timeout_ms: limits.request_timeout.as_millis(),
            request_timeout_max_ms: limits.request_timeout_max.as_millis(),
            transaction_reads_max: config.budget.reads_max,
            transaction_writes_max: config.budget.writes_max,
            transaction_read_bytes_max: config.budget.read_bytes_max,
            transaction_write_bytes_max: config.budget.write_bytes_max,
        },
    };
    let body = serde_json::to_vec(&info).expect("it is plain data");
    reply::json(StatusCode::OK, body.into())
}

/// The schema of what [`info`] answers, for the API's description.
#[must_use]
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<Info<'_>>().to_value()
}

async fn snapshots(node: &Arc<Node>) -> Option<Vec<u64>> {
    let node = Arc::clone(node);
    let listing = tokio::task::spawn_blocking(move || node.snapshots());
    let listed = tokio::time::timeout(LISTED_WITHIN, listing).await.ok()?.ok()?;
    let versions = listed.inspect_err(|error| tracing::debug!(%error, "snapshots")).ok()?;
    Some(versions.iter().map(|version| version.get()).collect())
}

fn partition(node: &Node) -> PartitionInfo {
    let partition = node.partition();
    let metrics = partition.metrics();
    let standing = partition.standing();
    let (phase, reason) = match &standing.phase {
        Phase::Starting => ("starting", None),
        Phase::Leading => ("leading", None),
        Phase::Following { .. } => ("following", None),
        Phase::Stopped(why) => ("stopped", Some(why.to_string())),
    };
    PartitionInfo {
        partition: PARTITION,
        phase,
        reason,
        version: partition.feed().reached().get(),
        position: metrics.position.get(),
        epoch: standing.epoch.get(),
        leader: standing.leader.map(|leader| LeaderInfo {
            node: leader.node,
            address: leader.address,
            epoch: leader.epoch.get(),
        }),
        behind_ms: standing.behind_us.map(|us| us / 1_000),
        heard_ms: standing.heard_us.map(|us| us / 1_000),
        lease_remaining_ms: standing.lease_us.map(|us| us / 1_000),
        time: holdfast_state::LogTime::from_us(metrics.log_time_us.get()),
        oldest_change: partition.feed().oldest().get(),
    }
}

/// The process lives: it can answer this.
#[must_use]
pub fn health() -> Reply {
    reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"alive\"}"))
}

/// The partition leads, so requests are taken; or it follows one that does, which requests are sent on to.
///
/// # Errors
/// `unavailable`
pub fn ready(node: &Node) -> Result<Reply, Problem> {
    let unavailable = |reason: &str| Err(Problem::new(Kind::Unavailable, reason));
    match node.partition().phase() {
        Phase::Leading => {
            Ok(reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"leading\"}")))
        }
        Phase::Following { leader: Some(_) } => {
            Ok(reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"following\"}")))
        }
        Phase::Following { leader: None } => unavailable("no node is known to lead"),
        Phase::Starting => unavailable("the partition is reading its log"),
        Phase::Stopped(why) => unavailable(&why.to_string()),
    }
}
