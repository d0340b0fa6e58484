//! A running node: one partition over the log in its data directory.
//!
//! A partition whose state is in doubt has stepped down; the node throws the
//! state away, opens the log again and goes on ([`Node::watch_over`]). Everything
//! else that stops a partition stops the node.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
};

use holdfast_engine::{
    Archive, Leadership, Origin, Partition, Parts, Phase, Quarantine, Shared, SnapshotKeeper,
    Stopped,
};
use holdfast_log::{
    Durability, FileLog, Log, LogError, LogServer, MemoryLog, RealDisk,
    disk::{DirLock, Disk, Locking, SlowDisk},
    file::FileLogStats,
};
use holdfast_state::Version;
use parking_lot::RwLock;

use crate::{
    config::{NodeConfig, SharedStorage, Storage},
    crash_file,
    data_dir::DataDir,
    error::{LogPlace, OpenError},
    recovery::{Places, Recovered, discard_state, recover},
    registry::Registry,
};

/// How often in its life a node rebuilds state that is in doubt. More often than
/// this is no accident, and a person must look.
const REBUILDS_MAX: u32 = 8;

/// The partitions of this process.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    /// Replaced when the state was in doubt and was rebuilt; locked for moments.
    running: RwLock<Running>,
    /// Keeps other processes out of the node's own directory, where the log does not.
    _lock: Option<DirLock>,
}

#[derive(Clone, Debug)]
struct Running {
    partition: Arc<Partition>,
    log: RunningLog,
}

/// The log, as what it is.
#[derive(Clone, Debug)]
enum RunningLog {
    File(Arc<FileLog>),
    Memory(MemoryLog),
    Shared(Arc<dyn Log>),
}

impl Node {
    /// Opens the node and starts its partition, which then reads its log and takes
    /// the lead. Blocks while the log's files are read.
    ///
    /// # Errors
    /// [`OpenError`]; each names the file and what to do.
    pub fn open(config: NodeConfig) -> Result<Self, OpenError> {
        config.engine.check()?;
        let lock = lock_own(&config.storage)?;
        let running = start(&config)?;
        Ok(Self { config, running: RwLock::new(running), _lock: lock })
    }

    /// What it is called in its log and its answers.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.engine.node
    }

    /// The partition as it runs now. Do not keep it: it may be replaced.
    #[must_use]
    pub fn partition(&self) -> Arc<Partition> {
        Arc::clone(&self.running.read().partition)
    }

    /// What can be called.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.config.registry
    }

    /// Settings it was opened with.
    #[must_use]
    pub const fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// How safe an acknowledged write is.
    #[must_use]
    pub fn durability(&self) -> Durability {
        match &self.running.read().log {
            RunningLog::File(log) => log.properties().durability,
            RunningLog::Memory(log) => log.properties().durability,
            RunningLog::Shared(log) => log.properties().durability,
        }
    }

    /// What the log counts, where it is in files.
    #[must_use]
    pub fn log_stats(&self) -> Option<FileLogStats> {
        match &self.running.read().log {
            RunningLog::File(log) => Some(log.stats()),
            RunningLog::Memory(_) | RunningLog::Shared(_) => None,
        }
    }

    /// What the log is kept on: `files`, `memory`, or the server that it is on now.
    #[must_use]
    pub fn log_server(&self) -> LogServer {
        let here = |engine| LogServer { engine, address: None, facts: Vec::new() };
        match &self.running.read().log {
            RunningLog::File(_) => here("files"),
            RunningLog::Memory(_) => here("memory"),
            RunningLog::Shared(log) => log.server().unwrap_or_else(|| here("shared")),
        }
    }

    /// Versions of the snapshots that a node could begin from, newest first; blocks while the
    /// directory is listed.
    ///
    /// # Errors
    /// [`OpenError::Io`], [`OpenError::NoData`]
    pub fn snapshots(&self) -> Result<Vec<Version>, OpenError> {
        let dir = match &self.config.storage {
            Storage::Directory(root) => DataDir::existing(root)?.snapshots(),
            Storage::Shared(shared) => shared.snapshots.clone(),
            Storage::Memory(_) => return Ok(Vec::new()),
        };
        let listed = SnapshotKeeper::new(disk_at(&dir)?).versions();
        listed.map_err(OpenError::io(format!("listing {}", dir.display())))
    }

    /// Waits until the partition has ended for good, and says why. State in doubt
    /// is rebuilt on the way.
    pub async fn watch_over(self: Arc<Self>) -> Stopped {
        for rebuild in 1.. {
            match ended(&self.partition()).await {
                Stopped::StateInDoubt(what) if rebuild <= REBUILDS_MAX => {
                    tracing::error!(what, rebuild, "the state is rebuilt from snapshot and log");
                }
                why @ Stopped::Behind(_) if rebuild <= REBUILDS_MAX => {
                    tracing::warn!(%why, rebuild, "the newest snapshot is restored");
                }
                why => return why,
            }
            let node = Arc::clone(&self);
            let rebuilt = tokio::task::spawn_blocking(move || node.rebuild()).await;
            match rebuilt {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Stopped::Failed(error.to_string()),
                Err(error) => return Stopped::Failed(format!("rebuilding panicked: {error}")),
            }
        }
        unreachable!("a node rebuilds a bounded number of times")
    }

    fn rebuild(&self) -> Result<(), OpenError> {
        let ended = self.partition();
        let why = ended.join();
        tracing::debug!(%why, "the partition has ended");
        match &self.config.storage {
            Storage::Directory(root) | Storage::Shared(SharedStorage { directory: root, .. }) => {
                discard_state(&DataDir::existing(root)?.state())?;
            }
            Storage::Memory(_) => {}
        }
        *self.running.write() = start(&self.config)?;
        Ok(())
    }

    /// Finishes what is queued, seals the log and waits for it; blocks. New
    /// requests are refused meanwhile.
    #[must_use]
    pub fn close(&self) -> Stopped {
        let partition = self.partition();
        partition.stop();
        partition.join()
    }
}

