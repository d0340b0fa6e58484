//! A way between a node and a server that can be cut, in one direction or both, or be slow.
//!
//! A network that parts two machines does not tell them: what was sent is on its way, and
//! arrives when the way is open again, or never. So a cut that is [`Way::Held`] keeps every
//! connection and passes nothing on, while [`Weather::broken`] is what a machine that goes
//! away or a firewall that refuses looks like: connections end at once, new ones too.
//!
//! Everything that was done to anybody is counted: a fault that met no byte is none.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// How much is passed on at once.
const PIECE_BYTES: usize = 64 << 10;

/// What becomes of what goes one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is passed on.
    Open,
    /// It stays where it is until the way is open again.
    Held,
    /// Each piece waits for so long.
    Late(Duration),
}

/// How things are on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// From whoever connects to the server.
    pub there: Way,
    /// From the server.
    pub back: Way,
    /// Connections are ended, and new ones as soon as they are made.
    pub breaks: bool,
}

impl Weather {
    /// Everything is passed on.
    #[must_use]
    pub const fn clear() -> Self {
        Self { there: Way::Open, back: Way::Open, breaks: false }
    }

    /// Nobody is connected.
    #[must_use]
    pub const fn broken() -> Self {
        Self { breaks: true, ..Self::clear() }
    }
}

/// What was done to those who use a way.
#[derive(Debug, Default)]
struct Done {
    broken: AtomicU64,
    held: AtomicU64,
    late: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    weather: watch::Sender<Weather>,
    done: Done,
}

/// A way to one server. Dropped, it is gone, with all its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A way to the server at this address, which need not be there. Belongs to the runtime that
    /// calls.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn to(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (weather, done) = (watch::Sender::new(Weather::clear()), Done::default());
        let shared = Arc::new(Shared { upstream, weather, done });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Where to connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it is like this, for connections that are there as well.
    pub fn set(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }

    /// How many connections were broken, and pieces held or delayed, so far.
    #[must_use]
    pub fn done_to(&self) -> u64 {
        let Done { broken, held, late } = &self.shared.done;
        [broken, held, late].iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Ends with this task, and so with the proxy.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(serve(client, Arc::clone(&shared)));
                }
                // No descriptor is left, most likely; others end.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// One connection, to its end.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut weather = shared.weather.subscribe();
    let passing = async {
        // A connection is made by what goes there; a cut holds that up too.
        passage(&mut shared.weather.subscribe(), &shared.done, |now| now.there).await;
        let Ok(server) = TcpStream::connect(shared.upstream).await else { return };
        // Pieces go as they come.
        let quick = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
        if quick.is_err() {
            return;
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = pass(from_client, to_server, &shared, |now| now.there) => {}
            () = pass(from_server, to_client, &shared, |now| now.back) => {}
        }
    };
    tokio::select! {
        () = passing => {}
        broken = weather.wait_for(|now| now.breaks) => {
            if broken.is_ok() {
                shared.done.broken.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Passes on what comes until one side ends.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    way: impl Fn(&Weather) -> Way,
) {
    let mut weather = shared.weather.subscribe();
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        passage(&mut weather, &shared.done, &way).await;
        if to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}

/// Returns when a piece may go on.
async fn passage(
    weather: &mut watch::Receiver<Weather>,
    done: &Done,
    way: impl Fn(&Weather) -> Way,
) {
    let now = way(&weather.borrow_and_update());
    match now {
        Way::Open => {}
        Way::Late(by) => {
            done.late.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(by).await;
        }
        Way::Held => {
            done.held.fetch_add(1, Ordering::Relaxed);
            // The sender lives as long as whoever waits here.
            drop(weather.wait_for(|now| way(now) != Way::Held).await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        address
    }

    async fn ask(stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(text).await?;
        let mut answer = vec![0; text.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    /// Nothing comes before the weather changes: looked at by what was counted, not by time.
    async fn wait_until(condition: impl Fn() -> bool) {
        while !condition() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_held_arrives_when_the_way_is_open_again() {
        for held in [
            Weather { there: Way::Held, ..Weather::clear() },
            Weather { back: Way::Held, ..Weather::clear() },
        ] {
            let proxy = Proxy::to(echo().await).await.unwrap();
            let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
            assert_eq!(ask(&mut stream, b"before").await.unwrap(), b"before");
            assert_eq!(proxy.done_to(), 0);
            proxy.set(held);
            let asking = tokio::spawn(async move { ask(&mut stream, b"during").await });
            wait_until(|| proxy.done_to() == 1).await;
            assert!(!asking.is_finished());
            proxy.set(Weather::clear());
            assert_eq!(asking.await.unwrap().unwrap(), b"during");
        }
    }

    #[tokio::test]
    async fn a_way_that_breaks_ends_connections_and_every_new_one() {
        let proxy = Proxy::to(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"before").await.unwrap(), b"before");
        proxy.set(Weather::broken());
        assert!(ask(&mut stream, b"during").await.is_err());
        let mut another = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut another, b"during").await.is_err());
        wait_until(|| proxy.done_to() == 2).await;
        proxy.set(Weather::clear());
        let mut after = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut after, b"after").await.unwrap(), b"after");
    }

    #[tokio::test]
    async fn what_is_late_arrives_all_the_same() {
        let proxy = Proxy::to(echo().await).await.unwrap();
        let by = Duration::from_millis(1);
        proxy.set(Weather { there: Way::Late(by), back: Way::Late(by), breaks: false });
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut stream, b"slow").await.unwrap(), b"slow");
        assert_eq!(proxy.done_to(), 3, "the connection, there, and back");
    }
}
