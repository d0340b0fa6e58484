//! A primary with two synchronous standbys, killed under load.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use holdfast_log::{Append, Durability, Log, LogError, blocking};
use holdfast_log_postgres::server::Cluster;
use holdfast_log_postgres::{PostgresLog, PostgresOptions};

use crate::rig::{append, at, entry, fill, held, installed, options, refusal};

/// Appends that are under way while the primary dies.
const IN_FLIGHT: u64 = 64;

#[test]
fn nothing_acknowledged_is_lost_when_the_primary_dies_and_the_old_one_is_refused() {
    let Some(binaries) = installed() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::create(&binaries, dir.path(), 2).unwrap();
    let memo = Some(dir.path().join("lineage"));
    let wanted = PostgresOptions {
        durability: Durability::QuorumFsync,
        patience: Duration::from_secs(60),
        memo: memo.clone(),
        ..options(cluster.connection())
    };
    let log = Arc::new(PostgresLog::open(wanted.clone()).unwrap());
    assert_eq!(log.properties().durability, Durability::QuorumFsync);
    let (before, provenance) = (log.lineage(), log.provenance());

    let mut load = Load::begin(&log);
    load.until(500);
    let acknowledged_before = load.acknowledged.len();
    cluster.kill_primary().unwrap();
    cluster.promote_the_one_with_the_most().unwrap();
    load.until(acknowledged_before + 500);
    let acknowledged = load.end();

    // Every position that was answered holds the bytes that were sent there.
    let found = held(&*log, 1);
    for position in &acknowledged {
        let index = usize::try_from(*position - 1).unwrap();
        assert_eq!(found.get(index), Some(&entry(*position)), "{position} was acknowledged");
    }
    let after = log.lineage();
    assert_eq!((after.system, after.timeline), (before.system, before.timeline + 1));

    // The old primary comes back writable beside the promoted standby, and first in the list.
    let old = cluster.server(0);
    old.set("synchronous_standby_names", "").unwrap();
    old.start().unwrap();
    assert_eq!(old.sql("SELECT pg_is_in_recovery()").unwrap(), "f");
    let only_old = options(old.connection());
    let known = PostgresOptions { memo, ..only_old.clone() };
    let error = refusal(known);
    assert!(matches!(error, LogError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("this is an old primary"), "{error}");
    // One that knows nothing follows it, until it meets something that was written since.
    let trusting = PostgresLog::open(only_old.clone()).unwrap();
    assert!(trusting.is_where(&provenance).is_ok());
    let told = trusting.is_where(&log.provenance()).unwrap_err();
    assert!(told.is_permanent() && told.to_string().contains("this is an old primary"), "{told}");
    drop(trusting);
    // Or it is held off by what it asks for.
    let quorum = PostgresOptions { durability: Durability::QuorumFsync, ..only_old };
    assert!(refusal(quorum).to_string().contains("synchronous_standby_names"));
    // With both at hand the promoted one is taken, by one that knows nothing too.
    let tail = blocking::tail(&*log).unwrap().get();
    let anew = PostgresLog::open(PostgresOptions { memo: None, ..wanted }).unwrap();
    assert_eq!(anew.lineage().timeline, after.timeline);
    assert_eq!(blocking::tail(&anew).unwrap().get(), tail);
    fill(&anew, tail, tail);
    assert_eq!(append(&*log, tail).unwrap(), Append::Taken(entry(tail)));
}

#[test]
fn what_hangs_on_a_primary_that_was_cut_off_goes_on_with_the_promoted_one() {
    let Some(binaries) = installed() else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::create(&binaries, dir.path(), 2).unwrap();
    let wanted =
        PostgresOptions { durability: Durability::QuorumFsync, ..options(cluster.connection()) };
    let log = Arc::new(PostgresLog::open(wanted).unwrap());
    fill(&*log, 1, 5);
    assert_eq!(held(&*log, 1).len(), 5, "the connection that reads is there");
    // As a network does that parts them: the primary lives, and hears of no standby any more.
    cluster.primary().pause().unwrap();
    let (told, telling) = mpsc::channel();
    log.read(at(1), usize::MAX, Box::new(move |read| told.send(read).unwrap()));
    let answer = crate::rig::begin(&log, 6);
    cluster.promote_the_one_with_the_most().unwrap();
    let answered = answer.wait().unwrap();
    assert!([Append::Ok, Append::Taken(entry(6))].contains(&answered), "{answered:?}");
    let read = telling.recv_timeout(Duration::from_secs(60)).expect("it does not hang");
    assert!(read.unwrap().len() >= 6, "five entries, and what follows them");
    assert_eq!(held(&*log, 1).len(), 6);
    cluster.server(0).kill().unwrap();
}

/// Appends to position after position, a bounded number at a time.
struct Load {
    log: Arc<PostgresLog>,
    answers: mpsc::Sender<(u64, Result<Append, LogError>)>,
    answered: mpsc::Receiver<(u64, Result<Append, LogError>)>,
    next: u64,
    acknowledged: BTreeSet<u64>,
}

impl Load {
    fn begin(log: &Arc<PostgresLog>) -> Self {
        let (answers, answered) = mpsc::channel();
        let log = Arc::clone(log);
        let mut load = Self { log, answers, answered, next: 1, acknowledged: BTreeSet::new() };
        for _ in 0..IN_FLIGHT {
            load.send();
        }
        load
    }

    fn send(&mut self) {
        let (position, answers) = (self.next, self.answers.clone());
        self.next += 1;
        let done = move |result| drop(answers.send((position, result)));
        self.log.append(at(position), entry(position), Box::new(done));
    }

    /// Goes on until so many are acknowledged; as many as before are then under way.
    fn until(&mut self, acknowledged: usize) {
        while self.acknowledged.len() < acknowledged {
            self.take_one();
            self.send();
        }
    }

    fn take_one(&mut self) {
        let (position, result) = self.answered.recv_timeout(Duration::from_secs(90)).unwrap();
        match result.unwrap() {
            Append::Ok => {}
            Append::Taken(bytes) => assert_eq!(bytes, entry(position), "our own, sent before"),
            Append::Trimmed => panic!("nothing was trimmed"),
        }
        assert!(self.acknowledged.insert(position), "{position} is answered once");
    }

    /// Waits for those under way; what was acknowledged in all.
    fn end(mut self) -> BTreeSet<u64> {
        while self.acknowledged.len() as u64 + 1 < self.next {
            self.take_one();
        }
        self.acknowledged
    }
}
