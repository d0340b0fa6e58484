//! What a server must be set to before anything is written to it: looked at on every connection,
//! and again every few seconds, since settings change while connections live.
//!
//! What is ours to choose for a session (no timeouts on the server, the isolation level, warnings
//! shown) is set; what decides durability is the administrator's and only looked at, so that a
//! server that cannot keep what it acknowledges is refused instead of patched over.

use holdfast_log::Durability;
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow};

use crate::lineage::Lineage;

/// The oldest server that has what is asked of it (`client_connection_check_interval`).
const VERSION_MIN: u32 = 14_00_00;

/// Sets what is ours; names that a server does not have are passed over.
///
/// A statement that the server gives up while it waits for standbys is committed and reported as
/// done, with a warning: so there are no timeouts, and warnings must come through.
const SET_OURS: &str = "\
SELECT set_config(known.name, ours.value, false)
FROM (VALUES ('statement_timeout', '0'), ('lock_timeout', '0'), ('transaction_timeout', '0'),
             ('idle_in_transaction_session_timeout', '0'), ('idle_session_timeout', '0'),
             ('default_transaction_isolation', 'read committed'),
             ('client_connection_check_interval', '10s'),
             ('client_min_messages', 'warning')) AS ours (name, value)
JOIN pg_settings AS known ON known.name = ours.name";

/// One row, text in every column, in the order of [`Found::read`].
const LOOK: &str = "\
SELECT current_setting('server_version_num'), pg_is_in_recovery()::text,
       current_setting('transaction_read_only'), current_setting('fsync'),
       current_setting('full_page_writes'), current_setting('synchronous_commit'),
       current_setting('synchronous_standby_names'), current_setting('transaction_isolation'),
       (SELECT coalesce(string_agg(name, ', '), '') FROM pg_settings
        WHERE name IN ('statement_timeout', 'lock_timeout', 'transaction_timeout')
          AND setting <> '0'),
       (SELECT system_identifier::text FROM pg_control_system()),
       CASE WHEN pg_is_in_recovery() THEN '0'
            ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,
       CASE WHEN pg_is_in_recovery() THEN '0'
            ELSE pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::text END";

/// Why a server is not used. `Later`: it, or another, may do; `Never`: a person has to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Later(String),
    Never(String),
}

/// What a server says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    version: u32,
    in_recovery: bool,
    read_only: bool,
    fsync: bool,
    full_page_writes: bool,
    synchronous_commit: String,
    synchronous_standby_names: String,
    isolation: String,
    timeouts: String,
    pub(crate) lineage: Lineage,
}

/// Sets what is ours in this session.
pub(crate) async fn set(client: &Client) -> Result<(), Error> {
    client.simple_query(SET_OURS).await.map(drop)
}

/// Asks the server what it is.
pub(crate) async fn look(client: &Client) -> Result<Found, Error> {
    let messages = client.simple_query(LOOK).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(Found::read(row.expect("a SELECT of values answers one row")))
}

impl Found {
    fn read(row: &SimpleQueryRow) -> Self {
        let text = |column| row.get(column).unwrap_or_default();
        let is = |column, value| text(column) == value;
        Self {
            version: text(0).parse().unwrap_or(0),
            in_recovery: !is(1, "false"),
            read_only: !is(2, "off"),
            fsync: is(3, "on"),
            full_page_writes: is(4, "on"),
            synchronous_commit: text(5).to_owned(),
            synchronous_standby_names: text(6).to_owned(),
            isolation: text(7).to_owned(),
            timeouts: text(8).to_owned(),
            lineage: Lineage {
                system: text(9).parse().unwrap_or(0),
                timeline: u32::from_str_radix(text(10), 16).unwrap_or(0),
                wal: text(11).parse().unwrap_or(0),
            },
        }
    }

    /// How durable a commit on this server is, if that is at least what is wanted.
    pub(crate) fn durability(&self, least: Durability) -> Result<Durability, Trouble> {
        self.serves()?;
        let never = |what: String| Err(Trouble::Never(what));
        for (name, on) in [("fsync", self.fsync), ("full_page_writes", self.full_page_writes)] {
            if !on {
                return never(format!(
                    "{name} is off, so a crash loses what it acknowledged; set \
                     {name} = on"
                ));
            }
        }
        if self.synchronous_commit == "off" {
            return never(
                "synchronous_commit is off, so it acknowledges what is not on disk; set \
                 synchronous_commit = on (for the role: ALTER ROLE … SET synchronous_commit = on)"
                    .to_owned(),
            );
        }
        let waits = ["on", "remote_apply"].contains(&self.synchronous_commit.as_str());
        if waits && self.names_standbys() {
            return Ok(Durability::QuorumFsync);
        }
        if least == Durability::Fsync {
            return Ok(Durability::Fsync);
        }
        never(format!(
            "{least} is asked for, and it acknowledges without its standbys (synchronous_commit = \
             {}, synchronous_standby_names = '{}'); set synchronous_commit = on and name them, as \
             in synchronous_standby_names = 'ANY 1 (a, b)'",
            self.synchronous_commit, self.synchronous_standby_names
        ))
    }

