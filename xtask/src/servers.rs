//! Servers that tests start: installed where that may be done, named where it may not.
//!
//! Tests of logs on real engines do nothing where the engine is missing. So that no green run
//! hides it, the one command that runs the tests first sees to it that the engine is there: as
//! root, on a system with `apt-get`, it installs it; anywhere else it says what will not be run.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

/// Where a distribution's versions are, each in a folder of its own.
const POSTGRES: &str = "/usr/lib/postgresql";

/// Sees to PostgreSQL. What would not be run without it; `None` if it is there.
#[must_use]
pub fn missing() -> Option<&'static str> {
    if postgres_is_there(Path::new(POSTGRES)) {
        return None;
    }
    if may_install() {
        println!("\nPostgreSQL is not installed, and tests need it.");
        for arguments in
            [&["update"][..], &["install", "-y", "--no-install-recommends", "postgresql"]]
        {
            apt_get(arguments);
        }
    }
    let found = postgres_is_there(Path::new(POSTGRES));
    (!found).then_some("the log on PostgreSQL (install PostgreSQL 14 or newer)")
}

/// As the tests look for it: the same folders, and anywhere on the path.
fn postgres_is_there(versions: &Path) -> bool {
    let folders = fs::read_dir(versions).into_iter().flatten().flatten();
    folders.into_iter().any(|version| version.path().join("bin/initdb").exists())
        || quietly(Command::new("initdb").arg("--version"))
}

fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output();
    root.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
        && quietly(Command::new("apt-get").arg("--version"))
}

/// Whether it works shows in what is there afterwards.
fn apt_get(arguments: &[&str]) {
    println!("$ apt-get {}", arguments.join(" "));
    let mut command = Command::new("apt-get");
    // A server of the system's own is neither needed nor wanted: tests start theirs.
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    if let Err(error) = command.status() {
        println!("apt-get: {error}");
    }
}

fn quietly(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_known_by_its_programs() {
        let versions = tempfile::tempdir().unwrap();
        let bin = versions.path().join("15/bin");
        let on_path = quietly(Command::new("initdb").arg("--version"));
        assert_eq!(postgres_is_there(versions.path()), on_path);
        fs::create_dir_all(&bin).unwrap();
        assert_eq!(postgres_is_there(versions.path()), on_path, "programs, not folders");
        fs::write(bin.join("initdb"), "").unwrap();
        assert!(postgres_is_there(versions.path()));
    }
}
