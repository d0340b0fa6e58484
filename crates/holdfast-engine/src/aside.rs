//! Long work on files, beside the partition's thread: a snapshot being written, for one.
//!
//! Whoever started it owns it. Dropping an [`Aside`] abandons the work and waits until
//! its thread has ended, so that a partition that has stopped touches no file any more
//! and the next one finds the directory to itself. The work promises to look at its
//! [`Abandon`] often; [`Cursor`](crate::cursor::Cursor) does so at every piece it reads
//! or writes.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// Tells the work to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Abandon(Arc<AtomicBool>);

impl Abandon {
    /// May the work go on?
    ///
    /// # Errors
    /// When it was abandoned. Nobody reads the message: who would is gone.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            Err(io::Error::other("abandoned, since the partition stops"))
        } else {
            Ok(())
        }
    }
}

/// Work that goes on beside.
#[derive(Debug)]
pub(crate) struct Aside {
    abandon: Abandon,
    thread: Option<JoinHandle<()>>,
}

impl Aside {
    /// Starts `work` on a thread of this name; it ends soon once it is abandoned.
    ///
    /// # Panics
    /// When the system gives no thread.
    pub(crate) fn start(name: &str, work: impl FnOnce(&Abandon) + Send + 'static) -> Self {
        let abandon = Abandon::default();
        let theirs = abandon.clone();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&theirs))
            .expect("the system gives a partition its threads");
        Self { abandon, thread: Some(thread) }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.abandon.0.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("work beside the partition panicked; see the message above");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_drops_it_waits_until_it_has_seen_that_it_is_abandoned_and_ended() {
        let ended = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&ended);
        let aside = Aside::start("work", move |abandon| {
            while abandon.check().is_ok() {
                std::thread::yield_now();
            }
            (0..1_000).for_each(|_| std::thread::yield_now());
            theirs.store(true, Ordering::SeqCst);
        });
        drop(aside);
        assert!(ended.load(Ordering::SeqCst));
    }
}
