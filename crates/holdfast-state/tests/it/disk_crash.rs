//! A process that writes is killed, again and again; what is found afterwards is
//! the state after some batch, exactly, and writing goes on from there.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use holdfast_state::{DiskStore, Store, Version};

use crate::disk_world::{Change, Rows, Transaction, all, apply, mark_fits, place, replay, tiny};

/// Tells a copy of this test binary that it is the writer, and where.
const WRITER: &str = "HOLDFAST_TEST_WRITER_DIR";

/// The transaction that every process writes as this version.
fn transaction(version: u64) -> Transaction {
    let mut state = version;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from((state >> 33) % below).unwrap()
    };
    let mut changes = Transaction::new();
    for _ in 0..6 {
        changes.push(match next(12) {
            0 => Change::Delete(vec![next(4), next(250)]),
            1 if next(4) == 0 => {
                let (bucket, from) = (next(4), next(250));
                Change::DeleteRange(vec![bucket, from], vec![bucket, from + next(6)])
            }
            _ => Change::Put(vec![next(4), next(250)], vec![next(250); usize::from(next(100))]),
        });
    }
    changes
}

fn rows_at(version: Version) -> Rows {
    let mut rows = Rows::new();
    for version in 1..=version.get() {
        replay(&mut rows, &[transaction(version)]);
    }
    rows
}

/// Not a test: the process that gets killed.
#[test]
fn writer() {
    let Some(dir) = std::env::var_os(WRITER) else { return };
    let mut store = DiskStore::open(dir.as_ref(), &tiny()).unwrap();
    let mut out = std::io::stdout().lock();
    loop {
        let next = store.mark().version.get() + 1;
        let transactions: Vec<_> = (next..next + 5).map(transaction).collect();
        apply(&mut store, &transactions);
        writeln!(out, "applied {}", next + 4).unwrap();
    }
}

/// What a look at the directory shows of the write-backs: which manifest is
/// current, which files there are.
fn trace(dir: &Path, of_manifest: bool) -> Vec<u8> {
    let mut trace = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            trace.extend(self::trace(&path, of_manifest));
        } else if !of_manifest {
            trace.extend(entry.file_name().as_encoded_bytes());
        } else if entry.file_name() == "current" {
            trace.extend(fs::read(path).unwrap_or_default());
        }
    }
    trace
}

#[test]
fn a_killed_writer_leaves_the_state_after_some_batch() {
    let dir = place();
    let mut found = Version::ZERO;
    for round in 0_usize..24 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["disk_crash::writer", "--exact", "--nocapture"])
            .env(WRITER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut applied = lines.map(Result::unwrap).filter(|line| line.contains("applied"));
        assert_eq!(applied.by_ref().take(30 + 17 * round).count(), 30 + 17 * round);
        // Killed at the end of a batch, or in the middle of writing one back.
        if round % 3 > 0 {
            let before = trace(dir.path(), round % 3 == 1);
            while trace(dir.path(), round % 3 == 1) == before {}
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let store = DiskStore::open(dir.path(), &tiny()).unwrap();
        let mark = store.mark();
        assert!(mark.version >= found, "what was found once stays");
        assert!(mark_fits(&mark), "{mark:?}");
        assert_eq!(all(&store).unwrap(), rows_at(mark.version), "at {}", mark.version);
        found = mark.version;
    }
    assert!(found.get() > 100, "something was written back: {found}");
}
