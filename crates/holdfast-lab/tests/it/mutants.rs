//! The simulator finds what is planted.

use holdfast_lab::sim::mutants::{BUGS, hunt_all, median, table};

#[test]
fn every_planted_bug_is_found_half_of_them_within_two_hundred_seeds() {
    std::panic::set_hook(Box::new(|_| {}));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let hunts = hunt_all(BUGS, &(0..1_000), threads);
    println!("{}", table(&hunts));
    let missed: Vec<_> = hunts.iter().filter(|hunt| hunt.seeds.is_none()).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
    assert!(median(&hunts).is_some_and(|seeds| seeds <= 200), "{:?}", median(&hunts));
}
