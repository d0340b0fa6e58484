//! The engine's tests, named after the rules of the protocol that they prove.
//!
//! [`node`] drives one [`Engine`](holdfast_engine::Engine) on the test's own thread with invented
//! time over any log; [`held`] is a log whose answers the test gives, in the order and with the
//! losses it likes; [`toy`] is what the engine is asked to do, with a naive model beside it; and
//! [`history`] is the independent reader that says what really happened.

mod held;
mod history;
mod node;
mod toy;

mod claims;
mod failing;
mod foreign;
mod idempotency;
mod log_time;
mod overload;
mod pipeline;
mod timers;
mod writes;
