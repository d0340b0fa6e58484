use proptest::prelude::*;

use super::*;
use crate::entry::EntryBuilder;
use crate::provenance::Provenance;

const LOG: LogId = LogId::from_bytes([1; 16]);

/// Builds entries that follow `reader`, for the caller to spoil.
fn next_header(reader: &Reader, sequence: u64, count: u32) -> EntryHeader {
    let state = reader.state();
    EntryHeader {
        feature_level: 1,
        log: state.identity.unwrap_or(LOG),
        previous: state.hash,
        epoch: if sequence == 0 { state.epoch.next() } else { state.epoch },
        nonce: if sequence == 0 { nonce(1) } else { state.nonce },
        sequence,
        first_version: state.next_version,
        count,
        log_time_us: 1_000,
        durable: None,
    }
}

fn nonce(number: u8) -> Nonce {
    Nonce::from_bytes([number; 16])
}

fn claim(header: &EntryHeader) -> Bytes {
    claim_on(b"", header)
}

fn claim_on(server: &[u8], header: &EntryHeader) -> Bytes {
    let provenance = Provenance::new(server).unwrap();
    Claim { node: "n".into(), address: "a".into(), lease_ms: 1, provenance }.seal(header)
}

fn batch(header: &EntryHeader) -> Bytes {
    let mut builder = EntryBuilder::with_capacity(1);
    builder.put(b"x");
    builder.seal(header)
}

fn renewal(header: &EntryHeader, lease_ms: u64) -> Bytes {
    let provenance = Provenance::NONE;
    Claim { node: "n".into(), address: "a".into(), lease_ms, provenance }.seal_renewal(header)
}

fn feed(reader: &mut Reader, bytes: &Bytes) -> Result<Step, ChainBroken> {
    let position = reader.state().next_position;
    reader.feed(position, bytes)
}

/// A reader that has seen a claim and one batch of three versions.
fn led() -> Reader {
    let mut reader = Reader::start(None);
    let entry = claim(&next_header(&reader, 0, 0));
    assert!(matches!(feed(&mut reader, &entry), Ok(Step::Claim(..))));
    let entry = batch(&next_header(&reader, 1, 3));
    assert!(matches!(feed(&mut reader, &entry), Ok(Step::Batch(..))));
    reader
}

#[test]
fn claims_and_batches_count_in_order_and_versions_are_dense() {
    let reader = led();
    let state = reader.state();
    assert_eq!(state.identity, Some(LOG));
    assert_eq!((state.epoch, state.sequence), (Epoch::new(1), 1));
    assert_eq!((state.next_version, state.next_position.get()), (4, 3));
    assert!(state.is_led_by(nonce(1)) && !state.is_led_by(nonce(2)));
}

#[test]
fn a_renewal_takes_a_number_brings_no_version_and_sets_the_lease() {
    let mut reader = led();
    let before = *reader.state();
    assert_eq!(before.lease_ms, 1);
    for (sequence, lease_ms) in [(2, 700), (3, 0)] {
        let header = next_header(&reader, sequence, 0);
        let step = feed(&mut reader, &renewal(&header, lease_ms)).unwrap();
        assert!(matches!(step, Step::Renewal(_, said) if said.lease_ms == lease_ms));
        let state = reader.state();
        assert_eq!((state.sequence, state.lease_ms), (sequence, lease_ms));
        assert_eq!(state.next_version, before.next_version, "versions stay dense");
    }
    let late = renewal(&next_header(&reader, 3, 0), 9);
    assert_eq!(
        feed(&mut reader, &late),
        Ok(Step::Dead(DeadReason::Sequence { found: 3, expected: 4 }))
    );
    assert_eq!(reader.state().lease_ms, 0, "what is dead extends nothing");
    let next = batch(&next_header(&reader, 4, 1));
    assert!(matches!(feed(&mut reader, &next), Ok(Step::Batch(..))));
}

