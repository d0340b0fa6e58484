//! P6: appends whose answer was lost, and commits that did not wait for their standbys.

use std::sync::Arc;

use holdfast_log::{Append, Log, blocking};
use holdfast_log_postgres::{PostgresLog, PostgresOptions};

use crate::proxy::Proxy;
use crate::rig::{Rig, append, at, begin, entry, fill, held, wait_for};

#[test]
fn p6_an_append_that_was_done_and_not_answered_finds_its_own_bytes() {
    let Some(rig) = Rig::new(&[]) else { return };
    let proxy = Proxy::to(rig.server.port());
    let port = rig.server.port().to_string();
    let servers = rig.server.connection().replace(&port, &proxy.port().to_string());
    // One connection, so that the next answer on any is the append's.
    let options = PostgresOptions { servers, connections: 1, ..rig.options() };
    let log = PostgresLog::open(options).unwrap();
    fill(&log, 1, 5);
    let mut found_own = 0;
    for position in 6..40 {
        proxy.lose(1);
        let answer = append(&log, position).unwrap();
        // The steward's connection may have been the one that was cut.
        if answer == Append::Taken(entry(position)) {
            found_own += 1;
        } else {
            assert_eq!(answer, Append::Ok);
        }
    }
    assert!(found_own > 5, "{found_own} appends lost their answers");
    assert_eq!(proxy.left_to_lose(), 0);
    assert_eq!(held(&log, 1), (1..40).map(entry).collect::<Vec<_>>());
}

/// How many wait for a standby.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

#[test]
fn a_commit_whose_wait_was_given_up_is_not_acknowledged_before_it_is_confirmed() {
    let Some(mut rig) = Rig::new(&[]) else { return };
    let log = Arc::new(rig.open());
    fill(&*log, 1, 3);
    rig.server.set("synchronous_standby_names", "ANY 1 (absent)").unwrap();
    wait_for(&rig.server, "SHOW synchronous_standby_names", "ANY 1 (absent)");
    let answer = begin(&log, 4);
    wait_for(&rig.server, WAITING, "1");
    // The server now reports the append as done, with a warning; a barrier waits in its stead.
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
                  WHERE wait_event = 'SyncRep' AND query LIKE 'INSERT%'";
    assert_eq!(rig.server.sql(cancel).unwrap(), "1");
    // Of two sessions that drew the same row one waits for the other.
    let barrier = "SELECT count(*) FROM pg_stat_activity
                   WHERE (wait_event = 'SyncRep' OR wait_event_type = 'Lock')
                     AND query LIKE 'UPDATE holdfast_barriers%'";
    wait_for(&rig.server, barrier, "1");
    assert!(!answer.is_there(), "it is committed, visible, and on one machine");
    assert_eq!(rig.server.sql("SELECT max(position) FROM holdfast_entries").unwrap(), "4");
    // Others see the row, and may not tell of it either.
    let other = Arc::new(rig.open());
    let (told, telling) = std::sync::mpsc::channel();
    other.read(at(1), usize::MAX, Box::new(move |read| told.send(read).unwrap()));
    wait_for(&rig.server, barrier, "2");
    assert!(telling.try_recv().is_err());
    rig.server.set("synchronous_standby_names", "").unwrap();
    assert_eq!(answer.wait().unwrap(), Append::Ok);
    assert_eq!(telling.recv().unwrap().unwrap().len(), 5);
    assert_eq!(blocking::tail(&*other).unwrap(), at(5));
}

#[test]
fn an_append_that_is_cancelled_on_the_server_is_sent_again() {
    let Some(rig) = Rig::new(&[]) else { return };
    let log = Arc::new(rig.open());
    fill(&*log, 1, 1);
    // Somebody holds the mark until he is ended, so that the append waits where it can be cancelled.
    let hold = "BEGIN; SELECT 1 FROM holdfast_marks FOR UPDATE; SELECT pg_sleep(3600)";
    let holds = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT%'";
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| rig.server.sql(hold));
        wait_for(&rig.server, holds, "1");
        let answer = begin(&log, 2);
        wait_for(&rig.server, waits, "1");
        let since = rig.server.sql(&waits.replace("count(*)", "max(query_start)")).unwrap();
        rig.server.sql(&waits.replace("count(*)", "pg_cancel_backend(pid)")).unwrap();
        wait_for(&rig.server, &format!("{waits} AND query_start > '{since}'"), "1");
        assert!(!answer.is_there());
        rig.server.sql(&holds.replace("count(*)", "pg_terminate_backend(pid)")).unwrap();
        assert!(holder.join().unwrap().is_err(), "it was ended");
        assert_eq!(answer.wait().unwrap(), Append::Ok);
    });
}
