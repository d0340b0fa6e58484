//! A client of Holdfast servers: typed calls that have one effect each, whatever happens on the way.
//!
//! ```no_run
//! use std::time::Duration;
//! use holdfast_client::{Client, ClientConfig, Server, api::leases::AcquireLeaseSpec};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let servers = Server::list("http://127.0.0.1:7411,http://127.0.0.1:7412")?;
//! let client = Client::new(ClientConfig::new(servers))?;
//! let ttl = Some(Duration::from_secs(10).into());
//! let asked = AcquireLeaseSpec { ttl, ..AcquireLeaseSpec::new("scheduler", "node-1") };
//! let answer = client.call(&asked).await?;
//! println!("token {:?} at {:?}", answer.outcome.token, answer.at);
//! # Ok(())
//! # }
//! ```
//!
//! A call goes to one of the [`servers`] and, if that brings no answer, again, to this or another:
//! within its deadline, with rests that grow, within a [budget](RetryBudget) that all calls share. A
//! command that writes bears one [`IdempotencyKey`] at every try, so however often it is sent it has
//! one effect and one answer. What a call ends in otherwise is an [`Error`] that says whether it may
//! have happened.
//!
//! Read in this order: [`command`] (what can be asked) and [`api`], which is generated from the
//! servers' registry; [`client`], [`request`], `calling` and `attempt` (one call, one try); [`retry`],
//! [`servers`], [`error`], [`problem`]; [`session`]; `tenure`, `standing` and `keeping`, [`lease`], [`live_session`]; [`limiter`]; [`reader`],
//! [`consumer`], [`worker`]. It knows servers by their HTTP API alone, and nothing
//! of their crates.

pub mod answer;
pub mod api;
mod attempt;
mod calling;
pub mod changes;
pub mod client;
pub mod command;
pub mod consumer;
pub mod error;
pub mod json;
mod keeping;
pub mod key;
pub mod lease;
pub mod lifetime;
pub mod limiter;
pub mod live_session;
pub mod problem;
pub mod reader;
pub mod request;
pub mod retry;
pub mod servers;
pub mod session;
mod standing;
mod stopper;
mod tenure;
mod transaction;
mod values;
pub mod worker;

pub use answer::{Answer, At, WireAnswer};
pub use client::{Client, ClientConfig, Secret};
pub use command::{Command, Wire};
pub use consumer::{Batch, Consumer, ConsumerRequest};
pub use error::{Ended, Error, InVain, Trouble};
pub use json::Json;
pub use key::IdempotencyKey;
pub use lease::{Lease, LeaseRequest};
pub use lifetime::Lifetime;
pub use limiter::{Decision, Limiter, LimiterRequest};
pub use live_session::LiveSession;
pub use problem::Problem;
pub use reader::Reader;
pub use request::{Consistency, Options, Request};
pub use retry::{Backoff, RetryBudget};
pub use servers::Server;
pub use session::Session;
pub use standing::Loss;
pub use stopper::Stopper;
pub use transaction::Operations;
pub use values::{IfMatch, IfNoneMatch, Moment};
pub use worker::{Job, Verdict, Worker, WorkerRequest};

/// The program in the documents is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client.md")]
struct Documents;