async fn ended(partition: &Partition) -> Stopped {
    let mut phase = partition.watch();
    let ended = phase.wait_for(|phase| matches!(phase, Phase::Stopped(_))).await;
    match ended.as_deref() {
        Ok(Phase::Stopped(why)) => why.clone(),
        Ok(Phase::Starting | Phase::Leading | Phase::Following { .. }) | Err(_) => {
            Stopped::Failed("the partition went away".to_owned())
        }
    }
}

fn start(config: &NodeConfig) -> Result<Running, OpenError> {
    match &config.storage {
        Storage::Directory(root) => start_in(config, &DataDir::open_or_create(root)?),
        Storage::Memory(log) => start_in_memory(config, log.reopen()),
        Storage::Shared(shared) => start_on_shared(config, shared),
    }
}

/// Takes the directory that is the node's own; a file log takes its directory itself.
fn lock_own(storage: &Storage) -> Result<Option<DirLock>, OpenError> {
    let Storage::Shared(shared) = storage else { return Ok(None) };
    let dir = DataDir::open_or_create(&shared.directory)?;
    let disk = disk_at(&dir.log())?;
    match disk.lock().map_err(OpenError::io(format!("locking {}", dir.log().display())))? {
        Locking::Ours(lock) => Ok(Some(lock)),
        Locking::Busy { holder } => Err(OpenError::InUse { dir: dir.root().to_owned(), holder }),
    }
}

fn start_on_shared(config: &NodeConfig, shared: &SharedStorage) -> Result<Running, OpenError> {
    let dir = DataDir::open_or_create(&shared.directory)?;
    let log = (shared.open)().map_err(|source| OpenError::Log { log: LogPlace::Shared, source })?;
    let snapshots = SnapshotKeeper::shared(disk_at(&shared.snapshots)?, &config.engine.node);
    let places = Places { log: LogPlace::Shared, snapshots: shared.snapshots.clone() };
    let recovered = recover(&dir, &snapshots, log.as_ref(), &places)?;
    tracing::info!(
        data = %dir.root().display(),
        from = recovered.source,
        version = %recovered.store.mark().version,
        "state"
    );
    let archive = config.archive.as_deref().map(archive_at).transpose()?;
    let files = Files { snapshots: Some(snapshots), archive, quarantine: crash_file::open(&dir) };
    run(config, recovered, RunningLog::Shared(log), files)
}

