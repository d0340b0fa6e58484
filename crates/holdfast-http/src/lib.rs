//! The HTTP edge.
//!
//! Every command of the registry is a route; nothing here knows what any of them
//! does. A request passes [`server`] (connections, bounds) → [`service`] (route,
//! credentials) → [`endpoint`] (conventions, parse, execute) → node → [`reply`].
//! What goes wrong is a [`problem`]; what everyone may rely on is written in
//! `docs/http.md`. Read on with [`conventions`], [`conditional`], [`fingerprint`], [`keys`],
//! [`router`], [`receive`], `forms`, [`forward`], `waiting`, then [`changes`], [`events`], [`openapi`], [`metrics`], [`info`].
//!
//! It is built on hyper alone: routes come from the registry and middleware is a
//! function call, so a router crate and a stack of layers would cost allocations
//! per request and give nothing.
//!
//! Invariants: a status and a code are decided in one exhaustive `match` each;
//! every size, count and wait is bounded by [`Limits`]; nothing that a client
//! sends can end the process.

pub mod changes;
pub mod conditional;
pub mod conventions;
pub mod endpoint;
pub mod events;
pub mod exposition;
pub mod fingerprint;
mod forms;
pub mod forward;
pub mod info;
pub mod keys;
mod limited;
pub mod limits;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod query;
pub mod receive;
pub mod reply;
pub mod router;
pub mod server;
pub mod service;
mod waiting;

pub use keys::{Key, Keys, Role};
pub use limits::Limits;
pub use server::{BindError, HttpConfig, Server};
