//! A peer that speaks just enough HTTP to fail in every way: it answers as it is told, cuts
//! connections before or after, keeps silent, or passes a request on and loses the answer.

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What a peer does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// Status, further header lines, body.
    Answer(u16, &'static str, String),
    /// The request was read, and the connection ends.
    Cut,
    /// The request was read, and nothing follows.
    Silence,
    /// It goes to that server, and its answer comes back.
    Pass(SocketAddr),
    /// It goes to that server, and the answer is lost with the connection.
    Lose(SocketAddr),
    /// It goes to that server, and its answer never comes.
    Swallow(SocketAddr),
    /// It goes to that server, and half of the answer comes back.
    Half(SocketAddr),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Method and target.
    pub(crate) line: String,
    /// Head, in lower case.
    pub(crate) head: String,
    bytes: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(": ").map(str::len);
        let line = self.head.lines().find(|line| value(line).is_some())?;
        Some(&line[name.len() + 2..])
    }
}

type Script = Box<dyn FnMut(&Seen) -> Fate + Send>;

/// A listening peer. It lives as long as the test's process.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    /// One that decides by the request.
    pub(crate) fn deciding(script: impl FnMut(&Seen) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(script)));
        let noted = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&noted));
                thread::spawn(move || serve(stream, &script, &seen));
            }
        });
        Self { address, seen }
    }

    /// One that passes everything on to that server, until it is told to be silent.
    pub(crate) fn before(server: SocketAddr) -> (Self, Arc<AtomicBool>) {
        let silent = Arc::new(AtomicBool::new(false));
        let is_silent = Arc::clone(&silent);
        let peer = Self::deciding(move |_| match is_silent.load(Ordering::SeqCst) {
            true => Fate::Silence,
            false => Fate::Pass(server),
        });
        (peer, silent)
    }

    /// One with a fate for each request; the last is that of all that follow.
    pub(crate) fn with(fates: Vec<Fate>) -> Self {
        let mut next = 0;
        Self::deciding(move |_| {
            next += 1;
            fates[(next - 1).min(fates.len() - 1)].clone()
        })
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// An address that nobody listens on.
pub(crate) fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A problem as servers tell it.
pub(crate) fn problem(status: u16, code: &str, retry: &str) -> Fate {
    with_header(status, code, retry, "")
}

pub(crate) fn with_header(status: u16, code: &str, retry: &str, header: &'static str) -> Fate {
    let body = format!(
        r#"{{"type":"/errors/{code}","title":"No.","status":{status},"code":"{code}","retry":"{retry}"}}"#
    );
    Fate::Answer(status, header, body)
}

fn serve(stream: TcpStream, script: &Mutex<Script>, seen: &Mutex<Vec<Seen>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = message(&mut stream) {
        let fate = (script.lock().unwrap())(&request);
        seen.lock().unwrap().push(request.clone());
        let answer = match fate {
            Fate::Answer(status, header, body) => {
                let length = body.len();
                format!("HTTP/1.1 {status} x\r\n{header}content-length: {length}\r\n\r\n{body}")
                    .into_bytes()
            }
            Fate::Pass(to) => passed(to, &request),
            Fate::Lose(to) => {
                passed(to, &request);
                return;
            }
            Fate::Swallow(to) => {
                passed(to, &request);
                drop(stream.read(&mut [0; 1]));
                return;
            }
            Fate::Half(to) => {
                let mut answer = passed(to, &request);
                answer.truncate(answer.len() / 2);
                drop(stream.get_mut().write_all(&answer));
                return;
            }
            Fate::Cut => return,
            Fate::Silence => {
                // Until the other side has had enough.
                drop(stream.read(&mut [0; 1]));
                return;
            }
        };
        if stream.get_mut().write_all(&answer).is_err() {
            return;
        }
    }
}

/// The whole answer of a real server.
fn passed(to: SocketAddr, request: &Seen) -> Vec<u8> {
    let mut upstream = TcpStream::connect(to).unwrap();
    upstream.write_all(&request.bytes).unwrap();
    message(&mut BufReader::new(upstream)).expect("a real server answers").bytes
}

/// A request or an answer; `None` at the connection's end.
fn message(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        if stream.read_until(b'\n', &mut bytes).unwrap_or(0) == 0 {
            return None;
        }
        if bytes[before..] == *b"\r\n" {
            break;
        }
    }
    let head = String::from_utf8(bytes.clone()).unwrap();
    let line = head.split(" HTTP/1.1\r\n").next().unwrap().to_owned();
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    bytes.extend(body);
    Some(Seen { line, head, bytes })
}
