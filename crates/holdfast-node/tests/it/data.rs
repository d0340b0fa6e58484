//! A data directory in a temporary place, with counters in it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use holdfast_engine::{Decision, Stopped};
use holdfast_node::{Ask, Consistency, Failure, Node, NodeConfig, OpenError, Storage};
use holdfast_state::{
    Namespace,
    command::{Input, Refused},
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A data directory.
pub(crate) struct Data {
    _temporary: Option<TempDir>,
    pub(crate) root: PathBuf,
    /// Bytes of log between two snapshots.
    pub(crate) snapshot_bytes: u64,
    /// Where trimmed entries go.
    pub(crate) archive: Option<PathBuf>,
    /// Entries between two digests.
    digest_entries: u64,
}

/// A node that runs.
pub(crate) struct Running {
    pub(crate) node: Arc<Node>,
    pub(crate) runtime: Runtime,
}

impl Data {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("data");
        Self {
            _temporary: Some(temporary),
            root,
            snapshot_bytes: u64::MAX,
            archive: None,
            digest_entries: 1_024,
        }
    }

    /// One that somebody else made and removes.
    pub(crate) fn at(root: &Path) -> Self {
        Self { _temporary: None, root: root.to_owned(), ..Self::new() }
    }

    /// One whose log is trimmed soon.
    pub(crate) fn trimming() -> Self {
        Self { snapshot_bytes: 20_000, ..Self::new() }
    }

    /// The same, with an archive beside it.
    pub(crate) fn archiving(self) -> Self {
        Self { archive: Some(self.root.with_file_name("archive")), ..self }
    }

    /// One whose state is digested soon.
    pub(crate) fn digesting(self, digest_entries: u64) -> Self {
        Self { digest_entries, ..self }
    }

    /// The same, opened from here on without taking snapshots.
    pub(crate) fn without_snapshots(self) -> Self {
        Self { snapshot_bytes: u64::MAX, ..self }
    }

    pub(crate) fn config(&self) -> NodeConfig {
        let mut config = NodeConfig::new(Storage::Directory(self.root.clone()));
        config.engine.snapshot_bytes = self.snapshot_bytes;
        config.archive.clone_from(&self.archive);
        config.engine.digest_entries = self.digest_entries;
        config.log.segment_bytes = 1 << 20;
        config.log.max_entry_bytes = 512 << 10;
        config
    }

    pub(crate) fn open(&self) -> Result<Running, OpenError> {
        let node = Arc::new(Node::open(self.config())?);
        Ok(Running { node, runtime: Runtime::new().unwrap() })
    }

    pub(crate) fn part(&self, name: &str) -> PathBuf {
        self.root.join("partition-0").join(name)
    }

    /// Snapshots, newest first.
    pub(crate) fn snapshots(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = files(&self.part("snapshots"))
            .into_iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "hfs"))
            .collect();
        files.sort_by(|a, b| b.cmp(a));
        files
    }
}

/// The files below a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Copies a directory with everything below it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// Flips the bits of one byte.
pub(crate) fn damage(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 0xFF;
    fs::write(file, bytes).unwrap();
}

impl Running {
    pub(crate) fn ask(timeout: Duration) -> Ask {
        Ask {
            namespace: Namespace::DEFAULT,
            asked: None,
            timeout,
            after: None,
            consistency: Consistency::Linearizable,
        }
    }

    /// Makes a call; the body is the outcome's, or the refusal's code.
    pub(crate) fn call(&self, name: &str, body: &str) -> Result<(Decision, String), Failure> {
        let entry = self.node.registry().command(name).unwrap();
        let commands = self.node.registry().commands();
        let input = Input { body: body.as_bytes(), fields: &[], commands };
        let call = entry.parse(input).unwrap();
        let ask = Self::ask(Duration::from_secs(20));
        let code = |refused: &Refused| refused.info.code.as_bytes().to_vec();
        let reply = self.runtime.block_on(self.node.execute(ask, entry.kind, call, code))?;
        Ok((reply.decision, String::from_utf8(reply.body.to_vec()).unwrap()))
    }

    pub(crate) fn open_account(&self, id: usize) {
        let body = format!("{{\"id\":\"account-{id}\",\"asset\":\"EUR\"}}");
        assert_eq!(self.call("ledger.open_account", &body).unwrap().0, Decision::Done);
    }

    /// Opens so many accounts and moves money between neighbours.
    pub(crate) fn work(&self, numbers: std::ops::Range<usize>) {
        for id in numbers {
            self.open_account(id);
            if id > 0 {
                let body = format!(
                    "{{\"id\":\"transfer-{id}\",\"debit_account\":\"account-{}\",\
                     \"credit_account\":\"account-{id}\",\"amount\":{id}}}",
                    id - 1
                );
                assert_eq!(self.call("ledger.transfer", &body).unwrap().0, Decision::Done);
            }
        }
    }

    /// Checks that exactly so many accounts are there, with their balances.
    #[track_caller]
    pub(crate) fn check(&self, count: usize) {
        for id in 0..count {
            let shown = self.call("ledger.account", &format!("{{\"id\":\"account-{id}\"}}"));
            let (decision, body) = shown.unwrap();
            assert_eq!(decision, Decision::Done, "{body}");
            let next = if id + 1 < count { id + 1 } else { 0 };
            let account: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(
                (&account["credits_posted"], &account["debits_posted"]),
                (&id.into(), &next.into())
            );
        }
        let beyond = self.call("ledger.account", &format!("{{\"id\":\"account-{count}\"}}"));
        assert_eq!(beyond.unwrap(), (Decision::Refused, "account_not_found".to_owned()));
    }

    pub(crate) fn close(self) {
        assert_eq!(self.node.close(), Stopped::Cleanly);
    }
}
