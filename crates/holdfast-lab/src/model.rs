//! Every interleaving of the log's protocol, within small bounds.
//!
//! Two nodes, a log of a few positions, messages that arrive in any order, late, twice or
//! never, answers that are lost. [`mod@explore`] goes through all states breadth first; a
//! violation comes with a shortest way to it. The protocol is written down twice, as it may
//! be looked at: [`readers`] are nodes that see what the log holds, [`learners`] know only
//! what answers told them, while the log is trimmed. [`rules`] are what nodes keep to; each can
//! be left out, and then something must go wrong, or the model could not have noticed.
//!
//! Which entries count is decided by [`automaton`], a few lines that can be bent; as long as
//! they are not, every sequence of entries that comes up is also read by the automaton that
//! every node really runs ([`production`]), and any difference is a violation.
//!
//! Checked in every state: an entry that counts was evaluated upon exactly the entries that
//! counted before it; what was acknowledged counts, for ever. [`mod@cases`] is what is run, by
//! `holdfast lab model` and by the tests.
//!
//! A search of a hundred lines was chosen over a library (`stateright`): states are kept
//! exactly rather than as 64-bit fingerprints, a shortest trace comes with breadth first, and
//! there is nothing else that a library would bring that is needed here.

pub mod automaton;
pub mod cases;
pub mod explore;
pub mod learners;
pub mod production;
pub mod readers;
pub mod rules;

pub use cases::{Case, Expected, cases};
pub use explore::{Explored, Outcome, explore};
pub use rules::{Bounds, Rules, Trim};
