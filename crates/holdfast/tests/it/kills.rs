//! A server killed under load, again and again: nothing acknowledged is lost and
//! nothing is done twice, for clients that repeat requests under their keys.
//!
//! A handful of kills, so that it runs every time; `HOLDFAST_TEST_KILLS=200` sets
//! another number.

use std::{
    net::SocketAddr,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    client::{Client, Response},
    process::{Data, Server, run},
};

const KILLS: usize = 6;
const CLIENTS: usize = 8;
/// Answers between two kills.
const ANSWERS: usize = 150;

/// What clients and the one who kills have in common.
struct Load {
    /// Where the server is now, and which life of it.
    address: Mutex<SocketAddr>,
    answered: Mutex<usize>,
    more: Condvar,
    over: AtomicBool,
}

/// A wait this long means that the test hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that was answered.
struct Answered {
    key: String,
    body: String,
    response: Response,
}

fn transfer(key: &str, client: usize) -> String {
    format!(
        "{{\"id\":\"{key}\",\"debit_account\":\"world\",\"credit_account\":\"client-{client}\",\
         \"amount\":1}}"
    )
}

/// Sends; an error says that whether it happened is not known.
fn send(client: &mut Client, key: &str, body: &str) -> std::io::Result<Response> {
    let head = format!(
        "POST /v1/ledger/transfers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.send([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
    client.response(false)
}

impl Load {
    /// One request until it is answered, whatever happens to the server meanwhile.
    fn insist(&self, connection: &mut Option<Client>, key: &str, body: &str) -> Response {
        loop {
            let client = match connection {
                Some(client) => client,
                None => match Client::try_connect(*self.address.lock().unwrap()) {
                    Ok(client) => connection.insert(client),
                    Err(_) => {
                        thread::yield_now();
                        continue;
                    }
                },
            };
            match send(client, key, body) {
                Ok(response) if response.status != 503 => return response,
                Ok(_) | Err(_) => *connection = None,
            }
        }
    }

    fn client(&self, number: usize) -> Vec<Answered> {
        let mut connection = None;
        let mut answers = Vec::new();
        while !self.over.load(Ordering::Relaxed) {
            let key = format!("c{number}-{}", answers.len());
            let body = transfer(&key, number);
            let response = self.insist(&mut connection, &key, &body);
            assert_eq!(response.status, 200, "{response:?}");
            answers.push(Answered { key, body, response });
            *self.answered.lock().unwrap() += 1;
            self.more.notify_one();
        }
        answers
    }

    fn wait_for_answers(&self, count: usize) {
        let answered = self.answered.lock().unwrap();
        let waited = self.more.wait_timeout_while(answered, PATIENCE, |known| *known < count);
        assert!(!waited.unwrap().1.timed_out(), "the clients have stopped");
    }
}

fn open_accounts(server: &Server) {
    let mut client = server.client();
    let names = (0..CLIENTS).map(|number| format!("client-{number}"));
    for name in names.chain(["world".to_owned()]) {
        let body = format!("{{\"id\":\"{name}\",\"asset\":\"EUR\"}}");
        assert_eq!(client.post("/v1/ledger/accounts", &body).status, 200);
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let kills = std::env::var("HOLDFAST_TEST_KILLS");
    let kills = kills.map_or(KILLS, |text| text.parse().expect("a number"));
    let data = Data::new();
    let mut server = Server::start(&data.path());
    open_accounts(&server);
    let load = Load {
        address: Mutex::new(server.address),
        answered: Mutex::new(0),
        more: Condvar::new(),
        over: AtomicBool::new(false),
    };
    let answers: Vec<Vec<Answered>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn({
                    let load = &load;
                    move || load.client(number)
                })
            })
            .collect();
        for kill in 1..=kills {
            load.wait_for_answers(kill * ANSWERS);
            server.kill();
            server = Server::start(&data.path());
            *load.address.lock().unwrap() = server.address;
        }
        load.wait_for_answers((kills + 1) * ANSWERS);
        load.over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    check(&server, &answers);
    assert_eq!(server.terminate().0.code(), Some(0));
    let audit = run(&["audit", "--data", &data.text()]);
    assert!(audit.stdout.ends_with("audit: clean\n"), "{audit:?}");
}

fn check(server: &Server, answers: &[Vec<Answered>]) {
    let mut client = server.client();
    let mut versions = Vec::new();
    for (number, answers) in answers.iter().enumerate() {
        for answer in answers {
            let again = send(&mut client, &answer.key, &answer.body).unwrap();
            assert_eq!(again.header("idempotency-replayed"), Some("true"), "{}", answer.key);
            assert_eq!(again.body, answer.response.body);
            let at = again.header("holdfast-at");
            assert_eq!(at, answer.response.header("holdfast-at"));
            versions.push(at.unwrap().to_owned());
        }
        let account = client.get(&format!("/v1/ledger/accounts/client-{number}")).json();
        assert_eq!(account["balance"], answers.len(), "client {number}");
    }
    let count = versions.len();
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), count, "every transfer has a version of its own");
    let world = client.get("/v1/ledger/accounts/world").json();
    assert_eq!(world["debits_posted"], count);
}
