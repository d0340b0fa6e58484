//! What a node in this process answered, held against what its directory holds afterwards:
//! the log read by somebody else, and the state made again from it.

use std::{fs, io::BufReader, path::Path, sync::Arc};

use bytes::Bytes;
use holdfast_lab::{
    Options, Request, Scenario as _, Target,
    bookings::generated,
    check::{
        Call, Heard, acknowledged, agreement, exactly_once, log, operations, recorded, replay,
    },
    run,
};
use holdfast_log::{FileLog, FileLogOptions, Position, Read, RealDisk, blocking};
use holdfast_state::{DiskOptions, DiskStore, Store as _, Version};

/// Every entry of a log that nobody has open.
fn entries(folder: &Path) -> Vec<(Position, Bytes)> {
    let disk = Arc::new(RealDisk::open(folder).unwrap());
    let log = FileLog::open(disk, FileLogOptions::default()).unwrap();
    let mut found: Vec<(Position, Bytes)> = Vec::new();
    loop {
        let next = found.last().map_or(Position::first(), |(last, _)| last.next());
        for (index, read) in (0..).zip(blocking::read(&log, next, usize::MAX).unwrap()) {
            match read {
                Read::Entry(bytes) => found.push((next.plus(index), bytes)),
                Read::Empty => {
                    blocking::close(&log).unwrap();
                    return found;
                }
                Read::Trimmed => panic!("{next} is trimmed"),
            }
        }
    }
}

/// What was prepared is not part of the history: nobody wrote down what it was answered.
fn unheard(request: &Request) -> Option<recorded::Write> {
    let (key, asked) = (request.key.clone()?, request.label.to_owned());
    Some(Call { key: Some(key), asked, sent: std::time::Duration::ZERO, heard: Heard::Unknown })
}

#[test]
fn what_was_answered_is_in_the_log_once_and_the_log_makes_the_state() {
    let temporary = tempfile::tempdir().unwrap();
    let (data, history) = (temporary.path().join("data"), temporary.path().join("history.jsonl"));
    let scenario = generated::bookings(300, 5);
    let target = Target::in_process(&data).unwrap();
    let options = Options {
        concurrency: 8,
        duplicates_percent: 30,
        kills: 0,
        stop_after: None,
        history: Some(history.clone()),
        seed: 5,
        progress: false,
    };
    assert_eq!(run(&scenario, &target, &options).unwrap().verdict, Ok(()));
    target.close().unwrap();
    drop(target);

    let recorded = recorded::read(BufReader::new(fs::File::open(history).unwrap())).unwrap();
    recorded.judge().unwrap();
    let mut calls: Vec<recorded::Write> = scenario.prepare().iter().filter_map(unheard).collect();
    calls.extend(recorded.writes);
    let entries = entries(&data.join("partition-0/log"));
    let logged = log::read(None, entries.iter().cloned()).unwrap();
    let keys = logged.keys().unwrap().into_iter().map(|(_, key, version)| (key, version));
    let mut effects = exactly_once::effects(keys).unwrap();
    let told = acknowledged::check(&operations(&calls), &effects).unwrap();
    let prepared = scenario.prepare().len() as u64;
    assert_eq!((told.acknowledged, told.unknown_there), (calls.len() as u64 - prepared, prepared));

    let store = DiskStore::open(&data.join("partition-0/state"), &DiskOptions::default()).unwrap();
    let version = store.mark().version;
    assert_eq!(version, Version::new(logged.end.next_version - 1));
    let whole = replay::full(&entries).unwrap();
    replay::same(version, &whole, &store).unwrap();
    assert_eq!(agreement::rows(&whole), agreement::rows(&store));

    // Had the log lost the last of them, it would show.
    let last = effects.iter().max_by_key(|(_, version)| **version).unwrap().0.clone();
    effects.remove(&last);
    assert!(acknowledged::check(&operations(&calls), &effects).is_err());
    let short = replay::full(&entries[..entries.len() - 2]).unwrap();
    assert!(replay::same(version, &short, &store).is_err());
}
