//! The recipes of docs/fencing.md: programs that fence what lies outside with a lease's token.

mod header;
mod object;
mod sql;