#[test]
fn what_is_out_of_turn_is_dead_and_changes_nothing_but_the_position() {
    let mut reader = led();
    let good = next_header(&reader, 2, 1);
    let current = Epoch::new(1);
    let cases = [
        (
            batch(&EntryHeader { epoch: Epoch::new(2), ..good }),
            DeadReason::Epoch { found: Epoch::new(2), current },
        ),
        (batch(&EntryHeader { nonce: nonce(2), ..good }), DeadReason::Nonce),
        (
            batch(&EntryHeader { sequence: 3, ..good }),
            DeadReason::Sequence { found: 3, expected: 2 },
        ),
        (
            batch(&EntryHeader { sequence: 1, ..good }),
            DeadReason::Sequence { found: 1, expected: 2 },
        ),
        (
            claim(&EntryHeader { epoch: current, sequence: 0, count: 0, ..good }),
            DeadReason::ClaimEpoch { found: current, expected: Epoch::new(2) },
        ),
        (
            claim(&EntryHeader { epoch: Epoch::new(3), sequence: 0, count: 0, ..good }),
            DeadReason::ClaimEpoch { found: Epoch::new(3), expected: Epoch::new(2) },
        ),
    ];
    for (entry, reason) in cases {
        let before = *reader.state();
        assert_eq!(feed(&mut reader, &entry), Ok(Step::Dead(reason)));
        let moved = ReaderState { next_position: before.next_position.next(), ..before };
        assert_eq!(*reader.state(), moved);
    }
    // The same bytes that were dead out of order count when their turn comes.
    assert!(matches!(feed(&mut reader, &batch(&good)), Ok(Step::Batch(..))));
}

#[test]
fn a_batch_before_any_claim_is_dead() {
    let mut reader = Reader::start(None);
    let header = EntryHeader { epoch: Epoch::new(1), ..next_header(&reader, 1, 1) };
    let reason = DeadReason::Epoch { found: Epoch::new(1), current: Epoch::NONE };
    assert_eq!(feed(&mut reader, &batch(&header)), Ok(Step::Dead(reason)));
}

#[test]
fn a_dead_entry_need_not_fit() {
    let mut reader = led();
    let header = EntryHeader { log: LogId::from_bytes([2; 16]), ..next_header(&reader, 9, 1) };
    assert!(matches!(feed(&mut reader, &batch(&header)), Ok(Step::Dead(_))));
}

#[test]
fn what_counts_and_does_not_fit_stops_the_reader_for_good() {
    let reader = led();
    let position = reader.state().next_position;
    let good = next_header(&reader, 2, 1);
    let other = LogId::from_bytes([2; 16]);
    let hash = Hash::of(b"another history");
    let cases = [
        (
            batch(&EntryHeader { log: other, ..good }),
            ChainBroken::Identity { position, expected: LOG, found: other },
        ),
        (
            batch(&EntryHeader { previous: hash, ..good }),
            ChainBroken::Previous { position, expected: reader.state().hash, found: hash },
        ),
        (
            batch(&EntryHeader { first_version: 5, ..good }),
            ChainBroken::Version { position, expected: 4, found: 5 },
        ),
        (
            claim(&EntryHeader { first_version: 3, ..next_header(&reader, 0, 0) }),
            ChainBroken::Version { position, expected: 4, found: 3 },
        ),
        (
            batch(&EntryHeader { feature_level: 2, ..good }),
            ChainBroken::FeatureLevel { position, found: 2, supported: 1 },
        ),
        (
            Bytes::from_static(b"rubbish"),
            ChainBroken::Undecodable { position, source: EntryError::TooShort { len: 7 } },
        ),
    ];
    for (entry, broken) in cases {
        let mut reader = reader.clone();
        let before = *reader.state();
        assert_eq!(feed(&mut reader, &entry), Err(broken.clone()));
        assert_eq!(*reader.state(), before);
        assert_eq!(feed(&mut reader, &batch(&good)), Err(broken), "it stays stopped");
    }
}

#[test]
#[should_panic(expected = "positions are fed in order")]
fn feeding_out_of_order_is_a_bug_of_the_caller() {
    let mut reader = led();
    let entry = batch(&next_header(&reader, 2, 1));
    reader.feed(Position::new(9).unwrap(), &entry).unwrap();
}

