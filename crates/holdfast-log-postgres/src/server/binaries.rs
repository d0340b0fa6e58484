//! Where PostgreSQL's programs are, and as whom they run.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ServerError;

/// Where distributions put each version in a folder of its own.
const VERSIONED: [&str; 2] = ["/usr/lib/postgresql", "/usr/local/lib/postgresql"];

/// Where others put the one that there is.
const PLAIN: [&str; 3] = ["/usr/local/pgsql/bin", "/usr/bin", "/usr/local/bin"];

/// The programs of one installation of PostgreSQL.
#[derive(Clone, Debug)]
pub struct Binaries {
    dir: PathBuf,
    /// Whom to run them as, where we are root.
    account: Option<Account>,
}

/// A user of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
}

impl Binaries {
    /// The newest installation that can be used, if there is one. As root it also takes a user
    /// `postgres`, since PostgreSQL does not run as root.
    #[must_use]
    pub fn find() -> Option<Self> {
        let plain = || PLAIN.iter().map(PathBuf::from).find(|dir| has_servers(dir));
        Self::of(newest_versioned().or_else(plain)?)
    }

    /// The installation whose programs are in this directory, if they are and can be used.
    #[must_use]
    pub fn at(dir: &Path) -> Option<Self> {
        has_servers(dir).then(|| Self::of(dir.to_owned())).flatten()
    }

    fn of(dir: PathBuf) -> Option<Self> {
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let account = if root { Some(account_named("postgres")?) } else { None };
        Some(Self { dir, account })
    }

    /// Runs a program to its end.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<(), ServerError> {
        self.output(program, arguments).map(drop)
    }

    /// The same, for what it prints.
    pub(super) fn output(&self, program: &str, arguments: &[&str]) -> Result<String, ServerError> {
        let output = self
            .command(program, arguments)
            .output()
            .map_err(ServerError::io(format!("running {program}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ServerError::Failed { program: program.to_owned(), said })
    }

    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.dir.join(program));
        command.args(arguments).current_dir("/").env("LC_ALL", "C").env("HOME", "/nonexistent");
        if let Some(Account { uid, gid }) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes a directory that the programs may use and others may not.
    pub(super) fn make_dir(&self, dir: &Path) -> Result<(), ServerError> {
        let failed = || format!("making {}", dir.display());
        fs::create_dir_all(dir).map_err(ServerError::io(failed()))?;
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(dir, private).map_err(ServerError::io(failed()))?;
        self.give(dir)
    }

    /// Writes a file that the programs may read, and others may not: it may be a key.
    pub(super) fn write_file(&self, path: &Path, text: &str) -> Result<(), ServerError> {
        let failed = || format!("writing {}", path.display());
        fs::write(path, text).map_err(ServerError::io(failed()))?;
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, private).map_err(ServerError::io(failed()))?;
        self.give(path)
    }

    fn give(&self, path: &Path) -> Result<(), ServerError> {
        let Some(Account { uid, gid }) = self.account else { return Ok(()) };
        let what = format!("giving {} to user {uid}", path.display());
        chown(path, Some(uid), Some(gid)).map_err(ServerError::io(what))
    }
}

fn has_servers(dir: &Path) -> bool {
    ["initdb", "postgres", "pg_basebackup", "pg_ctl", "psql"]
        .iter()
        .all(|program| dir.join(program).exists())
}

fn newest_versioned() -> Option<PathBuf> {
    let folders = VERSIONED.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
    let versions = folders.filter_map(|folder| {
        let version: u32 = folder.file_name().to_str()?.parse().ok()?;
        let dir = folder.path().join("bin");
        has_servers(&dir).then_some((version, dir))
    });
    versions.max().map(|(_, dir)| dir)
}

fn account_named(name: &str) -> Option<Account> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let of_name = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
    Some(Account { uid: of_name.get(2)?.parse().ok()?, gid: of_name.get(3)?.parse().ok()? })
}
