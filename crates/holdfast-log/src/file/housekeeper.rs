//! Prepares the next segment before it is needed, and removes segments that are not needed.
//!
//! Both take long and neither may delay an append. With [`Spare::OnDemand`] there is no thread and
//! the writer does the same work itself. A spare that could not be prepared ahead (a full disk,
//! perhaps) is tried once more when it is needed; if that fails too, the writer stops.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::options::{FileLogOptions, Spare};
use super::segment;
use super::shared::Shared;
use crate::disk::{Disk, DiskFile};
use crate::error::LogError;

/// The writer's handle to it.
pub(super) struct Housekeeper {
    disk: Arc<dyn Disk>,
    segment_len: u64,
    chores: Arc<Chores>,
    /// `None` with [`Spare::OnDemand`].
    thread: Option<JoinHandle<()>>,
}

struct Chores {
    list: Mutex<List>,
    changed: Condvar,
}

#[derive(Default)]
struct List {
    /// A spare is wanted or being made; cleared when it is there or has failed.
    wanted: bool,
    spare: Option<Arc<dyn DiskFile>>,
    /// Segments to be removed.
    removals: Vec<u64>,
    quit: bool,
}

impl Chores {
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, list: MutexGuard<'a, List>) -> MutexGuard<'a, List> {
        self.changed.wait(list).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Housekeeper {
    /// Starts the thread, if there is to be one, and lets it prepare the first spare.
    pub(super) fn start(
        disk: Arc<dyn Disk>,
        options: &FileLogOptions,
        shared: Arc<Shared>,
    ) -> Result<Self, LogError> {
        let segment_len = options.segment_len();
        let chores =
            Arc::new(Chores { list: Mutex::new(List::default()), changed: Condvar::new() });
        let thread = match options.spare {
            Spare::OnDemand => None,
            Spare::Ahead => {
                chores.list().wanted = true;
                let worker = Worker {
                    disk: Arc::clone(&disk),
                    segment_len,
                    chores: Arc::clone(&chores),
                    shared,
                };
                Some(super::spawn("log-housekeeper", move || worker.run())?)
            }
        };
        Ok(Self { disk, segment_len, chores, thread })
    }

    /// The spare, waited for or made now.
    pub(super) fn take_spare(&self) -> Result<Arc<dyn DiskFile>, LogError> {
        let mut list = self.chores.list();
        while list.wanted {
            list = self.chores.wait(list);
        }
        if let Some(spare) = list.spare.take() {
            return Ok(spare);
        }
        drop(list);
        let made = segment::prepare(&*self.disk, self.segment_len, || true)
            .map_err(LogError::io("preparing the next segment"))?;
        Ok(made.expect("nobody asked it to leave off"))
    }

    /// Asks for the next spare to be made ahead.
    pub(super) fn want_spare(&self) {
        if self.thread.is_some() {
            self.chores.list().wanted = true;
            self.chores.changed.notify_all();
        }
    }

    /// Removes segments, now or soon. One that stays after a crash is removed by the next open.
    pub(super) fn remove(&self, segments: Vec<u64>) -> Result<(), LogError> {
        if self.thread.is_some() {
            self.chores.list().removals.extend(segments);
            self.chores.changed.notify_all();
            return Ok(());
        }
        remove_all(&*self.disk, segments)
    }

    /// Ends the thread; whatever it was at is left to the next open.
    pub(super) fn quit(&mut self) {
        self.chores.list().quit = true;
        self.chores.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the housekeeper catches its panics");
        }
    }
}

impl Drop for Housekeeper {
    /// For an open that fails after the thread was started.
    fn drop(&mut self) {
        self.quit();
    }
}

fn remove_all(disk: &dyn Disk, segments: Vec<u64>) -> Result<(), LogError> {
    for number in segments {
        let name = segment::name(number);
        disk.remove(&name).map_err(LogError::io(format!("removing {name}")))?;
    }
    Ok(())
}

/// The thread's side.
struct Worker {
    disk: Arc<dyn Disk>,
    segment_len: u64,
    chores: Arc<Chores>,
    shared: Arc<Shared>,
}

enum Chore {
    Remove(Vec<u64>),
    Prepare,
}

impl Worker {
    fn run(self) {
        match catch_unwind(AssertUnwindSafe(|| self.work())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.shared.stop(error.to_string()),
            Err(_) => self.shared.stop("the log's housekeeper panicked".to_owned()),
        }
        // The writer may be waiting for a spare; from here on it makes its own.
        self.chores.list().wanted = false;
        self.chores.changed.notify_all();
    }

    fn work(&self) -> Result<(), LogError> {
        while let Some(chore) = self.next() {
            match chore {
                Chore::Remove(segments) => remove_all(&*self.disk, segments)?,
                Chore::Prepare => self.prepare(),
            }
        }
        Ok(())
    }

    fn next(&self) -> Option<Chore> {
        let mut list = self.chores.list();
        loop {
            if list.quit {
                return None;
            }
            if !list.removals.is_empty() {
                return Some(Chore::Remove(std::mem::take(&mut list.removals)));
            }
            if list.wanted {
                return Some(Chore::Prepare);
            }
            list = self.chores.wait(list);
        }
    }

    fn prepare(&self) {
        let go_on = || !self.chores.list().quit;
        let spare = segment::prepare(&*self.disk, self.segment_len, go_on).ok().flatten();
        let mut list = self.chores.list();
        list.spare = spare;
        list.wanted = false;
        self.chores.changed.notify_all();
    }
}
