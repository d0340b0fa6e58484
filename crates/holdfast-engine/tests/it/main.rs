//! The engine's tests, named after the rules of the protocol that they prove.
//!
//! [`node`] drives one [`Engine`](holdfast_engine::Engine) on the test's own thread with invented
//! time over any log; [`held`] is a log whose answers the test gives, in the order and with the
//! losses it likes; [`toy`] is what the engine is asked to do, with a naive model beside it; and
//! [`history`] is the independent reader that says what really happened. [`cluster`] is several nodes on one log; [`instance`] is all of it
//! on one failing disk, and [`partition`] the real driver on real threads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, and that is its result")]

mod cluster;
mod held;
mod history;
mod node;
mod toy;

mod archive;
mod chaos;
mod claims;
mod corruption;
mod crashes;
mod crowd;
mod disks;
mod failing;
mod feed;
mod foreign;
mod handover;
mod idempotency;
mod instance;
mod leadership;
mod log_time;
mod overload;
mod partition;
mod pipeline;
mod quarantine;
mod reads;
mod recovery;
mod scrub;
mod sharing;
mod snapshots;
mod timers;
mod writes;
mod written_back;
