//! Sessions.

mod fixtures;
mod pieces;
mod scenarios;
mod tokens;
