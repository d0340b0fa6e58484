//! Each history shows the fault that it is named for, and no other.

use super::*;

/// Steps at versions 1, 2, 3 …, a second of log time apart.
fn steps(steps: Vec<(u64, Event)>) -> Vec<Step> {
    let step = |(version, (message, event)): (u64, (u64, Event))| {
        let time_us = version * 1_000_000;
        Step { version: Version::new(version), time_us, message, event }
    };
    (1..).zip(steps).map(step).collect()
}

/// Out for a second and a half.
fn received(receipt: &str, attempt: u32, at: u64) -> Event {
    Event::Received { receipt: receipt.to_owned(), attempt, until_us: at * 1_000_000 + 1_500_000 }
}

fn acked(receipt: &str) -> Event {
    Event::Acked(receipt.to_owned())
}

fn refused(receipt: &str) -> Event {
    Event::Refused(receipt.to_owned())
}

fn returned(receipt: &str) -> Event {
    Event::Returned(receipt.to_owned())
}

fn end(messages: u64) -> End {
    End { messages: (1..=messages).collect(), ..End::default() }
}

fn wrong(steps: Vec<(u64, Event)>) -> String {
    let steps = self::steps(steps);
    check(&steps, &end(9), 2).unwrap_err().to_string()
}

#[test]
fn lives_of_messages() {
    let steps = steps(vec![
        (1, received("1-1", 1, 1)),
        (2, received("2-2", 1, 2)),
        (1, acked("1-1")),
        (2, received("3-2", 2, 4)),
        (2, refused("2-2")),
        (2, refused("3-2")),
        (2, Event::Redriven),
        (2, received("4-2", 1, 8)),
        (2, returned("4-2")),
        (2, received("5-2", 2, 10)),
    ]);
    let end = End { effects: vec![1], dead: vec![2], waiting: 1, ..end(3) };
    let found = Deliveries { received: 5, again: 2, stale: 2, redriven: 1 };
    assert_eq!(check(&steps, &end, 2), Ok(found));
    // Until somebody looks, what died counts as out.
    let unseen = End { dead: vec![], out: 1, ..end };
    assert!(check(&steps, &unseen, 2).is_ok());
}

#[test]
fn two_consumers_at_a_time() {
    let early = vec![(1, received("1-1", 1, 1)), (1, received("2-1", 2, 2))];
    assert_eq!(
        wrong(early),
        "message 1 was given out at version 2: it was out for another 500000 µs"
    );
}

#[test]
fn given_out_after_it_was_done_or_too_often_or_under_a_wrong_number() {
    let done = vec![(1, received("1-1", 1, 1)), (1, acked("1-1")), (1, received("2-1", 2, 3))];
    assert!(wrong(done).ends_with("it was done"));
    let often = vec![
        (1, received("1-1", 1, 1)),
        (2, received("2-2", 1, 2)),
        (1, received("3-1", 2, 3)),
        (3, received("4-3", 1, 4)),
        (1, received("5-1", 3, 5)),
    ];
    assert!(wrong(often).ends_with("as attempt 3 of 2"));
    let again = vec![(1, received("1-1", 1, 1)), (1, returned("1-1")), (1, received("2-1", 1, 3))];
    assert!(wrong(again).ends_with("as attempt 1, after 1 of them"));
}

#[test]
fn a_stale_receipt_that_is_taken_and_a_good_one_that_is_not() {
    let stale = vec![
        (1, received("1-1", 1, 1)),
        (2, received("2-2", 1, 1)),
        (1, received("3-1", 2, 3)),
        (1, acked("1-1")),
    ];
    assert_eq!(
        wrong(stale),
        "message 1 was settled at version 4 with 1-1, which is not its receipt"
    );
    let twice = vec![(1, received("1-1", 1, 1)), (1, acked("1-1")), (1, returned("1-1"))];
    assert!(wrong(twice).ends_with("which is not its receipt"));
    let good = vec![(1, received("1-1", 1, 1)), (1, refused("1-1"))];
    assert_eq!(wrong(good), "receipt 1-1 of message 1 is good, and was refused at version 2");
}

#[test]
fn the_living_are_not_put_back() {
    for before in [vec![], vec![(1, received("1-1", 1, 1))]] {
        let alive = [before, vec![(1, Event::Redriven)]].concat();
        assert!(wrong(alive).ends_with("and was no dead letter"));
    }
    let twice = vec![
        (1, received("1-1", 1, 1)),
        (2, received("2-2", 1, 2)),
        (1, received("3-1", 2, 3)),
        (3, received("4-3", 1, 4)),
        (1, Event::Redriven),
        (1, Event::Redriven),
    ];
    assert_eq!(wrong(twice), "message 1 was put back at version 6, and was no dead letter");
}

#[test]
fn lost_or_done_twice() {
    let steps = steps(vec![(1, received("1-1", 1, 1)), (1, acked("1-1"))]);
    let effects = |effects: &[u64]| End { effects: effects.to_vec(), waiting: 1, ..end(2) };
    assert!(check(&steps, &effects(&[1]), 2).is_ok());
    let wrong = |effects: &[u64]| check(&steps, &effects_of(effects), 2).unwrap_err();
    assert_eq!(wrong(&[]), Violation::Lost { message: 1 });
    assert_eq!(wrong(&[1, 1]), Violation::Effects { message: 1, times: 2 });
    assert_eq!(wrong(&[1, 2]), Violation::Effects { message: 2, times: 2 });
}

fn effects_of(effects: &[u64]) -> End {
    End { effects: effects.to_vec(), waiting: 1, ..end(2) }
}

#[test]
fn dead_letters_that_are_none_and_counts_that_do_not_add_up() {
    let steps = steps(vec![(1, received("1-1", 1, 1)), (2, received("2-2", 1, 2))]);
    let steps =
        [steps, self::steps(vec![(3, received("3-3", 1, 1)), (3, returned("3-3"))])].concat();
    let dead = |dead: &[u64]| End { dead: dead.to_vec(), waiting: 1, out: 2, ..end(3) };
    assert!(check(&steps, &dead(&[]), 2).is_ok());
    for (letters, why) in [(&[1][..], "may be given out again"), (&[9], "was never given out")] {
        let wrong = check(&steps, &dead(letters), 2).unwrap_err().to_string();
        assert!(wrong.ends_with(why), "{wrong}");
    }
    let short = End { waiting: 0, ..dead(&[]) };
    let text = "3 messages were appended; 0 are done, 0 dead, 0 wait, 2 are out";
    assert_eq!(check(&steps, &short, 2).unwrap_err().to_string(), text);
}
