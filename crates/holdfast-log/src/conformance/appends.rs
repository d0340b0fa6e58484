//! P1, P6, P8: what becomes of appends, and what reads show of them.

use std::sync::mpsc;
use std::thread;

use bytes::Bytes;

use super::{Harness, append, assert_filled, at, entry_of, fill, read_all, tail, text};
use crate::blocking;
use crate::error::LogError;
use crate::log::{Append, Read};

pub(super) fn p1_an_empty_log_is_empty(harness: &dyn Harness) {
    let log = harness.open();
    assert_eq!(tail(&*log), 1);
    assert_eq!(read_all(&*log, 1), [Read::Empty]);
    assert_eq!(read_all(&*log, 7), [Read::Empty]);
}

pub(super) fn p1_a_position_is_written_once(harness: &dyn Harness) {
    let log = harness.open();
    let (first, second) = (text("first"), text("second"));
    assert_eq!(append(&*log, 1, &first), Append::Ok);
    assert_eq!(append(&*log, 1, &second), Append::Taken(first.clone()));
    assert_eq!(append(&*log, 1, &Bytes::new()), Append::Taken(first.clone()));
    assert_eq!(read_all(&*log, 1), [Read::Entry(first), Read::Empty]);
    assert_eq!(append(&*log, 2, &Bytes::new()), Append::Ok, "an empty entry is an entry");
    assert_eq!(append(&*log, 2, &second), Append::Taken(Bytes::new()));
    assert_eq!(read_all(&*log, 2), [Read::Entry(Bytes::new()), Read::Empty]);
}

pub(super) fn p1_reads_are_in_order_and_end_where_told(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 9);
    assert_filled(&*log, 1, 9);
    assert_filled(&*log, 6, 9);
    // "entry 1" has 7 bytes: a read ends with the entry that reaches the limit.
    for (max_bytes, entries) in [(0, 1), (1, 1), (7, 1), (8, 2), (14, 2), (15, 3)] {
        let found = blocking::read(&*log, at(1), max_bytes).expect("the read is answered");
        let expected: Vec<_> = (1..=entries).map(|n| Read::Entry(entry_of(n))).collect();
        assert_eq!(found, expected, "up to {max_bytes} bytes");
    }
}

pub(super) fn p1_the_tail_is_the_first_hole(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 2);
    fill(&*log, 5, 6);
    assert_eq!(tail(&*log), 3);
    assert_filled(&*log, 1, 2);
    assert_eq!(read_all(&*log, 4), [Read::Empty]);
    assert_filled(&*log, 5, 6);
    fill(&*log, 4, 4);
    assert_eq!(tail(&*log), 3);
    fill(&*log, 3, 3);
    assert_eq!(tail(&*log), 7);
    assert_filled(&*log, 1, 6);
}

pub(super) fn p1_pipelined_appends_are_all_answered(harness: &dyn Harness) {
    let log = harness.open();
    let ahead = log.properties().max_positions_ahead.min(100);
    let (answers, answered) = mpsc::channel();
    // From the back, so that none but the last fills the first hole.
    for position in (1..=ahead).rev() {
        let answers = answers.clone();
        let done = move |result| answers.send((position, result)).expect("the test listens");
        log.append(at(position), entry_of(position), Box::new(done));
    }
    drop(answers);
    let mut seen = Vec::new();
    for (position, result) in answered {
        assert_eq!(result.expect("the append is answered"), Append::Ok);
        seen.push(position);
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=ahead).collect::<Vec<_>>());
    assert_eq!(tail(&*log), ahead + 1);
    assert_filled(&*log, 1, ahead);
}

pub(super) fn p1_of_concurrent_writers_one_wins_each_position(harness: &dyn Harness) {
    const WRITERS: u64 = 4;
    const POSITIONS: u64 = 50;
    let log = harness.open();
    let results: Vec<_> = thread::scope(|scope| {
        let write = |writer: u64| {
            let log = &*log;
            move || {
                (1..=POSITIONS)
                    .map(|position| {
                        let bytes = text(format!("{position} by {writer}"));
                        (append(log, position, &bytes), bytes)
                    })
                    .collect::<Vec<_>>()
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer ends")).collect()
    });
    for (position, held) in (1..=POSITIONS).zip(read_all(&*log, 1)) {
        let Read::Entry(held) = held else { panic!("position {position} holds {held:?}") };
        let index = usize::try_from(position - 1).expect("a small number");
        let mut winners = 0;
        for (result, bytes) in results.iter().map(|writer| &writer[index]) {
            match result {
                Append::Ok => {
                    winners += 1;
                    assert_eq!(*bytes, held, "the winner's bytes are what is read");
                }
                Append::Taken(there) => assert_eq!(*there, held, "losers learn the winner's"),
                Append::Trimmed => panic!("nothing was trimmed"),
            }
        }
        assert_eq!(winners, 1, "at position {position}");
    }
}

pub(super) fn p6_a_repeated_append_finds_its_own_bytes(harness: &dyn Harness) {
    let log = harness.open();
    let bytes = text("sent twice, since the first answer was lost");
    log.append(at(1), bytes.clone(), Box::new(drop));
    let answer = append(&*log, 1, &bytes);
    assert_eq!(answer, Append::Taken(bytes.clone()));
    assert_eq!(read_all(&*log, 1), [Read::Entry(bytes), Read::Empty]);
}

pub(super) fn p8_an_entry_beyond_the_limit_is_refused(harness: &dyn Harness) {
    let log = harness.open();
    let max = log.properties().max_entry_bytes;
    let refused = blocking::append(&*log, at(1), Bytes::from(vec![1; max + 1]));
    let Err(LogError::TooLarge { bytes, max: told }) = refused else { panic!("{refused:?}") };
    assert_eq!((bytes, told), (max + 1, max));
    assert_eq!(tail(&*log), 1);
    let largest = Bytes::from(vec![1; max]);
    assert_eq!(append(&*log, 1, &largest), Append::Ok);
    assert_eq!(read_all(&*log, 1), [Read::Entry(largest), Read::Empty]);
}

pub(super) fn p8_a_position_too_far_ahead_is_refused(harness: &dyn Harness) {
    let log = harness.open();
    fill(&*log, 1, 1);
    let ahead = log.properties().max_positions_ahead;
    fill(&*log, 2 + ahead, 2 + ahead);
    let refused = blocking::append(&*log, at(3 + ahead), text("too far"));
    let Err(LogError::TooFarAhead { position, tail, max }) = refused else { panic!("{refused:?}") };
    assert_eq!((position, tail, max), (at(3 + ahead), at(2), ahead));
    assert_eq!(read_all(&*log, 3 + ahead), [Read::Empty]);
    fill(&*log, 2, 3);
    fill(&*log, 3 + ahead, 3 + ahead);
}
