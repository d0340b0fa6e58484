//! Which of the servers named holds the log now.
//!
//! A primary and its standbys may be named in any order, and after a failover an old primary may
//! answer too, writable. So nothing is concluded from the order: when the server used so far is
//! gone, all are asked, and of those that take writes and lead on from what was seen
//! ([`Lineage::leads_to`]) the one with the highest timeline is taken. What is taken is recorded.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_log::{Durability, LogError, Provenance};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::lineage::{Lineage, Memo};
use crate::options::PostgresOptions;
use crate::session::{Making, Session};
use crate::settings::Trouble;
use crate::tls::Connector;

/// The servers, and what is known of them.
pub(crate) struct Servers {
    hosts: Vec<Named>,
    making: Arc<Making>,
    generation: watch::Sender<u64>,
    chosen: Mutex<Chosen>,
    memo: Option<Memo>,
    /// Held while all are asked, so that one asks for all who want to know.
    electing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Named {
    /// The address, for people.
    name: String,
    config: Config,
}

/// Whether a server that was taken is on another timeline than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug)]
struct Chosen {
    /// Which of the servers is used, if one was found.
    host: Option<usize>,
    /// The furthest lineage seen.
    lineage: Option<Lineage>,
    /// What every connection must give at least.
    least: Durability,
}

impl Servers {
    /// The servers that the options name; nobody is asked yet.
    pub(crate) fn new(
        options: &PostgresOptions,
        make: impl FnOnce(Connector, watch::Receiver<u64>) -> Making,
    ) -> Result<Self, LogError> {
        let connector = Connector::new(&options.tls)?;
        let hosts = parse(&options.servers, &connector)?;
        let memo = options.memo.clone().map(Memo::at);
        let recorded = memo.as_ref().map_or(Ok(None), Memo::read);
        let lineage = recorded.map_err(|source| memo_failed("reading", memo.as_ref(), source))?;
        let (generation, received) = watch::channel(0);
        let making = Arc::new(make(connector, received));
        let chosen = Mutex::new(Chosen { host: None, lineage, least: options.durability });
        Ok(Self {
            hosts,
            making,
            generation,
            chosen,
            memo,
            electing: tokio::sync::Mutex::default(),
        })
    }

    /// The furthest lineage seen.
    pub(crate) fn lineage(&self) -> Option<Lineage> {
        self.chosen().lineage
    }

    /// Where the server is that is used, if one is.
    pub(crate) fn address(&self) -> Option<String> {
        let host = self.chosen().host;
        host.map(|host| self.hosts[host].name.clone())
    }

    /// Whether the server that is used can be where a claim recorded this.
    ///
    /// # Errors
    /// Why it cannot, naming it.
    pub(crate) fn is_where(&self, recorded: &Provenance) -> Result<(), LogError> {
        let Chosen { host, lineage, .. } = *self.chosen();
        let Some(found) = lineage.filter(|_| !recorded.is_none()) else { return Ok(()) };
        let leads = Lineage::recorded(recorded).and_then(|known| known.leads_to(&found));
        leads.map_err(|error| {
            let name = host.map_or("the server", |host| &self.hosts[host].name);
            LogError::Refused { reason: format!("{name}: {error}") }
        })
    }

    /// From now on every connection must give at least this.
    pub(crate) fn hold_to(&self, durability: Durability) {
        self.chosen().least = durability;
    }

    /// A new connection to the server that holds the log.
    pub(crate) async fn connect(&self) -> Result<Session, Trouble> {
        if let Some(session) = self.connect_to_chosen().await {
            return Ok(session);
        }
        let electing = self.electing.lock().await;
        // While this one waited for its turn, another may have found the server.
        if let Some(session) = self.connect_to_chosen().await {
            return Ok(session);
        }
        let (session, moved) = self.elect().await?;
        if moved == Moved::No {
            return Ok(session);
        }
        // Sessions with the former server may hang as it does; this one ends with them.
        self.end_sessions();
        drop(electing);
        let gone = || Trouble::Later("it went away again".to_owned()).at(&session.host);
        self.connect_to_chosen().await.ok_or_else(gone)
    }

    async fn connect_to_chosen(&self) -> Option<Session> {
        let Chosen { host, lineage: seen, least } = *self.chosen();
        let host = host?;
        let Named { name, config } = &self.hosts[host];
        let session = Session::open(name, config, &self.making, least).await.ok();
        let accepted = session.filter(|session| self.accept(host, seen, session).is_ok());
        if accepted.is_none() {
            self.chosen().host = None;
        }
        accepted
    }

