//! The simulator finds what is planted.

use holdfast_lab::sim::mutants::{BUGS, hunt_all, line, median};

/// Seeds that each bug is given.
const SEEDS: u64 = 1_500;

#[test]
fn every_planted_bug_is_found_half_of_them_within_two_hundred_seeds() {
    std::panic::set_hook(Box::new(|_| {}));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let hunts = hunt_all(BUGS, &(0..SEEDS), threads, &|hunt| println!("{}", line(hunt)));
    let missed: Vec<_> = hunts.iter().filter(|hunt| hunt.seeds.is_none()).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
    assert!(median(&hunts).is_some_and(|seeds| seeds <= 200), "{:?}", median(&hunts));
}
