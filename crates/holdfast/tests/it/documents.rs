//! What the documents show works as they show it: a shell runs their `curl` examples,
//! block after block, against the server that the page speaks of.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Data, Server, holdfast};

/// Where the documents' servers listen.
const ADDRESS: &str = "127.0.0.1:7411";

/// A wait this long means that a test hangs.
const PATIENCE: &str = "max-time = 10\n";

/// Refusals that an example is there to show. Any other is a mistake in the page.
const SHOWN: &[(&str, &[&str])] = &[
    ("documents.md", &["precondition_failed"]),
    ("leases.md", &["lease_stale"]),
    ("limits.md", &["limit_exceeded"]),
    ("queues.md", &["receipt_stale"]),
    ("reservations.md", &["sold_out"]),
    ("schemas.md", &["schema_violated", "schema_incompatible"]),
    ("sessions.md", &["session_not_found"]),
    ("topics.md", &["generation_stale"]),
];

/// Pages that have examples, whatever becomes of them.
const KNOWN: &[&str] = &[
    "cloudevents.md",
    "documents.md",
    "http.md",
    "leases.md",
    "ledger.md",
    "limits.md",
    "queues.md",
    "reservations.md",
    "schemas.md",
    "sessions.md",
    "topics.md",
    "transactions.md",
];

/// A page that has examples with `curl`.
struct Page {
    name: String,
    text: String,
}

/// One example.
struct Block<'p> {
    script: &'p str,
    /// The page up to its end.
    read: &'p str,
}

impl Page {
    fn all() -> Vec<Self> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let mut paths: Vec<_> = fs::read_dir(docs).unwrap().map(|e| e.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"));
        let page = |path: &Path| Self {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            text: fs::read_to_string(path).unwrap(),
        };
        let mut pages: Vec<_> = paths.iter().map(|path| page(path)).collect();
        pages.retain(|page| page.blocks().next().is_some());
        pages.sort_by(|a, b| a.name.cmp(&b.name));
        pages
    }

    fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let begins = self.text.match_indices("```sh\n").map(|(at, fence)| at + fence.len());
        let blocks = begins.map(|begin| {
            let length = self.text[begin..].find("```").expect("a block ends");
            let end = begin + length;
            Block { script: &self.text[begin..end], read: &self.text[..end] }
        });
        blocks.filter(|block| block.script.contains("curl "))
    }

    /// The server that its reader has started by the first example.
    fn server(&self, data: &Data) -> Server {
        let read = self.blocks().next().unwrap().read;
        match (read.rfind("holdfast dev"), read.rfind("holdfast serve")) {
            (None, None) => panic!("{}: does not say which server it needs", self.name),
            (dev, serve) if dev > serve => {
                Server::spawn(&mut holdfast(&["dev", "--listen", "127.0.0.1:0"]))
            }
            _ => Server::start(&data.path()),
        }
    }

    fn shown(&self) -> &'static [&'static str] {
        SHOWN.iter().find(|(name, _)| *name == self.name).map_or(&[], |(_, codes)| codes)
    }
}

impl Block<'_> {
    /// The shell that runs it as it stands, but for the server's address. A line that
    /// starts a server has been followed already.
    fn shell(&self, server: &Server, home: &TempDir) -> Command {
        assert!(self.script.contains(ADDRESS), "asks another server: {}", self.script);
        let lines = self.script.lines().filter(|line| !line.starts_with("holdfast "));
        let script = lines.collect::<Vec<_>>().join("\n");
        let script = script.replace(ADDRESS, &server.address.to_string());
        let mut shell = Command::new("sh");
        // Whoever runs the tests may have a proxy, or settings of curl; these are ours.
        fs::write(home.path().join(".curlrc"), PATIENCE).unwrap();
        shell.args(["-e", "-c", &script]).env("CURL_HOME", home.path()).env("NO_PROXY", "*");
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        shell
    }

    /// How many requests it makes: one for each line that begins one.
    fn requests(&self) -> usize {
        let begins =
            |line: &&str| ["curl ", "post ", "put "].iter().any(|word| line.starts_with(word));
        self.script.lines().filter(begins).count()
    }

    fn follows_a_stream(&self) -> bool {
        self.script.contains("text/event-stream")
    }
}

/// The codes of problems among the answers.
fn problems(answers: &[Value]) -> Vec<&str> {
    let is_one = |answer: &&Value| {
        answer["type"].as_str().is_some_and(|about| about.starts_with("/errors/"))
    };
    answers.iter().filter(is_one).map(|problem| problem["code"].as_str().unwrap()).collect()
}

/// Runs a block to its end; the codes of the problems that it met.
fn run(page: &Page, block: &Block<'_>, server: &Server, home: &TempDir) -> Vec<String> {
    let output = block.shell(server, home).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}: {}\n{}", page.name, output.status, block.script);
    let answers: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_str(&text).into_iter().collect();
    let answers = answers.unwrap_or_else(|error| panic!("{}: {error}: {text}", page.name));
    assert_eq!(answers.len(), block.requests(), "{}: {text}", page.name);
    problems(&answers).into_iter().map(str::to_owned).collect()
}

/// Runs a block that follows a stream: it shows changes, and ends with the server.
fn follow(page: &Page, block: &Block<'_>, server: Server, home: &TempDir) {
    let mut shell = block.shell(&server, home).spawn().unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines().map(Result::unwrap);
    let data = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned));
    let data: Value = serde_json::from_str(&data.expect("the stream has a change")).unwrap();
    assert!(data["changes"].is_array(), "{}: {data}", page.name);
    assert_eq!(server.terminate().0.code(), Some(0));
    assert_eq!(lines.filter(|line| line.contains("/errors/")).count(), 0);
    assert!(shell.wait().unwrap().success(), "{}: {}", page.name, block.script);
}

fn check(page: &Page) {
    let (data, home) = (Data::new(), tempfile::tempdir().unwrap());
    let server = page.server(&data);
    let (streams, requests): (Vec<_>, Vec<_>) = page.blocks().partition(Block::follows_a_stream);
    let met: Vec<_> = requests.iter().flat_map(|block| run(page, block, &server, &home)).collect();
    assert_eq!(met, page.shown(), "{}: the problems that its examples meet", page.name);
    // A stream ends its server, so it comes last, and there is one.
    match &streams[..] {
        [] => assert_eq!(server.terminate().0.code(), Some(0)),
        [stream] => follow(page, stream, server, &home),
        _ => panic!("{}: one stream for each page", page.name),
    }
}

#[test]
fn examples_in_the_documents_work() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("There is no curl here: the examples in the documents are not run.");
        return;
    }
    let pages = Page::all();
    for known in KNOWN {
        assert!(pages.iter().any(|page| page.name == *known), "{known} has no example");
    }
    pages.iter().for_each(check);
}
