//! The work of a file log without its threads, for simulation: nothing is done until somebody
//! asks, and then on the thread of whoever asks. What is done, and in which order, is the threads'
//! own code; what is left out is the waiting.

use super::fetcher::Fetcher;
use super::writer::Writer;

/// The writer and the fetcher, at rest.
pub(super) struct Stepped {
    writer: Writer,
    fetcher: Fetcher,
}

impl Stepped {
    /// Begins where the threads would.
    pub(super) fn begin(mut writer: Writer, fetcher: Fetcher) -> Self {
        writer.begin();
        Self { writer, fetcher }
    }

    /// Does everything that waits for the writer, as one group, and serves one read. False when
    /// there was nothing to do.
    pub(super) fn step(&mut self) -> bool {
        let wrote = self.writer.step();
        let read = self.fetcher.step();
        wrote || read
    }
}
