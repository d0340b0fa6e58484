//! The suite, for every log of this crate.

use std::sync::Arc;

use holdfast_log::conformance::{Harness, suite};
use holdfast_log::{Disk, FaultDisk, FileLog, FileLogOptions, Log, MemoryLog, RealDisk, Spare};

struct Memory(MemoryLog);

impl Harness for Memory {
    fn open(&self) -> Arc<dyn Log> {
        Arc::new(self.0.reopen())
    }
}

/// A file log on some disk; its segments are small, so that the suite passes over many of them.
struct File {
    disk: Arc<dyn Disk>,
    spare: Spare,
}

impl Harness for File {
    fn open(&self) -> Arc<dyn Log> {
        let options = FileLogOptions {
            segment_bytes: 8192,
            max_entry_bytes: 3000,
            spare: self.spare,
            ..FileLogOptions::default()
        };
        Arc::new(FileLog::open(Arc::clone(&self.disk), options).unwrap())
    }
}

#[test]
fn the_memory_log_conforms() {
    for case in suite() {
        println!("{}", case.name);
        case.run(&Memory(MemoryLog::with_max_entry_bytes(3000)));
    }
}

#[test]
fn the_file_log_conforms_on_a_disk_in_memory() {
    for case in suite() {
        println!("{}", case.name);
        for spare in [Spare::Ahead, Spare::OnDemand] {
            case.run(&File { disk: Arc::new(FaultDisk::new()), spare });
        }
    }
}

#[test]
fn the_file_log_conforms_on_a_real_disk() {
    for case in suite() {
        println!("{}", case.name);
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(RealDisk::open(dir.path().join("new/log")).unwrap());
        case.run(&File { disk, spare: Spare::Ahead });
    }
}
