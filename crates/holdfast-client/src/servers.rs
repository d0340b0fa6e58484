//! The servers that may be asked, and which of them is asked next.
//!
//! All are nodes of one Holdfast: any of them takes any request. The one that answered last is asked
//! again, so that connections are few; one that could not be reached, or said that it cannot now,
//! is passed over while there is another. The lock is held for moments.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::http::uri::{Authority, Scheme, Uri};

/// A server's place: `http://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(Authority);

/// A text names no server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServer {
    /// It is no such URL.
    #[error("{0:?} is not a server's URL such as http://127.0.0.1:7411")]
    NotAUrl(String),
    /// TLS is left to a proxy beside the client for now.
    #[error("{0:?}: only http:// URLs can be called; TLS is left to a proxy")]
    NotHttp(String),
    /// There is none.
    #[error("no server is named")]
    None,
}

impl FromStr for Server {
    type Err = BadServer;

    fn from_str(text: &str) -> Result<Self, BadServer> {
        let not_a_url = || BadServer::NotAUrl(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_| not_a_url())?;
        let parts = uri.into_parts();
        if parts.scheme.as_ref().is_some_and(|scheme| *scheme != Scheme::HTTP) {
            return Err(BadServer::NotHttp(text.to_owned()));
        }
        let bare = parts.path_and_query.is_none_or(|rest| rest == "/");
        let authority = parts.authority.filter(|_| parts.scheme.is_some() && bare);
        authority.filter(|authority| !authority.host().is_empty()).map(Self).ok_or_else(not_a_url)
    }
}

impl Server {
    /// Servers from a list with commas between them.
    ///
    /// # Errors
    /// [`BadServer`]
    pub fn list(text: &str) -> Result<Vec<Self>, BadServer> {
        let servers = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let servers: Vec<_> = servers.map(str::parse).collect::<Result<_, _>>()?;
        if servers.is_empty() { Err(BadServer::None) } else { Ok(servers) }
    }

    /// `HOST:PORT`
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.as_str()
    }

    /// Where something of this path and query is.
    pub(crate) fn uri(&self, target: &str) -> Result<Uri, hyper::http::Error> {
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(self.0.clone());
        uri.path_and_query(target).build()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

/// A server to be asked, and how long to rest before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) index: usize,
    pub(crate) rest: Duration,
}

#[derive(Debug)]
struct State {
    /// Asked first.
    preferred: usize,
    /// Until when each is passed over.
    resting: Vec<Option<Instant>>,
}

/// All servers of a client. There is at least one.
#[derive(Debug)]
pub(crate) struct Servers {
    all: Vec<Server>,
    state: Mutex<State>,
}

impl Servers {
    pub(crate) fn new(all: Vec<Server>) -> Self {
        assert!(!all.is_empty(), "a client has a server");
        let resting = vec![None; all.len()];
        Self { all, state: Mutex::new(State { preferred: 0, resting }) }
    }

    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, index: usize) -> &Server {
        &self.all[index]
    }

    /// The first that need not rest, from the preferred one on; else the one that rests shortest.
    pub(crate) fn choose(&self, now: Instant) -> Choice {
        let state = self.state();
        let count = self.all.len();
        let order = (0..count).map(|step| (state.preferred + step) % count);
        let rest = |index: usize| {
            state.resting[index]
                .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
        };
        let choices = order.map(|index| Choice { index, rest: rest(index) });
        choices.min_by_key(|choice| choice.rest).expect("there is a server")
    }

    /// It answered.
    pub(crate) fn answered(&self, index: usize) {
        let mut state = self.state();
        state.preferred = index;
        state.resting[index] = None;
    }

    /// It did not, and is to be left alone for this long.
    pub(crate) fn failed(&self, index: usize, now: Instant, rest: Option<Duration>) {
        let mut state = self.state();
        if state.preferred == index {
            state.preferred = (index + 1) % self.all.len();
        }
        state.resting[index] = rest.map(|rest| now + rest);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_a_url() {
        let listed = Server::list("http://a:1, http://[::1]:7411/,").unwrap();
        assert_eq!(listed.iter().map(Server::authority).collect::<Vec<_>>(), ["a:1", "[::1]:7411"]);
        assert_eq!(listed[0].uri("/v1/x?y=1").unwrap().to_string(), "http://a:1/v1/x?y=1");
        for bad in ["a:1", "http://", "http://a/b", "http://a b", "/x"] {
            assert_eq!(bad.parse::<Server>(), Err(BadServer::NotAUrl(bad.to_owned())), "{bad}");
        }
        assert!(matches!("https://a".parse::<Server>(), Err(BadServer::NotHttp(_))));
        assert_eq!(Server::list(" , "), Err(BadServer::None));
    }

    #[test]
    fn who_answered_is_asked_again_and_who_rests_is_passed_over() {
        let servers = Servers::new(Server::list("http://a,http://b,http://c").unwrap());
        let now = Instant::now();
        let choice = |now| {
            let Choice { index, rest } = servers.choose(now);
            (index, rest.as_millis())
        };
        assert_eq!(choice(now), (0, 0));
        servers.failed(0, now, None);
        assert_eq!(choice(now), (1, 0));
        servers.failed(1, now, Some(Duration::from_secs(1)));
        assert_eq!(choice(now), (2, 0));
        servers.answered(1);
        assert_eq!(choice(now), (1, 0));
        for (index, seconds) in [(1, 3), (2, 2), (0, 4)] {
            servers.failed(index, now, Some(Duration::from_secs(seconds)));
        }
        assert_eq!(choice(now), (2, 2_000));
        assert_eq!(choice(now + Duration::from_secs(4)).1, 0);
    }
}
