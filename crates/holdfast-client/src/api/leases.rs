//! Commands of `leases`.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

mod acquire;
mod get;
mod guard;
mod list;
mod release;
mod renew;
mod transfer;
mod withdraw;

use serde::{Deserialize, Serialize};

use crate::json::Json;

pub use acquire::{AcquireLeaseOutcome, AcquireLeaseSpec, Acquired};
pub use get::{GetLeaseSpec, Lease, WaitingOwner};
pub use guard::{GuardLeaseOutcome, GuardLeaseSpec, Guarded};
pub use list::{HeldLease, LeasesPage, ListLeasesSpec};
pub use release::{ReleaseLeaseOutcome, ReleaseLeaseSpec, Released};
pub use renew::{RenewLeaseOutcome, RenewLeaseSpec, Renewed};
pub use transfer::{TransferLeaseOutcome, TransferLeaseSpec, Transferred};
pub use withdraw::{WithdrawOutcome, WithdrawSpec, Withdrawn};

/// A grant of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grant {
    /// The transaction that made it: the fencing token.
    pub token: u64,
    /// Who holds the lease.
    pub owner: String,
    /// When it was granted.
    pub granted_at: String,
    /// When it ends unless it is renewed, or its session.
    pub expires_at: String,
    /// The owner's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// The session that it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}
