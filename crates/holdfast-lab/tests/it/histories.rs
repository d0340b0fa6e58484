//! Published histories whose verdicts are known, where `HOLDFAST_TEST_DATA` names a directory
//! that has them: each is judged by the search, and must be judged so.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use holdfast_lab::check::{
    Call, Heard,
    search::{self, STATES_MAX, Verdict},
    specification::{KeyValue, Register, key_value, register},
};

/// Histories and verdicts of a data set; tells when there is none.
fn published(set: &str) -> Option<BTreeMap<String, (String, bool)>> {
    let found = std::env::var_os("HOLDFAST_TEST_DATA").map(|dir| PathBuf::from(dir).join(set));
    let Some(folder) = found.filter(|folder| folder.join("expected.csv").exists()) else {
        eprintln!("skipped: HOLDFAST_TEST_DATA does not lead to {set}");
        return None;
    };
    let mut expected = csv::Reader::from_path(folder.join("expected.csv")).unwrap();
    let histories = expected.records().map(|row| {
        let row = row.unwrap();
        let text = fs::read_to_string(folder.join(&row[0])).unwrap();
        (row[0].to_owned(), (text, row[1].parse().unwrap()))
    });
    Some(histories.collect())
}

/// Lines are moments: nothing is known of times but their order.
fn moment(line: usize) -> Duration {
    Duration::from_micros(line as u64)
}

fn agree(set: &str, count: usize, judge: impl Fn(&str) -> Verdict) {
    let Some(histories) = published(set) else { return };
    assert_eq!(histories.len(), count);
    let mut most = 0;
    for (file, (text, linearizable)) in &histories {
        match judge(text) {
            Verdict::Linearizable { states } => {
                assert!(*linearizable, "{file} was found to be linearizable");
                most = most.max(states);
            }
            Verdict::NotLinearizable(why) => assert!(!linearizable, "{file}: {why}"),
            Verdict::Undecided { states } => panic!("{file} is undecided after {states} states"),
        }
    }
    eprintln!("{set}: {count} verdicts agree; at most {most} states for one that is linearizable");
}

fn jepsen(text: &str) -> Vec<Call<register::Asked, register::Answer>> {
    use register::{Answer, Asked};
    let mut calls: Vec<Call<Asked, Answer>> = Vec::new();
    let mut under_way: BTreeMap<u64, usize> = BTreeMap::new();
    for (line, text) in text.lines().enumerate() {
        let Some((_, text)) = text.split_once("jepsen.util - ") else { continue };
        let words: Vec<&str> = text.split_whitespace().collect();
        let [process, kind, what, values @ ..] = &words[..] else { continue };
        let Ok(process) = process.parse() else { continue };
        let number = |word: &str| word.trim_matches(['[', ']']).parse::<i64>().ok();
        if *kind == ":invoke" {
            let asked = match *what {
                ":read" => Asked::Read,
                ":write" => Asked::Write(number(values[0]).unwrap()),
                _ => Asked::CompareAndSet {
                    from: number(values[0]).unwrap(),
                    to: number(values[1]).unwrap(),
                },
            };
            under_way.insert(process, calls.len());
            calls.push(Call { key: None, asked, sent: moment(line), heard: Heard::Unknown });
            continue;
        }
        let call = &mut calls[under_way.remove(&process).unwrap()];
        let answer = |answer| Heard::Answered { at: moment(line), answer };
        call.heard = match (*kind, *what) {
            (":ok", ":read") => answer(Answer::Holds(number(values[0]))),
            (":ok", ":write") => answer(Answer::Written),
            (":ok", ":cas") => answer(Answer::Matched(true)),
            (":fail", ":cas") => answer(Answer::Matched(false)),
            (":fail", ":read") => Heard::Nothing,
            (":info", _) => Heard::Unknown,
            other => panic!("{other:?}"),
        };
    }
    calls
}

#[test]
fn jepsen_etcd() {
    agree("histories_jepsen_etcd", 60, |text| search::check::<Register>(&jepsen(text), STATES_MAX));
}

fn porcupine(text: &str) -> Vec<Call<key_value::Asked, key_value::Answer>> {
    use key_value::{Answer, Asked};
    let mut calls: Vec<Call<Asked, Answer>> = Vec::new();
    let mut under_way: BTreeMap<&str, usize> = BTreeMap::new();
    for (line, text) in text.lines().enumerate() {
        let field = |name: &str| text.split_once(name).unwrap().1;
        let word = |name| field(name).split([',', '}']).next().unwrap();
        let quoted =
            |name| field(name).strip_prefix('"').map(|rest| rest.split_once('"').unwrap().0);
        let process = word(":process ");
        let value = quoted(":value ").unwrap_or_default().to_owned();
        if word(":type ") == ":invoke" {
            let asked = match word(":f ") {
                ":get" => Asked::Get,
                ":put" => Asked::Put(value),
                _ => Asked::Append(value),
            };
            let key = quoted(":key ").map(str::to_owned);
            under_way.insert(process, calls.len());
            calls.push(Call { key, asked, sent: moment(line), heard: Heard::Unknown });
            continue;
        }
        let call = &mut calls[under_way.remove(process).unwrap()];
        let answer = if call.asked == Asked::Get { Answer::Text(value) } else { Answer::Written };
        call.heard = Heard::Answered { at: moment(line), answer };
    }
    calls
}

#[test]
fn porcupine_kv() {
    agree("histories_porcupine_kv", 4, |text| {
        let key = |call: &Call<_, _>| call.key.clone().unwrap_or_default();
        search::each::<KeyValue, _>(&porcupine(text), key, STATES_MAX)
    });
}

#[test]
fn both_forms_are_read() {
    let etcd = "INFO  jepsen.util - 0\t:invoke\t:write\t4\nINFO  jepsen.core - noise\n\
                INFO  jepsen.util - 1\t:invoke\t:cas\t[4 2]\nINFO  jepsen.util - 0\t:ok\t:write\t4\n\
                INFO  jepsen.util - 1\t:info\t:cas\t:timed-out\nINFO  jepsen.util - 2\t:invoke\t:read\tnil\n\
                INFO  jepsen.util - 2\t:ok\t:read\t2\n";
    let verdict = search::check::<Register>(&jepsen(etcd), STATES_MAX);
    assert_eq!(verdict, Verdict::Linearizable { states: 3 });
    let verdict = search::check::<Register>(&jepsen(&etcd.replace("\t2\n", "\t3\n")), STATES_MAX);
    assert!(matches!(verdict, Verdict::NotLinearizable(_)), "{verdict:?}");
    let kv = "{:process 0, :type :invoke, :f :append, :key \"9\", :value \"x 1 y\"}\n\
              {:process 0, :type :ok, :f :append, :key \"9\", :value \"x 1 y\"}\n\
              {:process 1, :type :invoke, :f :get, :key \"9\", :value nil}\n\
              {:process 1, :type :ok, :f :get, :key \"9\", :value \"x 1 y\"}\n";
    let calls = porcupine(kv);
    assert_eq!(calls[0].asked, key_value::Asked::Append("x 1 y".to_owned()));
    let verdict = search::check::<KeyValue>(&calls, STATES_MAX);
    assert_eq!(verdict, Verdict::Linearizable { states: 2 });
}
