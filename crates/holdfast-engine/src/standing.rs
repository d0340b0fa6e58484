//! Where a partition stands, for operators and for other nodes (`holdfast cluster status`).

use holdfast_log::{Epoch, Position};
use holdfast_state::Version;

use crate::{leader::Leader, partition::Phase};

/// What a partition knows of itself and of who leads. A look, not a promise: it may be over when
/// it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it is in its life.
    pub phase: Phase,
    /// The number of the latest claim that it read.
    pub epoch: Epoch,
    /// Who else leads, as far as is known: always `None` while this node leads.
    pub leader: Option<Leader>,
    /// The last transaction in its state.
    pub applied: Version,
    /// The position up to which it has read; `None` before the first.
    pub position: Option<Position>,
    /// How long ago everything acknowledged until then was known to be in the state, in
    /// microseconds; `None` when that was never known. Zero where nobody else can write.
    pub behind_us: Option<u64>,
    /// How long this node's lease runs on, in microseconds; `None` unless it leads on a log that nodes
    /// share.
    pub lease_us: Option<u64>,
    /// How long ago an entry that counts was last read, in microseconds.
    pub heard_us: Option<u64>,
}