    /// Asks all servers and takes the one that leads on furthest.
    async fn elect(&self) -> Result<(Session, Moved), Trouble> {
        let mut troubles = Vec::new();
        let mut best: Option<(usize, Session)> = None;
        let seen = self.lineage();
        for (host, answer) in self.asking().join_all().await {
            let refused = answer.and_then(|session| {
                fits(seen, &session)?;
                let further =
                    |(_, best): &(usize, Session)| session.lineage.timeline > best.lineage.timeline;
                if best.as_ref().is_none_or(further) {
                    best = Some((host, session));
                }
                Ok(())
            });
            troubles.extend(refused.err());
        }
        let Some((host, session)) = best else { return Err(Trouble::all(troubles)) };
        let moved = self.accept(host, seen, &session)?;
        Ok((session, moved))
    }

    /// All servers, being asked at the same time.
    fn asking(&self) -> JoinSet<(usize, Result<Session, Trouble>)> {
        let least = self.chosen().least;
        let mut asking = JoinSet::new();
        for (host, Named { name, config }) in self.hosts.clone().into_iter().enumerate() {
            let making = Arc::clone(&self.making);
            asking
                .spawn(async move { (host, Session::open(&name, &config, &making, least).await) });
        }
        asking
    }

    /// Looks whether another server leads on further than the one that is used; if so, ends all
    /// sessions, so that what hangs on the old one goes on with the new.
    pub(crate) async fn look_for_newer(&self) {
        let _electing = self.electing.lock().await;
        let seen = self.lineage();
        let mut asking = self.asking();
        // The one that hangs may take long to say so; the first that is newer will do.
        while let Some(asked) = asking.join_next().await {
            let Ok((host, Ok(session))) = asked else { continue };
            let newer = self.lineage().is_none_or(|seen| session.lineage.timeline > seen.timeline);
            if newer && self.accept(host, seen, &session).is_ok() {
                return self.end_sessions();
            }
        }
    }

