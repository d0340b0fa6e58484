//! The suite that every log passes, and what is particular to a log of rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use holdfast_log::conformance::{Harness, suite};
use holdfast_log::{Append, Durability, Log, LogError, Read, blocking};
use holdfast_log_postgres::{PostgresLog, PostgresOptions};

use crate::rig::{Rig, append, at, entry, fill, held};

/// One partition of the tables, which no other case uses.
struct Partition(PostgresOptions);

impl Harness for Partition {
    fn open(&self) -> Arc<dyn Log> {
        Arc::new(PostgresLog::open(self.0.clone()).unwrap())
    }
}

#[test]
fn the_log_conforms() {
    let Some(rig) = Rig::new(&[]) else { return };
    let partitions = AtomicU32::new(0);
    for case in suite() {
        println!("{}", case.name);
        let partition = partitions.fetch_add(1, Ordering::SeqCst);
        let options = PostgresOptions { partition, max_entry_bytes: 300_000, ..rig.options() };
        case.run(&Partition(options));
    }
}

#[test]
fn a_log_says_what_it_is_and_shares_a_database_with_others() {
    let Some(rig) = Rig::new(&[]) else { return };
    let log = rig.open();
    let properties = log.properties();
    assert_eq!(properties.durability, Durability::Fsync);
    assert!(properties.empty_read_is_linearizable);
    fill(&log, 1, 3);
    let other = PostgresOptions { partition: 7, ..rig.options() };
    let apart = PostgresOptions { prefix: "other".to_owned(), ..rig.options() };
    for options in [other, apart] {
        let log = PostgresLog::open(options).unwrap();
        assert_eq!(blocking::read(&log, at(1), 100).unwrap(), [Read::Empty]);
        fill(&log, 1, 1);
    }
    let again = rig.open();
    assert_eq!(again.lineage().system, log.lineage().system);
    assert_eq!(held(&again, 1), [entry(1), entry(2), entry(3)]);
}

#[test]
fn long_reads_and_large_entries_come_in_pieces() {
    let Some(rig) = Rig::new(&[]) else { return };
    let log = rig.open();
    let large = |number: u8| Bytes::from(vec![number; 3 << 20]);
    for number in 1..=5_u8 {
        let put = blocking::append(&log, at(u64::from(number)), large(number)).unwrap();
        assert_eq!(put, Append::Ok);
    }
    assert_eq!(held(&log, 1), (1..=5).map(large).collect::<Vec<_>>());
    for position in 6..1000 {
        log.append(at(position), entry(position), Box::new(drop));
    }
    let tail = loop {
        let tail = blocking::tail(&log).unwrap().get();
        if tail == 1000 {
            break tail;
        }
    };
    let reader = rig.open();
    assert_eq!(held(&reader, 6), (6..tail).map(entry).collect::<Vec<_>>());
    assert_eq!(blocking::tail(&reader).unwrap().get(), tail);
}

#[test]
fn trimmed_rows_are_deleted_and_what_is_left_over_goes_with_the_next_trim() {
    let Some(rig) = Rig::new(&[]) else { return };
    let log = rig.open();
    fill(&log, 1, 20);
    // As a process leaves it that dies between the mark and the rows.
    rig.server.sql("UPDATE holdfast_marks SET below = 8").unwrap();
    assert_eq!(append(&log, 3).unwrap(), Append::Trimmed);
    assert_eq!(blocking::read(&log, at(7), 100).unwrap(), [Read::Trimmed]);
    assert_eq!(held(&log, 8).len(), 13);
    blocking::trim(&log, at(12)).unwrap();
    crate::rig::wait_for(&rig.server, "SELECT min(position) FROM holdfast_entries", "12");
    let refused = blocking::trim(&log, at(22)).unwrap_err();
    assert!(matches!(refused, LogError::TrimAboveTail { .. }), "{refused}");
}
