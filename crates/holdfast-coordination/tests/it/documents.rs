//! Documents.

mod fixtures;
mod model;
mod pages;
mod scenarios;