    /// Ends all sessions; whoever needs one connects again, and is looked at again.
    pub(crate) fn end_sessions(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// Takes the server, and records where it stands. `seen` is what was known before it was
    /// asked: another connection may have seen more of it since.
    fn accept(
        &self,
        host: usize,
        seen: Option<Lineage>,
        session: &Session,
    ) -> Result<Moved, Trouble> {
        fits(seen, session)?;
        let (now, before) = {
            let mut chosen = self.chosen();
            let mut now = session.lineage;
            if let Some(seen) = chosen.lineage {
                now.wal =
                    if seen.timeline == now.timeline { now.wal.max(seen.wal) } else { now.wal };
            }
            fits(chosen.lineage.filter(|seen| seen.timeline != now.timeline), session)?;
            (now, chosen.lineage.replace(now))
        };
        let new = before.is_none_or(|before| before.timeline != now.timeline);
        if let Some(memo) = self.memo.as_ref().filter(|_| new) {
            // Without the record the next life of this process might follow an old primary.
            memo.write(&now).map_err(|error| {
                Trouble::Never(memo_failed("writing", self.memo.as_ref(), error).to_string())
            })?;
        }
        self.chosen().host = Some(host);
        Ok(if new && before.is_some() { Moved::Yes } else { Moved::No })
    }

    /// The server that is used was found to be this far.
    pub(crate) fn seen(&self, found: Lineage) {
        let mut chosen = self.chosen();
        let same =
            |seen: &&mut Lineage| (seen.system, seen.timeline) == (found.system, found.timeline);
        if let Some(seen) = chosen.lineage.as_mut().filter(same) {
            seen.wal = seen.wal.max(found.wal);
        }
    }

    /// Records how far the server is known to be, for the next life of this process.
    pub(crate) fn record(&self) -> Result<(), LogError> {
        let (Some(memo), Some(lineage)) = (&self.memo, self.lineage()) else { return Ok(()) };
        memo.write(&lineage).map_err(|error| memo_failed("writing", Some(memo), error))
    }

    fn chosen(&self) -> MutexGuard<'_, Chosen> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.hosts.iter().map(|host| &host.name).collect();
        f.debug_struct("Servers")
            .field("hosts", &names)
            .field("chosen", &*self.chosen())
            .finish_non_exhaustive()
    }
}

impl Trouble {
    /// What several servers' troubles amount to: only if none may do later, none ever will.
    fn all(troubles: Vec<Self>) -> Self {
        let hopeless = troubles.iter().all(|trouble| matches!(trouble, Self::Never(_)));
        let texts = troubles.into_iter().map(|trouble| match trouble {
            Self::Later(what) | Self::Never(what) => what,
        });
        let text = texts.collect::<Vec<_>>().join("; ");
        if hopeless { Self::Never(text) } else { Self::Later(text) }
    }
}

/// Whether the server can hold all that was acknowledged when this much had been seen.
fn fits(seen: Option<Lineage>, session: &Session) -> Result<(), Trouble> {
    let Some(seen) = seen else { return Ok(()) };
    seen.leads_to(&session.lineage)
        .map_err(|error| Trouble::Later(error.to_string()).at(&session.host))
}

fn memo_failed(doing: &str, memo: Option<&Memo>, source: io::Error) -> LogError {
    let path = memo.map_or_else(String::new, |memo| memo.path().display().to_string());
    LogError::Io { what: format!("{doing} {path}"), source: Arc::new(source) }
}

/// One configuration for each server named.
fn parse(servers: &str, connector: &Connector) -> Result<Vec<Named>, LogError> {
    let bad = |what: String| LogError::BadOptions { what: format!("servers: {what}") };
    let all: Config = servers.parse().map_err(|e| bad(crate::sqlstate::said(&e)))?;
    if all.get_hosts().is_empty() {
        return Err(bad("no host is named".to_owned()));
    }
    if all.get_user().is_none() {
        return Err(bad("no user is named".to_owned()));
    }
    let ports = all.get_ports();
    if ports.len() > 1 && ports.len() != all.get_hosts().len() {
        return Err(bad("name one port, or one for each host".to_owned()));
    }
    let host = |(at, host): (usize, &Host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        let address = all.get_hostaddrs().get(at).copied();
        let mut config = alike(&all, connector);
        config.port(port);
        if let Some(address) = address {
            config.hostaddr(address);
        }
        let name = match host {
            Host::Tcp(name) => {
                config.host(name);
                format!("{name}:{port}")
            }
            Host::Unix(path) => {
                config.host_path(path);
                format!("{}:{port}", path.display())
            }
        };
        Named { name, config }
    };
    Ok(all.get_hosts().iter().enumerate().map(host).collect())
}

/// A configuration with everything but the host, and with what finds out soon that a server is
/// gone: an unanswered packet after ten seconds, a silent server after twenty-five.
fn alike(all: &Config, connector: &Connector) -> Config {
    const SECONDS_10: Duration = Duration::from_secs(10);
    let mut config = Config::new();
    config.ssl_mode(connector.mode());
    if let Some(user) = all.get_user() {
        config.user(user);
    }
    if let Some(password) = all.get_password() {
        config.password(password);
    }
    if let Some(name) = all.get_dbname() {
        config.dbname(name);
    }
    if let Some(options) = all.get_options() {
        config.options(options);
    }
    config.application_name(all.get_application_name().unwrap_or("holdfast"));
    config.connect_timeout(all.get_connect_timeout().copied().unwrap_or(Duration::from_secs(5)));
    config.tcp_user_timeout(all.get_tcp_user_timeout().copied().unwrap_or(SECONDS_10));
    config.keepalives(true);
    config.keepalives_idle(all.get_keepalives_idle().min(SECONDS_10));
    config.keepalives_interval(all.get_keepalives_interval().unwrap_or(Duration::from_secs(5)));
    config.keepalives_retries(all.get_keepalives_retries().unwrap_or(3));
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Tls;

    fn names(servers: &str) -> Result<Vec<String>, LogError> {
        let connector = Connector::new(&Tls::Off).unwrap();
        parse(servers, &connector).map(|hosts| hosts.into_iter().map(|host| host.name).collect())
    }

    #[test]
    fn each_server_named_is_reached_by_itself() {
        let named = names("postgresql://me:secret@a:1,b:2/db").unwrap();
        assert_eq!(named, ["a:1", "b:2"]);
        assert_eq!(names("host=a,b port=7 user=me").unwrap(), ["a:7", "b:7"]);
        assert_eq!(names("host=/run/pg user=me").unwrap(), ["/run/pg:5432"]);
        for bad in ["host=a", "user=me", "host=a user=me sslroot=1", "host=a,b,c port=1,2 user=me"]
        {
            let refused = names(bad);
            assert!(matches!(refused, Err(LogError::BadOptions { .. })), "{bad}: {refused:?}");
        }
    }

    #[test]
    fn one_server_that_may_do_later_is_hope() {
        let (later, never) = (Trouble::Later("a".into()), Trouble::Never("b".into()));
        let both = Trouble::all(vec![later, never.clone()]);
        assert_eq!(both, Trouble::Later("a; b".into()));
        assert_eq!(Trouble::all(vec![never.clone(), never]), Trouble::Never("b; b".into()));
    }
}