    /// `*` names nobody: whoever connects, a backup too, would count as a copy.
    fn names_standbys(&self) -> bool {
        let names = self.synchronous_standby_names.trim();
        !names.is_empty() && !names.contains('*')
    }

    fn serves(&self) -> Result<(), Trouble> {
        if self.version < VERSION_MIN {
            let (found, least) = (self.version / 10_000, VERSION_MIN / 10_000);
            return Err(Trouble::Never(format!("PostgreSQL {found}; {least} or newer is needed")));
        }
        if self.in_recovery {
            let what = "it is a standby; name the server that takes writes as well";
            return Err(Trouble::Later(what.to_owned()));
        }
        if self.read_only {
            return Err(Trouble::Later("it takes no writes (transaction_read_only)".to_owned()));
        }
        if self.isolation != "read committed" || !self.timeouts.is_empty() {
            return Err(Trouble::Never(format!(
                "a session's settings do not stay as they are set (isolation {}, timeouts on: \
                 {}); connect to the server itself and not to a pooler",
                self.isolation, self.timeouts
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone() -> Found {
        Found {
            version: 15_00_04,
            in_recovery: false,
            read_only: false,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".to_owned(),
            synchronous_standby_names: String::new(),
            isolation: "read committed".to_owned(),
            timeouts: String::new(),
            lineage: Lineage { system: 1, timeline: 1, wal: 1 },
        }
    }

    fn with_standbys(names: &str, commit: &str) -> Found {
        let [synchronous_standby_names, synchronous_commit] = [names, commit].map(str::to_owned);
        Found { synchronous_standby_names, synchronous_commit, ..alone() }
    }

    #[test]
    fn durability_is_what_the_settings_give() {
        let any = |found: &Found| found.durability(Durability::Fsync);
        assert_eq!(any(&alone()), Ok(Durability::Fsync));
        let names = "ANY 1 (a, b)";
        for (commit, durability) in [
            ("on", Durability::QuorumFsync),
            ("remote_apply", Durability::QuorumFsync),
            ("remote_write", Durability::Fsync),
            ("local", Durability::Fsync),
        ] {
            assert_eq!(any(&with_standbys(names, commit)), Ok(durability), "{commit}");
        }
        assert_eq!(any(&with_standbys("*", "on")), Ok(Durability::Fsync), "nobody is named");
        assert_eq!(any(&with_standbys("ANY 1 (*)", "on")), Ok(Durability::Fsync));
    }

    #[test]
    fn what_cannot_keep_its_word_is_refused_and_told_what_to_set() {
        let refused = |found: &Found, least| match found.durability(least) {
            Err(Trouble::Never(what)) => what,
            other => panic!("{other:?}"),
        };
        let what = refused(&with_standbys("ANY 1 (a, b)", "off"), Durability::Fsync);
        assert!(what.contains("set synchronous_commit = on"), "{what}");
        let what = refused(&Found { fsync: false, ..alone() }, Durability::Fsync);
        assert!(what.contains("set fsync = on"), "{what}");
        let what = refused(&Found { full_page_writes: false, ..alone() }, Durability::Fsync);
        assert!(what.contains("set full_page_writes = on"), "{what}");
        for found in [alone(), with_standbys("ANY 1 (a)", "local"), with_standbys("*", "on")] {
            let what = refused(&found, Durability::QuorumFsync);
            assert!(what.contains("synchronous_standby_names = 'ANY 1 (a, b)'"), "{what}");
        }
        let what = refused(&Found { version: 13_00_20, ..alone() }, Durability::Fsync);
        assert_eq!(what, "PostgreSQL 13; 14 or newer is needed");
        let pooled = Found { timeouts: "statement_timeout".to_owned(), ..alone() };
        assert!(refused(&pooled, Durability::Fsync).contains("pooler"));
    }

    #[test]
    fn a_standby_may_become_a_primary() {
        for found in [Found { in_recovery: true, ..alone() }, Found { read_only: true, ..alone() }]
        {
            let found = found.durability(Durability::Fsync);
            assert!(matches!(found, Err(Trouble::Later(_))), "{found:?}");
        }
    }
}
