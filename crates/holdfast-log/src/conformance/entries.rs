//! P2, P4: what readers make of entries that went through the log.

use bytes::Bytes;

use super::{Harness, append, at, read_all, text};
use crate::entry::{Claim, EntryBuilder, EntryHeader};
use crate::epoch::{Epoch, Nonce};
use crate::identity::{Hash, LogId};
use crate::log::{Append, Log, Read};
use crate::reader::{ChainBroken, DeadReason, Reader, Step};

const LOG: LogId = LogId::from_bytes([7; 16]);

/// A leader as far as entries go: it knows its epoch and the last valid entry before its next.
struct Leader {
    header: EntryHeader,
}

impl Leader {
    /// Claims at `position`, knowing what `reader` has read.
    fn claim(log: &dyn Log, position: u64, reader: &Reader, nonce: u8) -> Self {
        let state = reader.state();
        let header = EntryHeader {
            feature_level: 1,
            log: LOG,
            previous: state.hash,
            epoch: state.epoch.next(),
            nonce: Nonce::from_bytes([nonce; 16]),
            sequence: 0,
            first_version: state.next_version,
            count: 0,
            log_time_us: 1,
            durable: at(position).previous(),
        };
        let claim = Claim {
            node: "a".into(),
            address: "b".into(),
            lease_ms: 1,
            provenance: log.provenance(),
        };
        let bytes = claim.seal(&header);
        assert_eq!(append(log, position, &bytes), Append::Ok);
        Self { header: EntryHeader { previous: Hash::of(&bytes), ..header } }
    }

    /// The next batch, of one version.
    fn batch(&mut self, body: &str) -> Bytes {
        let header = EntryHeader { sequence: self.header.sequence + 1, count: 1, ..self.header };
        let mut builder = EntryBuilder::with_capacity(body.len());
        builder.put(body.as_bytes());
        let bytes = builder.seal(&header);
        self.header = EntryHeader {
            previous: Hash::of(&bytes),
            first_version: header.first_version + 1,
            ..header
        };
        bytes
    }
}

/// Reads everything from where the reader stands.
fn catch_up(log: &dyn Log, reader: &mut Reader) -> Result<Vec<Step>, ChainBroken> {
    let from = reader.state().next_position.get();
    let mut steps = Vec::new();
    for held in read_all(log, from) {
        if let Read::Entry(bytes) = held {
            steps.push(reader.feed(reader.state().next_position, &bytes)?);
        }
    }
    Ok(steps)
}

fn bodies(steps: &[Step]) -> Vec<&[u8]> {
    let bodies = steps.iter().map(|step| match step {
        Step::Batch(_, body) => Some(&body[..]),
        Step::Claim(..) | Step::Renewal(..) | Step::Dead(_) => None,
    });
    bodies.flatten().collect()
}

pub(super) fn p4_stale_epochs_and_wrong_numbers_are_skipped_by_all(harness: &dyn Harness) {
    let log = harness.open();
    let mut reader = Reader::start(None);
    let mut old = Leader::claim(&*log, 1, &reader, 1);
    assert_eq!(append(&*log, 2, &old.batch("one")), Append::Ok);
    // Out of order: the second of two arrives first and must be appended again behind the first.
    let (two, three) = (old.batch("two"), old.batch("three"));
    assert_eq!(append(&*log, 3, &three), Append::Ok);
    assert_eq!(append(&*log, 4, &two), Append::Ok);
    assert_eq!(append(&*log, 5, &three), Append::Ok);
    let steps = catch_up(&*log, &mut reader).expect("the chain fits");
    assert_eq!(bodies(&steps), [&b"one"[..], b"two", b"three"]);
    let out_of_order = DeadReason::Sequence { found: 3, expected: 2 };
    assert_eq!(steps[2], Step::Dead(out_of_order));

    // A new leader; the old one does not know and goes on.
    let mut new = Leader::claim(&*log, 6, &reader, 2);
    assert_eq!(append(&*log, 7, &old.batch("zombie")), Append::Ok);
    assert_eq!(append(&*log, 8, &new.batch("four")), Append::Ok);
    let steps = catch_up(&*log, &mut reader).expect("the chain fits");
    assert_eq!(bodies(&steps), [&b"four"[..]]);
    let stale = DeadReason::Epoch { found: Epoch::new(1), current: Epoch::new(2) };
    assert_eq!(steps[1], Step::Dead(stale));

    // A claim that was made in ignorance of the newer one takes its position and nothing else.
    let mut ignorant = Reader::start(None);
    for position in 1..=5 {
        let Read::Entry(bytes) = &read_all(&*log, position)[0] else { panic!("it was filled") };
        ignorant.feed(at(position), bytes).expect("the chain fits");
    }
    Leader::claim(&*log, 9, &ignorant, 3);
    assert_eq!(append(&*log, 10, &new.batch("five")), Append::Ok);
    let steps = catch_up(&*log, &mut reader).expect("the chain fits");
    assert!(matches!(steps[0], Step::Dead(DeadReason::ClaimEpoch { .. })), "{:?}", steps[0]);
    assert_eq!(bodies(&steps), [&b"five"[..]]);

    let mut another = Reader::start(None);
    let steps = catch_up(&*log, &mut another).expect("the chain fits");
    assert_eq!(bodies(&steps), [&b"one"[..], b"two", b"three", b"four", b"five"]);
    assert_eq!(another.state(), reader.state(), "all readers agree");
}

pub(super) fn p2_a_chain_that_does_not_fit_is_refused(harness: &dyn Harness) {
    let log = harness.open();
    let mut reader = Reader::start(None);
    let mut leader = Leader::claim(&*log, 1, &reader, 1);
    let lost = leader.batch("an entry that the engine lost");
    // What a reader sees whose engine answered `Ok` for `lost` and then forgot it: the next claim,
    // made by someone who has read it, takes the hole.
    let mut wise = reader.clone();
    catch_up(&*log, &mut wise).expect("the chain fits");
    wise.feed(at(2), &lost).expect("the chain fits");
    Leader::claim(&*log, 2, &wise, 2);
    let expected = Hash::of(&lost);
    let broken = catch_up(&*log, &mut reader).expect_err("the engine lost an entry");
    let ChainBroken::Previous { position, found, .. } = &broken else { panic!("{broken:?}") };
    assert_eq!((*position, *found), (at(2), expected));
    assert_eq!(append(&*log, 3, &text("more")), Append::Ok);
    assert_eq!(catch_up(&*log, &mut reader), Err(broken), "it stays stopped");
}
