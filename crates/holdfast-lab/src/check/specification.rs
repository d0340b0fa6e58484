//! What one copy without any machinery would answer.
//!
//! The least that linearizability can be judged by: no concurrency, no faults, no storage.
//! The witness ([`super::witness`]) asks it in the order of versions; the search
//! ([`super::search`]) tries orders, and needs copies of it.

pub mod key_value;
pub mod ledger;
pub mod register;

use std::fmt;

pub use key_value::KeyValue;
pub use ledger::Ledger;
pub use register::Register;

/// A naive object: it answers one operation after the other.
pub trait Specification {
    /// What one may ask.
    type Asked: fmt::Debug;
    /// What it answers.
    type Answer: PartialEq + fmt::Debug;

    /// Does what is asked, and answers. It must have an answer to everything, in every
    /// state: an operation whose answer nobody heard may have happened anywhere.
    fn ask(&mut self, asked: &Self::Asked) -> Self::Answer;
}
