//! The file log answers as the memory log does, whatever it is asked, over any number of reopens.

use bytes::Bytes;
use holdfast_log::{FaultDisk, Log, LogError, MemoryLog, blocking};
use proptest::prelude::*;

use crate::world::{at, open};

#[derive(Clone, Debug)]
enum Step {
    Append { position: u64, len: usize },
    Read { from: u64, max_bytes: usize },
    Trim { below: u64 },
    Reopen { cleanly: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let position = || prop_oneof![8 => 1_u64..40, 1 => 1000_u64..1100];
    prop_oneof![
        8 => (position(), 0_usize..2100).prop_map(|(position, len)| Step::Append { position, len }),
        3 => (position(), 0_usize..9000).prop_map(|(from, max_bytes)| Step::Read { from, max_bytes }),
        1 => position().prop_map(|below| Step::Trim { below }),
        1 => any::<bool>().prop_map(|cleanly| Step::Reopen { cleanly }),
    ]
}

/// What was answered, in words that two logs can agree on.
fn told<T: std::fmt::Debug>(result: Result<T, LogError>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(refused) => refused.to_string(),
    }
}

fn ask(log: &dyn Log, step: &Step, number: usize) -> String {
    match step {
        Step::Append { position, len } => {
            let bytes = Bytes::from(number.to_string().repeat(*len)).slice(..*len);
            told(blocking::append(log, at(*position), bytes))
        }
        Step::Read { from, max_bytes } => told(blocking::read(log, at(*from), *max_bytes)),
        Step::Trim { below } => told(blocking::trim(log, at(*below))),
        Step::Reopen { .. } => told(blocking::tail(log)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_file_log_answers_as_the_memory_log_does(steps in prop::collection::vec(step(), 1..60)) {
        let model = MemoryLog::with_max_entry_bytes(2000);
        let disk = FaultDisk::new();
        let mut log = open(&disk).unwrap();
        for (number, step) in steps.iter().enumerate() {
            if let Step::Reopen { cleanly } = step {
                if *cleanly {
                    blocking::close(&*log).unwrap();
                }
                drop(log);
                log = open(&disk).unwrap();
            }
            prop_assert_eq!(ask(&*log, step, number), ask(&model, step, number), "{:?}", step);
            let everything = Step::Read { from: 1, max_bytes: usize::MAX };
            prop_assert_eq!(ask(&*log, &everything, 0), ask(&model, &everything, 0));
        }
    }
}
