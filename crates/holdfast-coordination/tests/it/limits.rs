//! Limits.

mod access_log;
mod chunks;
mod concurrency;
mod fixtures;
mod model;
mod scenarios;
mod slices;
