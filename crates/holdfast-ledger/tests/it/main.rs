//! The ledger through its registry, as every edge uses it.

mod registry;
