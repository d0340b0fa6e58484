//! `holdfast lab sim`: simulated nodes, clients, network and log, decided by seeds.
//!
//! The last line is the verdict, as it is for scenarios: `verdict: pass` (exit 0), or
//! `verdict: fail: why` (exit 1) after the seed, the command that runs it again, what it
//! drew, and the last things that happened.

use std::{io::IsTerminal as _, ops::Range, str::FromStr, time::Instant};

use clap::Args;
use holdfast_lab::sim::{
    self, Profile, Run,
    swarm::{self, Swarm},
};
use serde_json::json;

use crate::exit::{self, Exit, Failure};

/// Arguments of `lab sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// The seeds to run, the last one left out: `0..1000`.
    #[arg(long, value_name = "A..B", default_value = "0..1000", conflicts_with = "seed")]
    seeds: Seeds,
    /// Run this one seed, twice, and compare.
    #[arg(long)]
    seed: Option<u64>,
    /// What is simulated: several nodes on a shared log, or one on the file log over a disk
    /// that fails.
    #[arg(long, value_parser = profile, default_value = "network")]
    profile: Profile,
    /// Print everything that happens.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Seeds that run beside each other; as many as the machine has processors unless told.
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Print one JSON object instead of lines for people.
    #[arg(long)]
    json: bool,
}

fn profile(text: &str) -> Result<Profile, String> {
    let all = [Profile::Network, Profile::Disk];
    let named = all.into_iter().find(|profile| profile.name() == text);
    named.ok_or_else(|| "there are: network, disk".to_owned())
}

/// A range of seeds.
#[derive(Clone, Debug)]
struct Seeds(Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, end) = text.split_once("..").ok_or("seeds are given as A..B")?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text} is no number"));
        let range = number(first)?..number(end)?;
        if range.is_empty() { Err(format!("there is no seed in {text}")) } else { Ok(Self(range)) }
    }
}

/// Runs seeds.
pub(super) fn run(arguments: &SimArguments) -> Result<Exit, Failure> {
    // A panic in the code under test is a finding, told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    match arguments.seed {
        Some(seed) => one(seed, arguments),
        None => many(arguments),
    }
}

fn one(seed: u64, arguments: &SimArguments) -> Result<Exit, Failure> {
    let ran = sim::run(arguments.profile, seed, arguments.trace);
    let again = sim::run(arguments.profile, seed, false);
    let same = ran.hash == again.hash;
    if arguments.json {
        let told = json!({
            "profile": arguments.profile.name(),
            "seed": seed,
            "hash": format!("{:016x}", ran.hash),
            "same_twice": same,
            "happened": ran.notes,
            "counts": ran.counts,
            "verdict": if ran.verdict.is_ok() && same { "pass" } else { "fail" },
            "why": ran.verdict.as_ref().err().map(ToString::to_string),
        });
        exit::print(&told.to_string())?;
    } else {
        tell_one(&ran, &again)?;
    }
    Ok(if ran.verdict.is_ok() && same { Exit::Done } else { Exit::No })
}

fn tell_one(ran: &Run, again: &Run) -> Result<(), Failure> {
    exit::print(&match &ran.verdict {
        Err(_) => swarm::tell(ran),
        Ok(()) => {
            format!("seed {}: {} things happened\ndrawn:\n{}", ran.seed, ran.notes, ran.shape)
        }
    })?;
    for (what, count) in &ran.counts {
        exit::print(&format!("  {what:<48} {count:>10}"))?;
    }
    let (first, second) = (ran.hash, again.hash);
    exit::print(&format!("trace hash {first:016x}, and {second:016x} the second time"))?;
    exit::print(&match &ran.verdict {
        Err(why) => format!("verdict: fail: {why}"),
        Ok(()) if first != second => "verdict: fail: one seed, two traces".to_owned(),
        Ok(()) => "verdict: pass".to_owned(),
    })
}

fn many(arguments: &SimArguments) -> Result<Exit, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.unwrap_or(threads);
    let Seeds(seeds) = arguments.seeds.clone();
    let count = seeds.end - seeds.start;
    let progress = !arguments.json && std::io::stderr().is_terminal();
    let begun = Instant::now();
    let ran = swarm::run_all(arguments.profile, seeds, threads, &|ended| {
        if progress && ended.is_multiple_of(100) {
            eprint!("\r{ended} of {count} seeds");
        }
    });
    if progress {
        eprintln!();
    }
    tell_many(&ran, begun.elapsed().as_secs_f64(), arguments)?;
    Ok(if ran.failed.is_none() { Exit::Done } else { Exit::No })
}

fn tell_many(ran: &Swarm, seconds: f64, arguments: &SimArguments) -> Result<(), Failure> {
    let why = ran.failed.as_ref().and_then(|failed| failed.verdict.as_ref().err());
    if arguments.json {
        let told = json!({
            "profile": arguments.profile.name(),
            "seeds": ran.runs,
            "seconds": seconds,
            "happened": ran.notes,
            "hash": format!("{:016x}", ran.hash),
            "counts": ran.counts,
            "seeds_with": ran.runs_with,
            "verdict": if why.is_none() { "pass" } else { "fail" },
            "failed_seed": ran.failed.as_ref().map(|failed| failed.seed),
            "why": why.map(ToString::to_string),
        });
        return exit::print(&told.to_string());
    }
    let per_second = ran.runs as f64 / seconds.max(f64::MIN_POSITIVE);
    exit::print(&format!("{} seeds in {seconds:.1} s, {per_second:.1}/s", ran.runs))?;
    exit::print(&format!("  {:<48} {:>10}", "things that happened", ran.notes))?;
    exit::print(ran.table().trim_end())?;
    exit::print(&format!("hash over all of it {:016x}", ran.hash))?;
    if let Some(failed) = &ran.failed {
        exit::print(&swarm::tell(failed))?;
    }
    exit::print(&match why {
        Some(why) => format!("verdict: fail: {why}"),
        None => "verdict: pass".to_owned(),
    })
}
