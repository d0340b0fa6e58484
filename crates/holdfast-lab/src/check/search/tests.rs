use proptest::prelude::*;

use super::*;
use crate::{
    check::specification::{
        KeyValue, Register, key_value,
        register::{Answer, Asked},
    },
    random::Random,
};

type RegisterCall = Call<Asked, Answer>;

fn us(us: usize) -> Duration {
    Duration::from_micros(us as u64)
}

fn call(asked: Asked, sent: usize, heard: Option<(usize, Answer)>) -> RegisterCall {
    let heard = heard.map_or(Heard::Unknown, |(at, answer)| Heard::Answered { at: us(at), answer });
    Call { key: None, asked, sent: us(sent), heard }
}

fn write(value: i64, sent: usize, at: usize) -> RegisterCall {
    call(Asked::Write(value), sent, Some((at, Answer::Written)))
}

fn read(value: Option<i64>, sent: usize, at: usize) -> RegisterCall {
    call(Asked::Read, sent, Some((at, Answer::Holds(value))))
}

fn judge(calls: &[RegisterCall]) -> Verdict {
    check::<Register>(calls, STATES_MAX)
}

fn why(verdict: Verdict) -> Unexplained {
    match verdict {
        Verdict::NotLinearizable(why) => why,
        other => panic!("{other:?}"),
    }
}

fn is_linearizable(calls: &[RegisterCall]) -> bool {
    match judge(calls) {
        Verdict::Linearizable { .. } => true,
        Verdict::NotLinearizable(_) => false,
        Verdict::Undecided { states } => panic!("undecided after {states} states"),
    }
}

#[test]
fn overlapping_calls_may_come_in_any_order_and_others_not() {
    assert!(is_linearizable(&[]));
    assert!(is_linearizable(&[read(None, 0, 9), write(1, 0, 9), read(Some(1), 0, 9)]));
    assert!(!is_linearizable(&[write(1, 0, 1), read(None, 2, 3)]));
    assert!(is_linearizable(&[write(1, 0, 1), read(None, 1, 3)]));
    // The second reader goes back in time.
    let swinging = [write(1, 0, 9), read(Some(1), 1, 2), read(None, 3, 4)];
    assert!(!is_linearizable(&swinging));
}

#[test]
fn what_nobody_heard_of_happened_late_or_never() {
    let lost = || call(Asked::Write(7), 0, None);
    assert!(is_linearizable(&[lost(), read(None, 1, 2), read(Some(7), 3, 4)]));
    assert!(is_linearizable(&[lost(), read(None, 1, 2)]));
    assert!(!is_linearizable(&[lost(), read(Some(7), 1, 2), read(None, 3, 4)]));
    // It cannot have happened before it was sent.
    assert!(!is_linearizable(&[read(Some(7), 1, 2), call(Asked::Write(7), 3, None)]));
    let denied = Call { heard: Heard::Nothing, ..lost() };
    assert!(!is_linearizable(&[denied, read(Some(7), 1, 2)]));
}

#[test]
fn a_compare_and_set_that_failed_is_an_observation_too() {
    let swap = |matched, sent, at| {
        let asked = Asked::CompareAndSet { from: 1, to: 2 };
        call(asked, sent, Some((at, Answer::Matched(matched))))
    };
    assert!(is_linearizable(&[write(1, 0, 1), swap(true, 2, 3), read(Some(2), 4, 5)]));
    assert!(!is_linearizable(&[write(1, 0, 1), swap(false, 2, 3)]));
}

#[test]
fn the_answer_that_no_order_explains_is_named_with_its_times() {
    let calls = [write(1, 0, 1), read(Some(1), 2, 3), read(Some(9), 4, 5), write(9, 6, 7)];
    let why = why(judge(&calls));
    assert_eq!((why.answered, why.explained), (us(5), 2));
    assert_eq!(
        why.to_string(),
        "the object: Read, sent at 4µs, was answered Holds(Some(9)) at 5µs; an order explains the \
         2 answers before it, and none goes on past it"
    );
}

#[test]
fn a_budget_that_is_used_up_decides_nothing() {
    let many: Vec<_> = (0..12).map(|value| call(Asked::Write(value), 0, None)).collect();
    let calls = [&many[..], &[read(Some(99), 1, 2)]].concat();
    assert_eq!(check::<Register>(&calls, 1_000), Verdict::Undecided { states: 1_000 });
    assert!(!is_linearizable(&calls));
}