#[test]
fn a_state_comes_back_and_nothing_else_passes_for_one() {
    for state in [ReaderState::default(), *led().state()] {
        assert_eq!(ReaderState::decode(&state.encode()), Ok(state));
    }
    let good = led().state().encode();
    let refused = |at: usize, value: u8| {
        let mut bytes = good;
        bytes[at] = value;
        ReaderState::decode(&bytes).unwrap_err()
    };
    assert_eq!(refused(0, 4), StateError::UnsupportedFormat { found: 4 });
    for at in [112, 113, 152 - 1] {
        let what = "what is known of the server";
        assert_eq!(refused(at, 33), StateError::Malformed { what }, "byte {at}");
    }
    assert_eq!(refused(4, 2), StateError::Malformed { what: "flags" });
    assert_eq!(refused(72, 0), StateError::Malformed { what: "position 0" });
    assert_eq!(ReaderState::decode(&good[..151]), Err(StateError::WrongLength { found: 151 }));
    assert_eq!(ReaderState::decode(&[1]), Err(StateError::WrongLength { found: 1 }));
}

#[test]
fn p2_a_state_knows_where_it_was_said_who_leads_and_on_which_server() {
    let mut reader = Reader::start(None);
    let first = claim_on(b"server 1", &next_header(&reader, 0, 0));
    feed(&mut reader, &first).unwrap();
    let entry = batch(&next_header(&reader, 1, 3));
    feed(&mut reader, &entry).unwrap();
    let knows = |reader: &Reader| {
        let state = ReaderState::decode(&reader.state().encode()).unwrap();
        (state.said_at.map(Position::get), state.provenance.as_bytes().to_vec())
    };
    assert_eq!(knows(&reader), (Some(1), b"server 1".to_vec()));
    let renewed = renewal(&next_header(&reader, 2, 0), 5);
    feed(&mut reader, &renewed).unwrap();
    assert_eq!(knows(&reader), (Some(3), Vec::new()));
    let dead = EntryHeader { epoch: Epoch::new(9), ..next_header(&reader, 0, 0) };
    feed(&mut reader, &claim_on(b"server 2", &dead)).unwrap();
    assert_eq!(knows(&reader), (Some(3), Vec::new()), "what does not count says nothing");
}

proptest! {
    /// A model that knows only the rule in words: dead entries are as if they were not there.
    #[test]
    fn entries_that_do_not_count_change_nothing(plan in prop::collection::vec(0u8..8, 1..40), cut in 0usize..40) {
        let mut with = Reader::start(None);
        let mut without = Reader::start(None);
        for (at, kind) in plan.iter().enumerate() {
            // Through a checkpoint somewhere on the way: it must not matter either.
            if at == cut {
                with = Reader::start(Some(ReaderState::decode(&with.state().encode()).unwrap()));
            }
            let sequence = with.state().sequence + 1;
            let good = next_header(&with, sequence, 2);
            let entry = match kind {
                0 => claim(&next_header(&with, 0, 0)),
                1 | 2 if good.epoch > Epoch::NONE => batch(&good),
                3 if good.epoch > Epoch::NONE => batch(&EntryHeader { sequence: sequence + 1, ..good }),
                4 => batch(&EntryHeader { epoch: good.epoch.next(), ..good }),
                6 if good.epoch > Epoch::NONE => renewal(&next_header(&with, sequence, 0), 5),
                7 => renewal(&EntryHeader { epoch: good.epoch.next(), count: 0, ..good }, 0),
                _ => claim(&EntryHeader { epoch: good.epoch.next().next(), ..next_header(&with, 0, 0) }),
            };
            let counts = match kind {
                0 => true,
                1 | 2 | 6 => with.state().epoch > Epoch::NONE,
                _ => false,
            };
            let step = feed(&mut with, &entry).unwrap();
            prop_assert_eq!(!matches!(step, Step::Dead(_)), counts);
            if counts {
                feed(&mut without, &entry).unwrap();
            }
        }
        let ReaderState { next_position, said_at, .. } = *with.state();
        let expected = ReaderState { next_position, said_at, ..*without.state() };
        prop_assert_eq!(*with.state(), expected);
    }
}
