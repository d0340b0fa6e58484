//! What others than the writer see, and when.

use std::sync::Arc;
use std::sync::mpsc;

use holdfast_log::{Append, Log, LogError, Read, Waited, blocking};

use crate::rig::{Rig, append, at, entry, fill, held, wait_for};

#[test]
fn a_follower_is_woken_by_an_append_of_another_process() {
    let Some(rig) = Rig::new(&[]) else { return };
    let (leader, follower) = (rig.open(), rig.open());
    let mut woken = 0;
    for position in 1..=20 {
        assert_eq!(blocking::read(&follower, at(position), 1000).unwrap(), [Read::Empty]);
        let (told, telling) = mpsc::channel();
        follower.wait(at(position), Box::new(move |waited| told.send(waited).unwrap()));
        fill(&leader, position, position);
        woken += u32::from(telling.recv().unwrap().unwrap() == Waited::MayHold);
        let found = blocking::read(&follower, at(position), 1).unwrap();
        assert_eq!(found, [Read::Entry(entry(position))]);
    }
    // The first may come before it listens; each of them could be lost, most are not.
    assert!(woken > 10, "{woken} of 20");
    let told = blocking::wait(&follower, at(20)).unwrap();
    assert_eq!(told, Waited::MayHold, "it is known to be there");
}

#[test]
fn one_that_does_not_listen_looks_all_the_same() {
    let Some(rig) = Rig::new(&[]) else { return };
    let follower = Arc::new(rig.open());
    assert_eq!(blocking::wait(&*follower, at(1)).unwrap(), Waited::Elapsed);
    let (told, telling) = mpsc::channel();
    follower.wait(at(9), Box::new(move |waited| told.send(waited).unwrap()));
    blocking::close(&*follower).unwrap();
    let ended = telling.recv().unwrap();
    assert!(matches!(ended, Err(LogError::Closed) | Ok(Waited::Elapsed)), "{ended:?}");
    assert!(matches!(blocking::wait(&*follower, at(1)), Err(LogError::Closed)));
}

/// How many wait for a standby with a barrier.
const BARRIERS: &str = "SELECT count(*) FROM pg_stat_activity
                        WHERE wait_event = 'SyncRep' AND query LIKE 'UPDATE holdfast_barriers%'";

#[test]
fn p14_a_hole_is_told_of_only_by_a_server_that_can_still_commit() {
    let Some(mut rig) = Rig::new(&[]) else { return };
    let (leader, follower) = (rig.open(), rig.open());
    fill(&leader, 1, 3);
    assert_eq!(held(&follower, 1).len(), 3);
    // As a primary that others were promoted over: it shows what it has, and no standby answers.
    rig.server.set("synchronous_standby_names", "ANY 1 (absent)").unwrap();
    wait_for(&rig.server, "SHOW synchronous_standby_names", "ANY 1 (absent)");
    for (log, from) in [(&follower, 4), (&leader, 4), (&follower, 2)] {
        let (told, telling) = mpsc::channel();
        log.read(at(from), usize::MAX, Box::new(move |read| told.send(read).unwrap()));
        wait_for(&rig.server, BARRIERS, "1");
        assert!(telling.try_recv().is_err(), "from {from}: it cannot know");
        rig.server.set("synchronous_standby_names", "").unwrap();
        let read = telling.recv().unwrap().unwrap();
        assert_eq!((read.len() as u64, read.last()), (5 - from, Some(&Read::Empty)));
        rig.server.set("synchronous_standby_names", "ANY 1 (absent)").unwrap();
        wait_for(&rig.server, "SHOW synchronous_standby_names", "ANY 1 (absent)");
    }
    rig.server.set("synchronous_standby_names", "").unwrap();
}

#[test]
fn many_writers_and_a_trimmer_agree() {
    const POSITIONS: u64 = 400;
    let Some(rig) = Rig::new(&[]) else { return };
    let logs: Vec<_> = (0..3).map(|_| rig.open()).collect();
    let won: Vec<u64> = std::thread::scope(|scope| {
        let writers = logs.iter().map(|log| {
            scope.spawn(move || {
                let answers = (1..=POSITIONS).map(|position| append(log, position).unwrap());
                u64::try_from(answers.filter(|answer| *answer == Append::Ok).count()).unwrap()
            })
        });
        let writers: Vec<_> = writers.collect();
        let trimmer = rig.open();
        let mut mark = 1;
        while mark < POSITIONS / 2 {
            let tail = blocking::tail(&trimmer).unwrap().get();
            mark = (tail / 2).max(1);
            blocking::trim(&trimmer, at(mark)).unwrap();
            let below = append(&trimmer, mark.max(2) - 1).unwrap();
            assert!(mark == 1 || below == Append::Trimmed, "{below:?} below {mark}");
        }
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let by_trimmer = 1;
    let total: u64 = won.iter().sum();
    assert!((POSITIONS - by_trimmer..=POSITIONS).contains(&total), "each was put once: {won:?}");
    let tail = blocking::tail(&logs[0]).unwrap().get();
    assert_eq!(tail, POSITIONS + 1);
    assert_eq!(held(&logs[0], POSITIONS / 2 + 1).len() as u64, POSITIONS / 2);
}
