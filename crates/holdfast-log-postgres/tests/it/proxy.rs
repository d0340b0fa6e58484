//! A way to a server on which answers get lost.
//!
//! What clients send always arrives. When it is told to, the proxy swallows the next thing that
//! the server says on one of its connections, and cuts that connection: the server has done what
//! it was asked and nobody was told.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A proxy, for as long as the process lives.
pub(crate) struct Proxy {
    port: u16,
    to_lose: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let to_lose = Arc::new(AtomicUsize::new(0));
        let shared = Arc::clone(&to_lose);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                join(&client, &server, &shared);
            }
        });
        Self { port, to_lose }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Loses so many answers, from now on.
    pub(crate) fn lose(&self, answers: usize) {
        self.to_lose.store(answers, Ordering::SeqCst);
    }

    /// How many are still to be lost.
    pub(crate) fn left_to_lose(&self) -> usize {
        self.to_lose.load(Ordering::SeqCst)
    }
}

fn join(client: &TcpStream, server: &TcpStream, to_lose: &Arc<AtomicUsize>) {
    let (there, back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || pass(there, back, || false));
    let to_lose = Arc::clone(to_lose);
    let loses = move || {
        let left =
            to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.is_ok()
    };
    thread::spawn(move || pass(from, to, loses));
}

/// Passes bytes on until one side ends, or one piece is to be lost.
fn pass(mut from: TcpStream, mut to: TcpStream, loses: impl Fn() -> bool) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if loses() || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // Either may be gone already.
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
