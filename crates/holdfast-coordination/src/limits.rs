//! Limits: how much of something whom is allowed in how much time.
//!
//! A *limit* is a name for a list of *rules*. A rule has a *quota* (so much, by an
//! algorithm) and says by which *descriptors* it counts: `["tenant"]` is one counter for
//! each tenant, `["tenant", "user"]` one for each user of each. Who asks describes the
//! request (`tenant`, `user`, `route`) and says what it costs; all rules that apply are
//! charged, or none.
//!
//! Promises, at every version: a request is allowed if every rule that applies has room
//! for it, and charged to each; one that is denied is charged to none, and writes nothing.
//! Time is log time, so no gateway's clock matters. A sliding log is exact: no window of
//! its length, wherever it begins, has more than its quota, and it denies only what would
//! bring one above.
//!
//! Left to others: what is done with a denial (callers), counting a repeated request once
//! (idempotency keys, engine), header fields of the answer (edge).
//!
//! Read in this order: [`descriptors`], [`quota`], [`rule`] (values); `refusals`; [`row`]
//! and [`stamps`] (what is stored), `shelf` (where counters are, and how they are
//! forgotten); `reading`; `sliding_log`, `sliding_counter`, `token_bucket`, `gcra`, `concurrency`, `meter`
//! (the algorithms), `evaluate`, [`fields`]; [`mod@put`], [`mod@get`], [`list`], [`mod@delete`];
//! [`mod@check`], [`mod@take`], [`status`]; [`holding`], [`mod@release`], [`mod@renew`]; [`mod@slice`], [`edge`]; [`forget`]; `instrument`.

pub mod check;
mod concurrency;
pub mod delete;
pub mod descriptors;
pub mod edge;
mod evaluate;
pub mod fields;
pub mod forget;
mod gcra;
pub mod get;
pub mod holding;
mod instrument;
pub mod list;
mod meter;
pub mod put;
pub mod quota;
mod reading;
mod refusals;
pub mod release;
pub mod renew;
pub mod row;
pub mod rule;
mod shelf;
pub mod slice;
mod sliding_counter;
mod sliding_log;
pub mod stamps;
pub mod status;
pub mod take;
mod token_bucket;

use holdfast_state::{TableId, TimerHandler, command::Entry, table::Table as _};

pub use check::{CheckLimitSpec, check};
pub use descriptors::{DescriptorValue, Descriptors};
pub use instrument::INSTRUMENTS;
pub use put::{PutLimitSpec, put};
pub use quota::{Quota, Units};
pub use release::{ReleaseHolderSpec, release};
pub use renew::{RenewHolderSpec, renew};
pub use rule::{OnFailure, Rule, Rules};
pub use slice::{TakeSliceRefusal, TakeSliceSpec, slice};
pub use take::{TakeLimitRefusal, TakeLimitSpec, take};

/// Everything that can be asked of limits.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<put::PutLimit>(),
    Entry::write::<delete::DeleteLimit>(),
    Entry::query::<get::GetLimit>(),
    Entry::query::<list::ListLimits>(),
    Entry::write::<check::CheckLimit>(),
    Entry::write::<take::TakeLimit>(),
    Entry::write::<release::ReleaseHolder>(),
    Entry::write::<renew::RenewHolder>(),
    Entry::write::<slice::TakeSlice>(),
    Entry::query::<status::LimitStatus>(),
];

/// The timers of limits: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] = &[(forget::HANDLER, forget::forget)];

/// The tables of limits: number and name. Numbers `0x0480..=0x04bf` are theirs.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Limits::ID, row::Limits::NAME),
    (row::Shelves::ID, row::Shelves::NAME),
    (row::Logs::ID, row::Logs::NAME),
    (row::Chunks::ID, row::Chunks::NAME),
    (row::Windows::ID, row::Windows::NAME),
    (row::Buckets::ID, row::Buckets::NAME),
    (row::Arrivals::ID, row::Arrivals::NAME),
    (row::Occupancies::ID, row::Occupancies::NAME),
    (row::Holders::ID, row::Holders::NAME),
];
