//! A partition: evaluate, append, apply, answer.
//!
//! [`Engine`] is a state machine without IO; `driver` runs it on a thread of
//! its own over a real log and real clocks, and [`Partition`] is the handle that
//! everyone else holds. Read in this order: [`request`], [`event`], [`engine`],
//! `leading`, [`pipeline`], [`leader`], [`confirm`], then [`clock`], [`admission`], [`idempotency`],
//! [`timers`], [`quarantine`], and last `driver`, `applier`, `aside`, `cursor`, [`digest`], [`scrub`], [`partition`], [`level`], [`mod@view`], [`standing`], [`feed`], [`snapshots`], [`archive`].
//!
//! Invariants: nothing is answered before all that it saw is durable; state
//! changes only by applying what the log holds; this crate knows no primitive.

pub mod admission;
mod applier;
pub mod archive;
mod aside;
pub mod clock;
mod clocks;
pub mod config;
pub mod confirm;
mod cursor;
pub mod digest;
mod driver;
pub mod engine;
pub mod event;
pub mod feed;
pub mod idempotency;
mod inbox;
pub mod leader;
mod leading;
pub mod level;
pub mod metrics;
pub mod partition;
pub mod pipeline;
pub mod quarantine;
pub mod request;
pub mod scrub;
pub mod snapshots;
pub mod standing;
pub mod timers;
pub mod view;

pub use archive::{Archive, ArchiveError};
pub use config::{Config, ConfigError, Leadership, Reads, Shared, TimerHandler};
pub use confirm::Confirm;
pub use engine::Engine;
pub use event::{Action, Event, Now, Stopped};
pub use feed::{Feed, FeedError};
pub use leader::Leader;
pub use level::Level;
pub use metrics::Metrics;
pub use partition::{Partition, Parts, Phase};
pub use quarantine::{Quarantine, Suspects, Witness};
pub use request::{Answer, Asked, Decision, Failure, Fingerprint, Outcome, Request};
pub use scrub::Origin;
pub use snapshots::SnapshotKeeper;
pub use standing::Standing;
pub use view::view;
