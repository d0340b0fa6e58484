//! Documents.

mod fixtures;
mod indexes;
mod model;
mod pages;
mod scenarios;
