//! What this server is and how it is doing.

use bytes::Bytes;
use holdfast_engine::Phase;
use holdfast_node::{Node, at::PARTITION};
use hyper::StatusCode;
use serde::Serialize;

use crate::{
    limits::Limits,
    problem::{Kind, Problem},
    reply::{self, Reply},
};

#[derive(Serialize)]
struct Info<'a> {
    version: &'static str,
    node: &'a str,
    durability: &'static str,
    partitions: [PartitionInfo; 1],
    limits: LimitsInfo,
}

#[derive(Serialize)]
struct PartitionInfo {
    partition: u32,
    phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    version: u64,
    position: u64,
    /// The number of the latest claim of leadership.
    epoch: u64,
    /// Who else leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<LeaderInfo>,
    /// How long ago the state was known to hold everything that was acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind_ms: Option<u64>,
    time: holdfast_state::LogTime,
    oldest_change: u64,
}

#[derive(Serialize)]
struct LeaderInfo {
    node: String,
    address: String,
    epoch: u64,
}

#[derive(Serialize)]
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
#[must_use]
pub fn info(node: &Node, limits: &Limits) -> Reply {
    let config = &node.config().engine;
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        node: &config.node,
        durability: node.durability().as_str(),
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
        time: holdfast_state::LogTime::from_us(metrics.log_time_us.get()),
        oldest_change: partition.feed().oldest().get(),
    }
}

/// The process lives: it can answer this.
#[must_use]
pub fn health() -> Reply {
    reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"alive\"}"))
}

/// The partition leads, so requests are taken, or it follows, so that reads are.
///
/// # Errors
/// `unavailable`
pub fn ready(node: &Node) -> Result<Reply, Problem> {
    let unavailable = |reason: &str| Err(Problem::new(Kind::Unavailable, reason));
    match node.partition().phase() {
        Phase::Leading => {
            Ok(reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"leading\"}")))
        }
        Phase::Following { .. } => {
            Ok(reply::json(StatusCode::OK, Bytes::from_static(b"{\"status\":\"following\"}")))
        }
        Phase::Starting => unavailable("the partition is reading its log"),
        Phase::Stopped(why) => unavailable(&why.to_string()),
    }
}
