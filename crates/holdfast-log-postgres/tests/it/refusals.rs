//! Servers that are not what they must be: refused by name, with what to set.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use holdfast_log::{Append, Durability, Log, LogError, Provenance, blocking};
use holdfast_log_postgres::{PostgresLog, PostgresOptions, Tls};

use crate::rig::{Rig, append, at, begin, entry, fill, refusal};

/// Asserts that it is refused for good, and that the reason says so.
fn refused_with(options: PostgresOptions, said: &str) {
    let error = refusal(options);
    assert!(error.is_permanent(), "{error}");
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn a_server_that_is_not_durable_is_refused() {
    let Some(mut rig) = Rig::new(&[("synchronous_commit", "off")]) else { return };
    refused_with(rig.options(), "set synchronous_commit = on");
    rig.server.set("synchronous_commit", "on").unwrap();
    let quorum = PostgresOptions { durability: Durability::QuorumFsync, ..rig.options() };
    refused_with(quorum, "set synchronous_commit = on and name them");
    let log = rig.open();
    assert_eq!(log.properties().durability, Durability::Fsync);
    for setting in ["fsync", "full_page_writes"] {
        rig.server.set(setting, "off").unwrap();
        crate::rig::wait_for(&rig.server, &format!("SHOW {setting}"), "off");
        refused_with(rig.options(), &format!("set {setting} = on"));
        rig.server.set(setting, "on").unwrap();
        crate::rig::wait_for(&rig.server, &format!("SHOW {setting}"), "on");
    }
}

#[test]
fn a_server_whose_settings_change_is_noticed_while_it_is_used() {
    let Some(mut rig) = Rig::new(&[]) else { return };
    // One connection, which is there: what is refused is not a new one.
    let log = PostgresLog::open(PostgresOptions { connections: 1, ..rig.options() }).unwrap();
    fill(&log, 1, 2);
    rig.server.set("synchronous_commit", "off").unwrap();
    crate::rig::wait_for(&rig.server, "SHOW synchronous_commit", "off");
    // The connection that listens is lost; what is made in its place is refused.
    let listening = "query LIKE 'LISTEN%' OR query LIKE '%pg_notify%'";
    let ends = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND ({listening})"
    );
    rig.server.sql(&ends).unwrap();
    let (mut position, until) = (3, Instant::now() + Duration::from_secs(60));
    let refused = loop {
        match append(&log, position) {
            Ok(_) => position += 1,
            Err(refused) => break refused,
        }
        assert!(Instant::now() < until, "nobody noticed");
    };
    assert!(refused.is_permanent() && refused.to_string().contains("synchronous_commit"));
    rig.server.set("synchronous_commit", "on").unwrap();
    crate::rig::wait_for(&rig.server, "SHOW synchronous_commit", "on");
    // What was refused may have happened: it is the answer that was not to be trusted.
    let answer = append(&log, position).unwrap();
    assert!([Append::Ok, Append::Taken(entry(position))].contains(&answer), "{answer:?}");
}

