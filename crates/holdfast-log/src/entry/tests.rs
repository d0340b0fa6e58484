use proptest::prelude::*;

use super::*;
use crate::provenance::Provenance;

fn header(sequence: u64, count: u32) -> EntryHeader {
    EntryHeader {
        feature_level: 1,
        log: LogId::from_bytes([7; 16]),
        previous: Hash::of(b"before"),
        epoch: Epoch::new(3),
        nonce: Nonce::from_bytes([9; 16]),
        sequence,
        first_version: 41,
        count,
        log_time_us: 1_700_000_000_000_000,
        durable: Position::new(12),
    }
}

fn claim() -> Claim {
    let provenance = Provenance::new(b"server 1").unwrap();
    Claim { node: "a".into(), address: "127.0.0.1:7000".into(), lease_ms: 5_000, provenance }
}

fn batch(body: &[u8]) -> Bytes {
    let mut builder = EntryBuilder::with_capacity(body.len());
    builder.put(body);
    builder.seal(&header(5, 2))
}

/// Makes the checksum true again, so that a test reaches the checks behind it.
fn resealed(mut bytes: Vec<u8>) -> Bytes {
    let sum = checksum(&bytes);
    bytes[8..16].copy_from_slice(&sum.to_le_bytes());
    Bytes::from(bytes)
}

#[test]
fn a_claim_a_renewal_and_a_batch_come_back_as_they_were() {
    let entry = Entry::decode(&claim().seal(&header(0, 0))).unwrap();
    assert_eq!(entry, Entry { header: header(0, 0), body: Body::Claim(claim()) });

    let entry = Entry::decode(&claim().seal_renewal(&header(5, 0))).unwrap();
    assert_eq!(entry, Entry { header: header(5, 0), body: Body::Renewal(claim()) });

    let entry = Entry::decode(&batch(b"facts")).unwrap();
    let body = Body::Batch(Bytes::from_static(b"facts"));
    assert_eq!(entry, Entry { header: header(5, 2), body });
}

#[test]
fn neither_sealing_nor_decoding_copies_the_body() {
    let mut builder = EntryBuilder::with_capacity(64);
    builder.put(b"the body");
    let built = builder.body().as_ptr();
    let sealed = builder.seal(&header(1, 1));
    let Body::Batch(body) = Entry::decode(&sealed).unwrap().body else { panic!("a batch") };
    assert_eq!(built, body.as_ptr());
}

#[test]
fn a_body_can_be_taken_back_to_where_it_was() {
    let mut builder = EntryBuilder::with_capacity(0);
    builder.put(b"kept");
    let kept = builder.body_len();
    builder.put_with(|body| body.extend_from_slice(b"refused"));
    assert_eq!(builder.entry_len(), HEADER_BYTES + 11);
    builder.truncate_body(kept);
    assert_eq!(builder.body(), b"kept");
}

#[test]
fn the_format_is_fixed() {
    // Released bytes: changing them needs a new format number, not a new fixture.
    let bytes = batch(b"\x01\x02\x03");
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, include_str!("../../tests/fixtures/entry-format-1.hex").trim());
}

#[test]
fn what_no_holdfast_writes_is_malformed() {
    let good = batch(b"facts").to_vec();
    let malformed = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        matches!(Entry::decode(&resealed(bytes)), Err(EntryError::Malformed { .. }))
    };
    assert!(malformed(6, 4), "unknown kind");
    assert!(malformed(6, KIND_RENEWAL), "a renewal that brings versions");
    assert!(malformed(7, 1), "reserved byte");
    assert!(malformed(31, 1), "reserved bytes");
    assert!(malformed(80, 0), "epoch 0");
    assert!(malformed(88, 0), "a batch without a number");
    assert!(malformed(6, KIND_CLAIM), "a claim with a number");
    let mut bytes = good.clone();
    bytes[96..104].fill(0xff);
    let refused = Entry::decode(&resealed(bytes));
    assert_eq!(refused, Err(EntryError::Malformed { what: "versions beyond 2^64" }));
}

#[test]
fn a_newer_format_is_named_as_such() {
    let mut bytes = batch(b"facts").to_vec();
    bytes[4] = 2;
    let refused = Entry::decode(&resealed(bytes));
    assert_eq!(refused, Err(EntryError::UnsupportedFormat { found: 2 }));
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let renewal = claim().seal_renewal(&header(5, 0));
    for good in [batch(b"some facts"), claim().seal(&header(0, 0)), renewal] {
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.to_vec();
                bytes[at] ^= 1 << bit;
                assert!(Entry::decode(&Bytes::from(bytes)).is_err(), "bit {bit} of byte {at}");
            }
            assert!(Entry::decode(&good.slice(..at)).is_err(), "cut at {at}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), seal in any::<bool>()) {
        // Random bytes alone never pass the first checks; half of the cases are led past them.
        if seal && bytes.len() >= HEADER_BYTES {
            let length = u32::try_from(bytes.len()).unwrap();
            bytes[0..4].copy_from_slice(&MAGIC.to_le_bytes());
            bytes[4..6].copy_from_slice(&ENTRY_FORMAT.to_le_bytes());
            bytes[6] = 1 + bytes[6] % 3;
            bytes[7] = 0;
            bytes[16..20].copy_from_slice(&length.to_le_bytes());
            bytes[26..32].fill(0);
            if bytes[6] == KIND_RENEWAL {
                bytes[20..24].fill(0);
            }
            if bytes[6] == KIND_CLAIM {
                bytes[20..24].fill(0);
                bytes[88..96].fill(0);
            }
            let sealed = resealed(bytes);
            if let Ok(entry) = Entry::decode(&sealed) {
                prop_assert_eq!(reencode(&entry), sealed);
            }
        } else {
            prop_assert!(Entry::decode(&Bytes::from(bytes)).is_err());
        }
    }

    #[test]
    fn any_batch_comes_back(body in prop::collection::vec(any::<u8>(), 0..2000), sequence in 1u64.., count: u32, durable: u64) {
        let header = EntryHeader { durable: Position::new(durable), ..header(sequence, count) };
        let mut builder = EntryBuilder::with_capacity(0);
        builder.put(&body);
        let entry = Entry::decode(&builder.seal(&header)).unwrap();
        prop_assert_eq!(entry, Entry { header, body: Body::Batch(Bytes::from(body)) });
    }
}

fn reencode(entry: &Entry) -> Bytes {
    match &entry.body {
        Body::Claim(claim) => claim.seal(&entry.header),
        Body::Renewal(claim) => claim.seal_renewal(&entry.header),
        Body::Batch(body) => {
            let mut builder = EntryBuilder::with_capacity(body.len());
            builder.put(body);
            builder.seal(&entry.header)
        }
    }
}
