//! What the edge counts. Counters only rise; levels go up and down.
//!
//! Series are labelled by command and by status, both of which are known
//! beforehand: no request can make a new one.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use hyper::StatusCode;

/// Upper bounds of the latency buckets, in microseconds. Below them are two
/// decades for an answer from memory, then one for the disk, then trouble.
pub const BUCKETS_US: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];

/// The statuses that the edge answers with. Another one would be counted as 500.
pub const STATUSES: [u16; 21] = [
    200, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414, 415, 422, 429, 431, 500,
    503, 504,
];

/// A histogram of how long something took.
#[derive(Debug, Default)]
pub struct Histogram {
    /// The last one is for everything above the highest bound.
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Histogram {
    fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// How many took at most each bound, and how many there were at all.
    #[must_use]
    pub fn cumulative(&self) -> [u64; BUCKETS_US.len() + 1] {
        let mut sum = 0;
        std::array::from_fn(|index| {
            sum += self.buckets[index].load(Ordering::Relaxed);
            sum
        })
    }

    /// How long they took together, in microseconds.
    #[must_use]
    pub fn sum_us(&self) -> u64 {
        self.sum_us.load(Ordering::Relaxed)
    }
}

/// What is counted of one command.
#[derive(Debug)]
pub struct Series {
    /// The command's name, or `http` for what the edge answers itself.
    pub name: &'static str,
    /// Answers by status, in the order of [`STATUSES`].
    statuses: [AtomicU64; STATUSES.len()],
    /// From the end of the request's head to the answer's.
    pub latency: Histogram,
}

impl Series {
    fn new(name: &'static str) -> Self {
        Self { name, statuses: Default::default(), latency: Histogram::default() }
    }

    fn record(&self, status: StatusCode, took: Duration) {
        let found = STATUSES.binary_search(&status.as_u16());
        let other = STATUSES.partition_point(|known| *known < 500);
        self.statuses[found.unwrap_or(other)].fetch_add(1, Ordering::Relaxed);
        self.latency.record(took);
    }

    /// Statuses that were answered, and how often.
    pub fn statuses(&self) -> impl Iterator<Item = (u16, u64)> {
        let counts = self.statuses.iter().map(|count| count.load(Ordering::Relaxed));
        STATUSES.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// What the edge counts.
#[derive(Debug)]
pub struct HttpMetrics {
    /// A series per command, then one for everything else.
    series: Vec<Series>,
    /// Connections open now.
    pub connections: AtomicUsize,
    /// Connections there were.
    pub connections_opened: AtomicU64,
    /// Connections turned away because there were too many.
    pub connections_refused: AtomicU64,
    /// Requests being handled now.
    pub requests: AtomicUsize,
    /// Followers of the change feed, streams and long polls now.
    pub followers: AtomicUsize,
    /// Requests sent on to the node that leads.
    pub forwarded: AtomicU64,
}

impl HttpMetrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(commands: impl Iterator<Item = &'static str>) -> Self {
        Self {
            series: commands.chain(["http"]).map(Series::new).collect(),
            connections: AtomicUsize::new(0),
            connections_opened: AtomicU64::new(0),
            connections_refused: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            followers: AtomicUsize::new(0),
            forwarded: AtomicU64::new(0),
        }
    }

    /// Counts an answer: of the command at this place in the registry, or of the
    /// edge itself.
    pub fn record(&self, command: Option<usize>, status: StatusCode, took: Duration) {
        let edge = self.series.len() - 1;
        self.series[command.unwrap_or(edge)].record(status, took);
    }

    /// All series.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        &self.series
    }
}

/// One more of something for as long as this lives.
#[derive(Debug)]
pub struct Level<'m>(&'m AtomicUsize);

impl<'m> Level<'m> {
    /// One more, unless there are `max` already.
    #[must_use]
    pub fn rise(level: &'m AtomicUsize, max: usize) -> Option<Self> {
        let risen = Self(level);
        (level.fetch_add(1, Ordering::Relaxed) < max).then_some(risen)
    }
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Kind, of_class};

    #[test]
    fn every_status_that_is_answered_has_a_counter() {
        use holdfast_state::command::Class;
        assert!(STATUSES.is_sorted() && BUCKETS_US.is_sorted());
        let kinds = Kind::ALL.iter().map(|kind| kind.info().status);
        let classes =
            [Class::NotFound, Class::Conflict, Class::Precondition, Class::Invalid, Class::Limited];
        for status in kinds.chain(classes.map(|class| of_class(class).0)) {
            assert!(STATUSES.contains(&status.as_u16()), "{status}");
        }
    }

    #[test]
    fn counts_go_where_they_belong() {
        let metrics = HttpMetrics::new(["a.b"].into_iter());
        metrics.record(Some(0), StatusCode::OK, Duration::from_micros(50));
        metrics.record(Some(0), StatusCode::OK, Duration::from_secs(11));
        metrics.record(None, StatusCode::IM_A_TEAPOT, Duration::from_micros(51));
        let [command, edge] = metrics.series() else { panic!("two series") };
        assert_eq!(command.statuses().collect::<Vec<_>>(), [(200, 2)]);
        assert_eq!(command.latency.cumulative()[0], 1);
        assert_eq!(command.latency.cumulative()[BUCKETS_US.len() - 1], 1);
        assert_eq!(command.latency.cumulative()[BUCKETS_US.len()], 2);
        assert_eq!(edge.statuses().collect::<Vec<_>>(), [(500, 1)]);
        assert_eq!(edge.latency.cumulative()[1], 1);
    }

    #[test]
    fn a_level_falls_again_and_has_a_top() {
        let level = AtomicUsize::new(0);
        let one = Level::rise(&level, 1);
        assert!(one.is_some() && Level::rise(&level, 1).is_none());
        drop(one);
        assert!(Level::rise(&level, 1).is_some());
        assert_eq!(level.into_inner(), 0);
    }
}
