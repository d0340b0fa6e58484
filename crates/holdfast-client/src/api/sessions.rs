//! Commands of `sessions`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod close;
mod get;
mod list;
mod open;
mod renew;

pub use close::{CloseSessionOutcome, CloseSessionSpec, Closed};
pub use get::{GetSessionSpec, SessionAndTied, TiedKind, TiedThing};
pub use list::{ListSessionsSpec, Session, SessionsPage};
pub use open::{OpenSessionOutcome, OpenSessionSpec, Opened};
pub use renew::{RenewSessionOutcome, RenewSessionSpec, Renewed};