#[test]
fn keys_are_searched_one_by_one_and_the_bad_one_is_named() {
    use key_value::{Answer, Asked};
    let call = |key: &str, asked, answer, at| Call {
        key: Some(key.to_owned()),
        asked,
        sent: us(at),
        heard: Heard::Answered { at: us(at), answer },
    };
    let text = |text: &str| Answer::Text(text.to_owned());
    let mut calls = vec![
        call("a", Asked::Put("x".to_owned()), Answer::Written, 0),
        call("b", Asked::Append("y".to_owned()), Answer::Written, 1),
        call("a", Asked::Append("z".to_owned()), Answer::Written, 2),
        call("a", Asked::Get, text("xz"), 3),
        call("b", Asked::Get, text("y"), 4),
    ];
    let judge = |calls: &[_]| {
        let key = |call: &Call<Asked, Answer>| call.key.clone().unwrap_or_default();
        each::<KeyValue, _>(calls, key, STATES_MAX)
    };
    assert_eq!(judge(&calls), Verdict::Linearizable { states: 5 });
    calls.push(call("b", Asked::Get, text("xz"), 5));
    assert_eq!(why(judge(&calls)).key, "b");
}

/// Calls of a real register by callers beside each other: each takes effect somewhere
/// between being sent and being answered; some answers are lost.
fn recorded(seed: u64, callers: usize, length: usize) -> Vec<RegisterCall> {
    let mut random = Random::new(seed);
    let mut register = Register::default();
    let mut calls: Vec<RegisterCall> = Vec::new();
    // Of each caller the call under way, and what it came to once it took effect.
    let mut under_way: Vec<Option<(usize, Option<Answer>)>> = vec![None; callers];
    let mut now = 0;
    while calls.len() < length || under_way.iter().any(Option::is_some) {
        now += 1;
        let caller = usize::try_from(random.below(callers as u64)).unwrap();
        under_way[caller] = match under_way[caller] {
            None if calls.len() < length => {
                let value = i64::try_from(random.below(3)).unwrap();
                let asked = match random.below(3) {
                    0 => Asked::Read,
                    1 => Asked::Write(value),
                    _ => Asked::CompareAndSet { from: value, to: (value + 1) % 3 },
                };
                calls.push(call(asked, now, None));
                Some((calls.len() - 1, None))
            }
            None => None,
            Some((index, None)) if random.percent(95) => {
                Some((index, Some(register.ask(&calls[index].asked))))
            }
            // Lost on its way there, or on its way back.
            Some((_, None)) => None,
            Some((_, Some(_))) if random.percent(10) => None,
            Some((index, Some(answer))) => {
                calls[index].heard = Heard::Answered { at: us(now), answer };
                None
            }
        };
    }
    calls
}

/// Every order, one after the other.
fn some_order_explains(calls: &[RegisterCall], state: Register, left: &mut Vec<usize>) -> bool {
    let answered_at = |index: &usize| answered(&calls[*index]);
    let Some(first_answer) = left.iter().filter_map(answered_at).min() else { return true };
    for at in 0..left.len() {
        let index = left[at];
        if calls[index].sent > first_answer {
            continue;
        }
        let mut after = state;
        let answer = after.ask(&calls[index].asked);
        let fits = match &calls[index].heard {
            Heard::Answered { answer: heard, .. } => *heard == answer,
            Heard::Nothing => false,
            Heard::Unknown => true,
        };
        if !fits {
            continue;
        }
        left.remove(at);
        let explained = some_order_explains(calls, after, left);
        left.insert(at, index);
        if explained {
            return true;
        }
    }
    false
}

fn brute_force(calls: &[RegisterCall]) -> bool {
    some_order_explains(calls, Register::default(), &mut (0..calls.len()).collect())
}

/// The history as it was known just after some moment.
fn until(calls: &[RegisterCall], end: Duration) -> Vec<RegisterCall> {
    let known = |call: &RegisterCall| match answered(call) {
        Some(at) if at > end => Call { heard: Heard::Unknown, ..call.clone() },
        Some(_) | None => call.clone(),
    };
    calls.iter().filter(|call| call.sent <= end).map(known).collect()
}

fn lie(call: &mut RegisterCall, value: i64) {
    if let Heard::Answered { answer, .. } = &mut call.heard {
        *answer = match *answer {
            Answer::Holds(_) => Answer::Holds(Some(value)),
            Answer::Matched(matched) => Answer::Matched(!matched),
            Answer::Written => Answer::Written,
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_a_register_really_did_is_linearizable(seed: u64, callers in 1..8_usize) {
        prop_assert!(is_linearizable(&recorded(seed, callers, 60)));
    }

    #[test]
    fn with_a_lie_in_it_the_verdict_is_that_of_trying_every_order(
        seed: u64,
        callers in 1..5_usize,
        length in 1..8_usize,
        lies in proptest::collection::vec((0..8_usize, 0..3_i64), 0..3),
    ) {
        let mut calls = recorded(seed, callers, length);
        for (index, value) in lies {
            let index = index % calls.len();
            lie(&mut calls[index], value);
        }
        let verdict = judge(&calls);
        let expected = brute_force(&calls);
        prop_assert_eq!(matches!(verdict, Verdict::Linearizable { .. }), expected);
        if let Verdict::NotLinearizable(why) = verdict {
            // Just before it, there was still an order.
            prop_assert!(brute_force(&until(&calls, why.answered.saturating_sub(us(1)))));
        }
    }
}
