//! Runs a scenario: lanes beside each other, duplicates, kills, a verdict.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    connection::{Connection, Sent},
    history::{History, Record},
    random::Random,
    request::{Answer, Request},
    scenario::{Counts, Lane, Look, Scenario, Wrong},
    target::Target,
};

/// How long a request is repeated before the run is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Rest before a request is repeated.
const REST: Duration = Duration::from_millis(5);

/// Operations in one look at the state.
const LOOK_OPERATIONS: usize = 100;

/// How a scenario is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Lanes that run beside each other.
    pub concurrency: usize,
    /// How many of a hundred writes are sent twice, at the same time.
    pub duplicates_percent: u64,
    /// How often the server is killed, at even shares of progress, or of the time there is.
    pub kills: u64,
    /// Lanes ask nothing more after so long, however far they are; `None` lets them come to their end.
    pub stop_after: Option<Duration>,
    /// Where each answer is written to, as a line of JSON.
    pub history: Option<PathBuf>,
    /// Decides which requests are sent twice.
    pub seed: u64,
    /// Show how far it is.
    pub progress: bool,
}

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// The scenario.
    pub scenario: String,
    /// What is to be told.
    pub counts: Counts,
    /// How long the lanes ran.
    pub took: Duration,
    /// Writes that were answered.
    pub writes: u64,
    /// Pass, or what is wrong.
    pub verdict: Result<(), Wrong>,
}

/// Runs the scenario.
///
/// # Errors
/// When it cannot be run to its end; a verdict is no error.
pub fn run(scenario: &dyn Scenario, target: &Target, options: &Options) -> anyhow::Result<Report> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    prepare(&runtime, scenario, target)?;
    let load = Arc::new(Load {
        target: target.clone(),
        begun: Instant::now(),
        answered: AtomicU64::new(0),
        repeated: AtomicU64::new(0),
        duplicated: AtomicU64::new(0),
        stop_after: options.stop_after,
        bar: bar(scenario, options),
    });
    let lanes = scenario.lanes(options.concurrency);
    let records = runtime.block_on(Arc::clone(&load).run(lanes, scenario.expected(), options))?;
    let took = load.begun.elapsed();
    load.bar.finish_and_clear();
    if let Some(file) = &options.history {
        write_history(file, &records).with_context(|| format!("writing {}", file.display()))?;
    }
    let writes = records.len() as u64;
    let mut looking = Looking { runtime: &runtime, target };
    let judged = History::of(records).and_then(|history| scenario.judge(&history, &mut looking));
    let mut counts: Counts = vec![
        ("sent twice at once".to_owned(), load.count(&load.duplicated)),
        ("repeated after no answer".to_owned(), load.count(&load.repeated)),
    ];
    counts.extend(target.suffered());
    let verdict = judged.map(|told| counts.extend(told));
    Ok(Report { scenario: scenario.name().to_owned(), counts, took, writes, verdict })
}

fn bar(scenario: &dyn Scenario, options: &Options) -> ProgressBar {
    if !options.progress {
        return ProgressBar::hidden();
    }
    let style = "{prefix} {wide_bar} {pos}/{len} writes, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is ours");
    ProgressBar::new(scenario.expected()).with_style(style).with_prefix(scenario.name().to_owned())
}

fn prepare(runtime: &Runtime, scenario: &dyn Scenario, target: &Target) -> anyhow::Result<()> {
    runtime.block_on(async {
        let mut connection = None;
        for request in scenario.prepare() {
            let mut sending = Sending::new(target, &request);
            let answer = sending.insist(&mut connection).await?;
            if let Some(code) = answer.refused {
                bail!("{} was refused: {code}", request.label);
            }
        }
        Ok(())
    })
}

/// What lanes have in common.
struct Load {
    target: Target,
    begun: Instant,
    answered: AtomicU64,
    repeated: AtomicU64,
    duplicated: AtomicU64,
    stop_after: Option<Duration>,
    bar: ProgressBar,
}

impl Load {
    fn count(&self, counter: &AtomicU64) -> i64 {
        i64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(i64::MAX)
    }

    /// Has so much of the time passed that there is?
    fn has_passed(&self, (part, of): (u64, u64)) -> bool {
        let until = self.stop_after.map(|all| all.mul_f64(part as f64 / of as f64));
        until.is_some_and(|until| self.begun.elapsed() >= until)
    }

    async fn run(
        self: Arc<Self>,
        lanes: Vec<Box<dyn Lane>>,
        expected: u64,
        options: &Options,
    ) -> anyhow::Result<Vec<Record>> {
        let mut running = JoinSet::new();
        for (number, lane) in (0..).zip(lanes) {
            let random = Random::new(options.seed ^ (number << 32));
            let percent = options.duplicates_percent;
            running.spawn(Arc::clone(&self).lane(lane, random, percent));
        }
        let killing = tokio::spawn(Arc::clone(&self).kill(expected, options.kills));
        let mut records = Vec::new();
        while let Some(lane) = running.join_next().await {
            records.append(&mut lane??);
        }
        // A run that ends before its last share of progress has still to be killed.
        self.answered.store(u64::MAX, Ordering::Relaxed);
        killing.await??;
        Ok(records)
    }