#[test]
fn who_may_not_is_told_so_and_who_may_little_can_use_what_others_made() {
    let Some(rig) = Rig::new(&[]) else { return };
    rig.server.sql("CREATE ROLE little LOGIN").unwrap();
    let little = || PostgresOptions {
        servers: rig.server.connection().replace("user=holdfast", "user=little"),
        ..rig.options()
    };
    refused_with(little(), "GRANT CREATE ON SCHEMA public");
    drop(rig.open());
    refused_with(little(), "permission denied");
    let tables = "holdfast_entries, holdfast_marks, holdfast_barriers, holdfast_format";
    rig.server.sql(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO little")).unwrap();
    let log = PostgresLog::open(little()).unwrap();
    fill(&log, 1, 3);
    blocking::trim(&log, at(2)).unwrap();
    rig.server.sql("REVOKE INSERT ON holdfast_entries FROM little").unwrap();
    let refused = append(&log, 4).unwrap_err();
    assert!(refused.is_permanent(), "a leader steps down: {refused}");
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    for (servers, said) in [
        (rig.server.connection().replace("user=holdfast", "user=nobody"), "nobody"),
        (rig.server.connection().replace("dbname=postgres", "dbname=nowhere"), "nowhere"),
    ] {
        refused_with(PostgresOptions { servers, ..rig.options() }, said);
    }
}

#[test]
fn who_does_not_say_who_he_is_is_told_so_at_once() {
    let Some(mut rig) = Rig::new(&[]) else { return };
    rig.server.sql("CREATE ROLE guest LOGIN PASSWORD 'sesame'").unwrap();
    rig.server.sql("GRANT CREATE ON SCHEMA public TO guest").unwrap();
    let rules = "host all holdfast 127.0.0.1/32 trust\nhost all guest 127.0.0.1/32 scram-sha-256\n";
    rig.server.write_file("pg_hba.conf", rules).unwrap();
    // What is set does not matter: the server reads its files again, this one before the rules.
    rig.server.set("log_disconnections", "on").unwrap();
    crate::rig::wait_for(&rig.server, "SHOW log_disconnections", "on");
    let as_guest = |more: &str| {
        let servers = rig.server.connection().replace("user=holdfast", "user=guest");
        PostgresOptions { servers: format!("{servers} {more}"), ..rig.options() }
    };
    refused_with(as_guest(""), "password missing");
    refused_with(as_guest("password=open"), "password authentication failed");
    drop(PostgresLog::open(as_guest("password=sesame")).unwrap());
}

#[test]
fn tables_of_a_newer_format_and_tables_that_are_gone_are_refused() {
    let Some(rig) = Rig::new(&[]) else { return };
    let log = rig.open();
    fill(&log, 1, 1);
    rig.server.sql("UPDATE holdfast_format SET format = 2").unwrap();
    refused_with(rig.options(), "format 2");
    rig.server.sql("DROP TABLE holdfast_entries").unwrap();
    let refused = append(&log, 2).unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let Some(mut rig) = Rig::new(&[]) else { return };
    let log = std::sync::Arc::new(rig.open());
    fill(&*log, 1, 1);
    rig.server.kill().unwrap();
    let waits = begin(&log, 2);
    rig.server.start().unwrap();
    assert_eq!(waits.wait().unwrap(), Append::Ok);
    rig.server.kill().unwrap();
    let unavailable = append(&*log, 3).unwrap_err();
    assert!(matches!(unavailable, LogError::Unavailable { .. }), "{unavailable}");
    let error = refusal(rig.options());
    assert!(matches!(error, LogError::Unavailable { .. }), "{error}");
    rig.server.start().unwrap();
    assert_eq!(append(&*log, 3).unwrap(), Append::Ok);
}

#[test]
fn a_server_that_lost_what_it_had_is_refused_by_this_life_and_the_next() {
    let Some(mut rig) = Rig::new(&[]) else { return };
    let memo = rig.dir.path().join("lineage");
    let options = PostgresOptions { memo: Some(memo.clone()), ..rig.options() };
    let copy = rig.dir.path().join("copy");
    let data = rig.dir.path().join("n0");
    rig.server.kill().unwrap();
    copy_dir(&data, &copy);
    rig.server.start().unwrap();
    let log = PostgresLog::open(options.clone()).unwrap();
    fill(&log, 1, 200);
    blocking::close(&log).unwrap();
    rig.server.kill().unwrap();
    fs::remove_dir_all(&data).unwrap();
    copy_dir(&copy, &data);
    rig.server.start().unwrap();
    let error = refusal(options.clone());
    assert!(error.to_string().contains("restored from a copy"), "{error}");
    fs::remove_file(&memo).unwrap();
    let log = PostgresLog::open(options).unwrap();
    assert_eq!(append(&log, 1).unwrap(), Append::Ok, "without the memo nobody knows");
}

/// Copies a directory, with its owners.
fn copy_dir(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

#[test]
fn another_database_is_refused() {
    let (Some(rig), Some(other)) = (Rig::new(&[]), Rig::new(&[])) else { return };
    let memo = Some(rig.dir.path().join("lineage"));
    drop(PostgresLog::open(PostgresOptions { memo: memo.clone(), ..rig.options() }).unwrap());
    let error = refusal(PostgresOptions { memo, ..other.options() });
    assert!(error.to_string().contains("this is another database"), "{error}");
    // A dump that was restored there says where it comes from, to those too who have no memo.
    let copy = other.open();
    let told = copy.is_where(&rig.open().provenance()).unwrap_err();
    assert!(told.is_permanent() && told.to_string().contains("this is another database"), "{told}");
    let newer = Provenance::new(b"\x02 and more").unwrap();
    assert!(copy.is_where(&newer).unwrap_err().to_string().contains("newer Holdfast"));
    assert!(copy.is_where(&Provenance::NONE).is_ok() && copy.is_where(&copy.provenance()).is_ok());
}

#[test]
fn tls_is_verified() {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls"));
    let dir = tempfile::tempdir().unwrap();
    let Some(mut rig) = Rig::new(&[]) else { return };
    for name in ["server.pem", "server.key"] {
        let text = fs::read_to_string(fixtures.join(name)).unwrap();
        rig.server.write_file(name, &text).unwrap();
    }
    rig.server.set("ssl_cert_file", "server.pem").unwrap();
    rig.server.set("ssl_key_file", "server.key").unwrap();
    rig.server.set("ssl", "on").unwrap();
    crate::rig::wait_for(&rig.server, "SHOW ssl", "on");
    let with = |authorities: &str, host: &str| PostgresOptions {
        tls: Tls::Verified { authorities: fixtures.join(authorities) },
        servers: rig.server.connection().replace("host=127.0.0.1", &format!("host={host}")),
        ..rig.options()
    };
    let log = PostgresLog::open(with("authority.pem", "localhost")).unwrap();
    fill(&log, 1, 2);
    let encrypted = "SELECT count(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl
                     JOIN pg_stat_activity USING (pid) WHERE application_name = 'holdfast'";
    assert_eq!(rig.server.sql(encrypted).unwrap(), "t");
    for (authorities, host) in [("stranger.pem", "localhost"), ("authority.pem", "127.0.0.1")] {
        let error = refusal(with(authorities, host));
        assert!(error.to_string().contains("certificate"), "{authorities} {host}: {error}");
    }
    let empty = dir.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let tls = Tls::Verified { authorities: empty };
    let error = refusal(PostgresOptions { tls, ..rig.options() });
    assert!(matches!(error, LogError::BadOptions { .. }), "{error}");
    assert_eq!(append(&log, 2).unwrap(), Append::Taken(entry(2)));
}
