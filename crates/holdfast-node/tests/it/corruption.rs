//! A byte of a cleanly stopped node's directory changes: log, snapshots, state on
//! disk, marker. The node serves the same state as before, or refuses to open and
//! names the file. Nothing else.
//!
//! `HOLDFAST_TEST_FLIPS` sets how many bytes are chosen at random.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use bytes::Bytes;
use holdfast_engine::{Partition, Stopped};
use holdfast_node::OpenError;
use holdfast_state::{Abort, Namespace, Read as _, Scan, StoreError};

use crate::data::{Data, Running, copy, damage, files};

/// Bytes chosen at random, over all files.
const FLIPS: usize = 2_000;

/// Bytes at the beginning of each file, and at its end, where formats keep what
/// the rest is read by.
const HEADER_BYTES: u64 = 64;

type Rows = Vec<(Bytes, Bytes)>;

/// A cleanly stopped node with snapshots, a trimmed log and runs on disk.
struct Stopping {
    dir: tempfile::TempDir,
    rows: Rows,
    files: Vec<(PathBuf, u64)>,
}

impl Stopping {
    fn new() -> Self {
        let data = Data::trimming();
        let running = data.open().unwrap();
        let mut count = 0;
        while running.node.partition().metrics().snapshots.get() < 3 {
            running.work(count..count + 1);
            count += 1;
        }
        running.work(count..count + 20);
        let rows = rows(&running.node.partition()).unwrap();
        running.close();
        let dir = tempfile::tempdir().unwrap();
        copy(&data.root, dir.path());
        let files = files(dir.path())
            .into_iter()
            .map(|file| {
                let length = fs::metadata(&file).unwrap().len();
                (file.strip_prefix(dir.path()).unwrap().to_owned(), length)
            })
            .filter(|(_, length)| *length > 0)
            .collect();
        Self { dir, rows, files }
    }

    /// Opens a copy in which one byte is another.
    fn open_damaged(&self, file: &Path, at: u64) -> Found {
        let data = Data::new();
        copy(self.dir.path(), &data.root);
        damage(&data.root.join(file), usize::try_from(at).unwrap());
        let shown = format!("{} at {at}", file.display());
        match data.open() {
            Ok(running) => {
                assert!(self.serves(&running), "{shown}: another state");
                running.close();
                Found::Same
            }
            Err(refused) => {
                self.check_refusal(file, &shown, &refused);
                Found::Refused
            }
        }
    }

    /// Does it come to serve the reference, whatever it has to rebuild on the way?
    fn serves(&self, running: &Running) -> bool {
        let watching = running.runtime.spawn(Arc::clone(&running.node).watch_over());
        let found = loop {
            let partition = running.node.partition();
            match running.runtime.block_on(partition.leading()) {
                Ok(()) => match rows(&partition) {
                    Ok(found) => break found,
                    Err(doubt) => partition.doubt(doubt),
                },
                Err(Stopped::StateInDoubt(_)) => {}
                Err(why) => panic!("it stopped: {why}"),
            }
            // Until it is replaced by one that was rebuilt.
            while Arc::ptr_eq(&partition, &running.node.partition()) {
                thread::yield_now();
            }
        };
        watching.abort();
        found == self.rows
    }

    fn check_refusal(&self, file: &Path, shown: &str, refused: &OpenError) {
        let message = refused.to_string();
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(message.contains(name), "{shown}: {message}");
        let of_log = file.starts_with("partition-0/log");
        assert!(
            of_log || !file.starts_with("partition-0"),
            "{shown}: only the log cannot be had again: {message}"
        );
        if of_log {
            assert!(
                message.contains("byte") || message.contains("format"),
                "{shown}: it does not say where: {message}"
            );
        }
    }
}

/// Everything a namespace holds, and the partition's own rows.
fn rows(partition: &Partition) -> Result<Rows, StoreError> {
    let view = partition.view(Namespace::DEFAULT);
    view.scan_stored(&[], &[0xFF; 4], Scan::up(usize::MAX)).map_err(|abort| match abort {
        Abort::Store(error) => error,
        Abort::TooLarge { .. } => panic!("{abort}"),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Same,
    Refused,
}

/// SplitMix64.
fn roll(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Opens with each of these bytes damaged, two at a time.
fn open_each(stopped: &Stopping, flips: &[(PathBuf, u64)]) -> Vec<Found> {
    thread::scope(|scope| {
        let halves: Vec<_> = flips
            .chunks(flips.len().div_ceil(2).max(1))
            .map(|half| {
                scope.spawn(move || {
                    half.iter()
                        .map(|(file, at)| stopped.open_damaged(file, *at))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    })
}

#[test]
fn bytes_all_over_the_directory() {
    let count = std::env::var("HOLDFAST_TEST_FLIPS");
    let count = count.map_or(FLIPS, |text| text.parse().expect("a number"));
    let stopped = Stopping::new();
    let mut state = 1;
    // A file first, then a byte of it: most bytes are the log's unused zeros.
    let flips: Vec<_> = (0..count)
        .map(|_| {
            let number = usize::try_from(roll(&mut state) >> 1).unwrap() % stopped.files.len();
            let (file, length) = &stopped.files[number];
            (file.clone(), roll(&mut state) % length)
        })
        .collect();
    let found = open_each(&stopped, &flips);
    let refused = found.iter().filter(|found| **found == Found::Refused).count();
    assert!(refused > 0 && refused < count, "{refused} of {count} were refused");
}

#[test]
fn every_byte_at_the_beginning_and_the_end_of_every_file() {
    let stopped = Stopping::new();
    let mut flips = Vec::new();
    for (file, length) in &stopped.files {
        let beginning = 0..HEADER_BYTES.min(*length);
        let end = length.saturating_sub(HEADER_BYTES).max(beginning.end)..*length;
        flips.extend(beginning.chain(end).map(|at| (file.clone(), at)));
    }
    open_each(&stopped, &flips);
}
