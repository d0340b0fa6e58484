//! Servers that tests start: installed where that may be done, named where it may not.
//!
//! Tests of logs on real engines do nothing where the engine is missing. So that no green run
//! hides it, the one command that runs the tests first sees to it that the engine is there: as
//! root, on a system with `apt-get`, it installs it; anywhere else, and where that fails, it says
//! what will not be run. It looks where the tests look (`Binaries::find` of the log's crate), not
//! on the path: what only one of the two finds would be missing without a word.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where distributions put each version in a folder of its own.
const VERSIONED: [&str; 2] = ["/usr/lib/postgresql", "/usr/local/lib/postgresql"];

/// Where others put the one that there is.
const PLAIN: [&str; 3] = ["/usr/local/pgsql/bin", "/usr/bin", "/usr/local/bin"];

/// What the tests run of it.
const PROGRAMS: [&str; 5] = ["initdb", "postgres", "pg_basebackup", "pg_ctl", "psql"];

/// Sees to PostgreSQL. What would not be run without it; `None` if it is there.
#[must_use]
pub fn missing() -> Option<&'static str> {
    let root = is_root();
    if postgres_is_there(Path::new("/"), root) {
        return None;
    }
    println!("\nPostgreSQL is not installed where tests look for it.");
    if root && quietly(Command::new("apt-get").arg("--version")) {
        install();
    } else {
        println!("It is installed from here as root, with apt-get, and not otherwise.");
    }
    let found = postgres_is_there(Path::new("/"), root);
    (!found).then_some("the log on PostgreSQL (install PostgreSQL 14 or newer)")
}

/// As the tests look for it: all programs in one folder, and as root a user to run them as.
fn postgres_is_there(top: &Path, root: bool) -> bool {
    let at = |dir: &&str| top.join(dir.trim_start_matches('/'));
    let versions = VERSIONED.iter().map(at).flat_map(fs::read_dir).flatten().flatten();
    let numbered = |name: &str| name.parse::<u32>().is_ok();
    let versioned = versions
        .filter(|version| version.file_name().to_str().is_some_and(numbered))
        .map(|version| version.path().join("bin"));
    let plain = PLAIN.iter().map(at);
    let programs = |dir: PathBuf| PROGRAMS.iter().all(|program| dir.join(program).exists());
    let users = || fs::read_to_string(top.join("etc/passwd")).unwrap_or_default();
    let user = || users().lines().any(|line| line.starts_with("postgres:"));
    versioned.chain(plain).any(programs) && (!root || user())
}

fn is_root() -> bool {
    let root = Command::new("id").arg("-u").output();
    root.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether it works shows in what is there afterwards.
fn install() {
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "postgresql"]]
    {
        println!("$ apt-get {}", arguments.join(" "));
        let mut command = Command::new("apt-get");
        // A server of the system's own is neither needed nor wanted: tests start theirs.
        command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
        match command.args(arguments).stdin(Stdio::null()).status() {
            Ok(status) if status.success() => {}
            Ok(status) => println!("apt-get {}: {status}", arguments.join(" ")),
            Err(error) => println!("apt-get: {error}"),
        }
    }
}

fn quietly(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(top: &Path, dir: &str, programs: &[&str]) {
        let dir = top.join(dir);
        fs::create_dir_all(&dir).unwrap();
        for program in programs {
            fs::write(dir.join(program), "").unwrap();
        }
    }

    #[test]
    fn an_installation_is_known_by_all_of_its_programs() {
        for dir in ["usr/lib/postgresql/15/bin", "usr/local/pgsql/bin", "usr/bin"] {
            let top = tempfile::tempdir().unwrap();
            assert!(!postgres_is_there(top.path(), false));
            put(top.path(), dir, &["psql"]);
            assert!(!postgres_is_there(top.path(), false), "clients alone are no server");
            put(top.path(), dir, &PROGRAMS);
            assert!(postgres_is_there(top.path(), false), "{dir}");
            assert!(!postgres_is_there(top.path(), true), "PostgreSQL does not run as root");
            put(top.path(), "etc", &[]);
            fs::write(top.path().join("etc/passwd"), "root:x:0:0\npostgres:x:70:70\n").unwrap();
            assert!(postgres_is_there(top.path(), true));
        }
        let top = tempfile::tempdir().unwrap();
        put(top.path(), "usr/lib/postgresql/old/bin", &PROGRAMS);
        assert!(!postgres_is_there(top.path(), false), "a folder of a version has its number");
    }
}
