//! The project's chores, and the rules that no compiler knows.
//!
//! [`verify`] is the one command that says yes or no: it runs [`rules`] and then the usual tools
//! through [`run`]. The rules are functions from what is in the tree to [`Finding`]s, so that each
//! can be shown something that breaks it: [`layers`] (who may depend on whom), [`dependencies`]
//! (which outside crates, and who may name them), [`sources`] (briefings, lengths, lints),
//! [`documents`] (what is linked or named exists), [`protocol`] (each of the protocol's rules says
//! which tests name it). [`servers`] sees to what tests start, [`workspace`] is what `cargo metadata`
//! knows.

pub mod dependencies;
pub mod documents;
pub mod layers;
pub mod protocol;
pub mod rules;
pub mod run;
pub mod servers;
pub mod sources;
pub mod verify;
pub mod workspace;

pub use rules::Finding;
