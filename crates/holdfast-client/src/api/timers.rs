//! Commands of `timers`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod arm;
mod cancel;
mod get;

pub use arm::{ArmTimerOutcome, ArmTimerSpec, Armed};
pub use cancel::{CancelTimerOutcome, CancelTimerSpec, Cancelled};
pub use get::{GetTimerSpec, Status, Timer};
