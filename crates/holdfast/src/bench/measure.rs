//! Rates and latencies, and the lines that report them.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Latencies of the operations of one run, and how long the run took.
#[derive(Debug)]
pub(super) struct Latencies {
    begun: Instant,
    took: Option<Duration>,
    nanoseconds: Histogram<u64>,
}

impl Latencies {
    /// A run that begins now.
    pub(super) fn start() -> Self {
        let nanoseconds = Histogram::new_with_bounds(100, 100_000_000_000, 3)
            .expect("the bounds are in order and the digits few");
        Self { begun: Instant::now(), took: None, nanoseconds }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.took.unwrap_or_else(|| self.begun.elapsed())
    }

    pub(super) fn record(&mut self, latency: Duration) {
        self.nanoseconds.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The run is over.
    pub(super) fn stop(&mut self) {
        self.took = Some(self.begun.elapsed());
    }

    /// Adds the operations of a run that went beside this one.
    pub(super) fn merge(&mut self, other: &Self) {
        self.nanoseconds.add(&other.nanoseconds).expect("both have the same bounds");
    }

    /// Adds the operations of a run that came after what is here so far, and no time between.
    pub(super) fn append(&mut self, other: &Self) {
        let before = self.took.unwrap_or_default();
        self.merge(other);
        self.took = Some(before + other.elapsed());
    }

    pub(super) fn count(&self) -> u64 {
        self.nanoseconds.len()
    }

    pub(super) fn per_second(&self) -> f64 {
        self.count() as f64 / self.elapsed().as_secs_f64()
    }

    pub(super) fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.nanoseconds.value_at_quantile(share))
    }
}

/// A figure with its name, and what it is read against.
#[derive(Debug, serde::Serialize)]
pub(super) struct Figure {
    name: String,
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
    note: String,
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, latencies: &Latencies, note: String) -> Self {
        let us = |share| latencies.quantile(share).as_secs_f64() * 1e6;
        Self {
            name: name.into(),
            per_second: latencies.per_second(),
            p50_us: us(0.5),
            p99_us: us(0.99),
            max_us: us(1.0),
            note,
        }
    }

    pub(super) const fn p50_us(&self) -> f64 {
        self.p50_us
    }
}

/// Prints a figure as one line, as text or JSON.
pub(super) fn print(figure: &Figure, json: bool) {
    if json {
        println!("{}", serde_json::to_string(figure).expect("a figure is plain data"));
        return;
    }
    let Figure { name, per_second, p50_us, p99_us, max_us, note } = figure;
    println!(
        "{name:<44} {per_second:>10.0}/s  p50 {p50_us:>8.0} us  p99 {p99_us:>8.0} us  max {max_us:>8.0} us  {note}"
    );
}

/// Resident memory of this process in bytes, now and at its highest.
pub(super) fn resident_bytes() -> (u64, u64) {
    resident_bytes_of("self")
}

/// Resident memory of the process of this number in bytes, now and at its highest.
pub(super) fn resident_bytes_of(process: &str) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
    };
    (field("VmRSS:").unwrap_or(0) << 10, field("VmHWM:").unwrap_or(0) << 10)
}

/// Processor time of this process so far: all its threads, user and system.
pub(super) fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |index| {
        after_name.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok())
    };
    // utime and stime, in ticks of 10 ms on every Linux.
    Duration::from_millis((ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10)
}
