//! What must hold of a run: one file for each invariant.
//!
//! Every check is a pure function over plain data: calls as clients saw them
//! ([`call`]), what the log holds ([`log`]), digests of states, timers, times. It knows
//! nothing of who ran what; the scenario runner, a simulator and `holdfast check` give
//! it what they saw. What it finds is typed, and says which operation, key, version and
//! times it is about. The first violation ends a check: whoever repeats the run finds
//! the next.
//!
//! Read in this order: [`call`], [`oracle`] (what a client may believe: a call without an
//! answer is never taken for one that did not happen), [`specification`] (what one copy
//! without machinery would answer). Then the checks:
//!
//! * [`real_time`], [`witness`] – linearizability where answers carry versions: no search;
//! * [`search`] – linearizability where they do not;
//! * [`exactly_once`], [`acknowledged`] – one effect for a key, and none lost;
//! * [`conservation`] – nothing is made or lost on the way;
//! * [`agreement`], [`replay`] – one state at one version, whoever has it and however it was made;
//! * [`timers`] – once and not early; [`zombies`] – who was deposed changes nothing;
//! * [`journal`], [`succession`] – one leader writes at a time, and there is one;
//! * [`windows`], [`slices`] – so many in a window, and no fewer;
//! * [`deadlocks`] – nobody waits for itself; [`deliveries`], [`consumption`] – each message is
//!   done once;
//! * [`liveness`] – when the faults are over, it serves.
//!
//! [`recorded`] judges the file that a scenario leaves.

pub mod acknowledged;
pub mod agreement;
pub mod call;
pub mod conservation;
pub mod consumption;
pub mod deadlocks;
pub mod deliveries;
pub mod exactly_once;
pub mod journal;
pub mod liveness;
pub mod log;
pub mod oracle;
pub mod real_time;
pub mod recorded;
pub mod replay;
pub mod search;
pub mod slices;
pub mod specification;
pub mod succession;
pub mod timers;
pub mod windows;
pub mod witness;
pub mod zombies;

pub use call::{Call, Heard, Place, Reply};
pub use oracle::{Belief, Operation, operations};
pub use specification::Specification;