fn start_in(config: &NodeConfig, dir: &DataDir) -> Result<Running, OpenError> {
    let log = Arc::new(open_log(config, dir)?);
    let snapshots = SnapshotKeeper::new(disk_at(&dir.snapshots())?);
    let recovered = recover(dir, &snapshots, log.as_ref(), &Places::within(dir))?;
    tracing::info!(
        data = %dir.root().display(),
        from = recovered.source,
        version = %recovered.store.mark().version,
        "state"
    );
    let archive = config.archive.as_deref().map(archive_at).transpose()?;
    let files = Files { snapshots: Some(snapshots), archive, quarantine: crash_file::open(dir) };
    run(config, recovered, RunningLog::File(log), files)
}

/// What a partition has in files beside its log and state.
#[derive(Default)]
struct Files {
    snapshots: Option<SnapshotKeeper>,
    archive: Option<Archive>,
    quarantine: Quarantine,
}

/// Opens the log of a data directory, which nobody else may have open.
///
/// # Errors
/// [`OpenError::InUse`], [`OpenError::Log`], [`OpenError::Io`]
pub(crate) fn open_log(config: &NodeConfig, dir: &DataDir) -> Result<FileLog, OpenError> {
    let mut disk = disk_at(&dir.log())?;
    if !config.sync_pause.is_zero() {
        disk = Arc::new(SlowDisk::new(disk, config.sync_pause));
    }
    FileLog::open(disk, config.log.clone()).map_err(|error| match error {
        LogError::Locked { holder, .. } => OpenError::InUse { dir: dir.root().to_owned(), holder },
        source => OpenError::Log { log: LogPlace::Directory(dir.log()), source },
    })
}

pub(crate) fn disk_at(dir: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let disk = RealDisk::open(dir).map_err(OpenError::io(format!("opening {}", dir.display())))?;
    Ok(Arc::new(disk))
}

/// A new archive is its owner's alone, as a data directory is.
pub(crate) fn archive_at(dir: &Path) -> Result<Archive, OpenError> {
    let new = !dir.is_dir();
    let disk = disk_at(dir)?;
    if new {
        fs::set_permissions(dir, Permissions::from_mode(0o700))
            .map_err(OpenError::io(format!("protecting {}", dir.display())))?;
    }
    Ok(Archive::new(disk))
}

/// Without files there are no snapshots: all of it is in the log.
fn start_in_memory(config: &NodeConfig, log: MemoryLog) -> Result<Running, OpenError> {
    let recovered = Recovered {
        store: Box::new(holdfast_state::MemoryStore::new()),
        kept: Vec::new(),
        untrimmed: true,
        leader: None,
        origin: Origin::Rebuilt,
        source: "a log in memory".to_owned(),
    };
    run(config, recovered, RunningLog::Memory(log), Files::default())
}

fn run(
    config: &NodeConfig,
    recovered: Recovered,
    log: RunningLog,
    files: Files,
) -> Result<Running, OpenError> {
    let timers = config.registry.timers().to_vec();
    let leadership = match (&log, config.engine.leadership) {
        (RunningLog::Shared(_), Leadership::Alone) => Leadership::Shared(Shared::default()),
        (_, said) => said,
    };
    let engine = holdfast_engine::Config { timers, leadership, ..config.engine.clone() };
    let parts = Parts {
        log: match &log {
            RunningLog::File(log) => Arc::clone(log) as Arc<dyn Log>,
            RunningLog::Memory(log) => Arc::new(log.clone()),
            RunningLog::Shared(log) => Arc::clone(log),
        },
        store: recovered.store,
        origin: recovered.origin,
        snapshots: files.snapshots,
        archive: files.archive,
        kept: recovered.kept.iter().map(|kept| kept.state).collect(),
        leader: recovered.leader,
        seed: random_seed().map_err(OpenError::io("reading /dev/urandom"))?,
        quarantine: files.quarantine,
    };
    let partition = Partition::start(engine, parts)?;
    if recovered.untrimmed {
        partition.feed().untrimmed();
    }
    Ok(Running { partition: Arc::new(partition), log })
}

/// Fresh in every life of the process: nonces come from it (P7).
fn random_seed() -> io::Result<u64> {
    let mut seed = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(u64::from_le_bytes(seed))
}