    async fn lane(
        self: Arc<Self>,
        mut lane: Box<dyn Lane>,
        mut random: Random,
        percent: u64,
    ) -> anyhow::Result<Vec<Record>> {
        let (mut connection, mut other) = (None, None);
        let mut records = Vec::new();
        let mut last: Option<Answer> = None;
        while !self.has_passed((1, 1))
            && let Some(request) = lane.next(last.as_ref())
        {
            if !request.held_back.is_zero() {
                tokio::time::sleep(request.held_back).await;
            }
            let mut sending = Sending::new(&self.target, &request);
            let sent = self.begun.elapsed();
            let answer = if request.key.is_some() && random.percent(percent) {
                self.duplicated.fetch_add(1, Ordering::Relaxed);
                let mut again = Sending::new(&self.target, &request);
                let both = tokio::join!(sending.insist(&mut connection), again.insist(&mut other));
                same(&request, both.0?, &both.1?)?
            } else {
                sending.insist(&mut connection).await?
            };
            let Sending { body, tries, .. } = sending;
            self.repeated.fetch_add(u64::from(tries - 1), Ordering::Relaxed);
            if let Some(key) = request.key {
                records.push(Record {
                    key,
                    label: request.label,
                    request: body,
                    sent,
                    answered: self.begun.elapsed(),
                    tries,
                    answer: answer.clone(),
                });
                self.answered.fetch_add(1, Ordering::Relaxed);
                self.bar.inc(1);
            }
            last = Some(answer);
        }
        Ok(records)
    }

    /// Kills the server at even shares of progress.
    async fn kill(self: Arc<Self>, expected: u64, kills: u64) -> anyhow::Result<()> {
        for kill in 1..=kills {
            let share = expected * kill / (kills + 1);
            let part = (kill, kills + 1);
            while self.answered.load(Ordering::Relaxed) < share && !self.has_passed(part) {
                tokio::time::sleep(REST).await;
            }
            let target = self.target.clone();
            tokio::task::spawn_blocking(move || target.kill()).await??;
        }
        Ok(())
    }
}

/// Two answers to one request must be one answer.
fn same(request: &Request, one: Answer, other: &Answer) -> anyhow::Result<Answer> {
    let is_same =
        (one.version, &one.refused, &one.body) == (other.version, &other.refused, &other.body);
    if !is_same {
        let label = request.label;
        bail!("{label} was sent twice and answered in two ways: {one:?} and {other:?}");
    }
    Ok(if one.replayed { other.clone() } else { one })
}

/// A request on its way.
struct Sending<'a> {
    target: &'a Target,
    request: &'a Request,
    body: bytes::Bytes,
    tries: u32,
}

impl<'a> Sending<'a> {
    fn new(target: &'a Target, request: &'a Request) -> Self {
        Self { target, request, body: request.body(), tries: 0 }
    }

    /// Sends until there is an answer, whatever happens to the server meanwhile.
    async fn insist(&mut self, connection: &mut Option<Connection>) -> anyhow::Result<Answer> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let opened = match connection.take() {
                Some(opened) => Ok(opened),
                None => Connection::open(self.target).await,
            };
            if let Ok(mut opened) = opened {
                self.tries += 1;
                let sent = opened.send(self.request.key.as_deref(), &self.body).await;
                if let Sent::Answered(answer) = sent.with_context(|| self.request.label)? {
                    *connection = Some(opened);
                    return Ok(answer);
                }
            }
            tokio::time::sleep(REST).await;
        }
        bail!("{} got no answer within {PATIENCE:?}", self.request.label)
    }
}

struct Looking<'a> {
    runtime: &'a Runtime,
    target: &'a Target,
}

impl Look for Looking<'_> {
    fn look(&mut self, operations: Vec<Value>) -> anyhow::Result<Vec<Value>> {
        let mut results = Vec::with_capacity(operations.len());
        self.runtime.block_on(async {
            let mut connection = None;
            for piece in operations.chunks(LOOK_OPERATIONS) {
                let request = Request::look("a look", piece.to_vec());
                let answer = Sending::new(self.target, &request).insist(&mut connection).await?;
                if let Some(code) = &answer.refused {
                    bail!("a look at the state was refused: {code}: {}", answer.json());
                }
                results.append(&mut answer.results());
            }
            Ok(results)
        })
    }
}

fn write_history(file: &PathBuf, records: &[Record]) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    for record in records {
        let request: Value = serde_json::from_slice(&record.request)?;
        let line = json!({
            "label": record.label,
            "key": record.key,
            "operations": request["operations"],
            "sent_us": u64::try_from(record.sent.as_micros())?,
            "answered_us": u64::try_from(record.answered.as_micros())?,
            "tries": record.tries,
            "version": record.answer.version,
            "replayed": record.answer.replayed,
            "refused": record.answer.refused,
            "outcome": record.answer.json(),
        });
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
