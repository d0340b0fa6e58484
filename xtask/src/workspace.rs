//! The workspace as Cargo sees it: its crates, where they are, what they depend on.
//!
//! Only what the manifests say; nothing is resolved, so it works offline and takes no time.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};

/// A crate of the workspace.
#[derive(Clone, Debug, Default)]
pub struct Crate {
    /// Its name, which is also its folder's.
    pub name: String,
    /// Where its manifest is.
    pub folder: PathBuf,
    /// What it needs to be built: normal and build dependencies.
    pub needs: BTreeSet<String>,
    /// What its tests, examples and benches need besides.
    pub tests_need: BTreeSet<String>,
}

/// The workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Its crates, by name.
    pub crates: Vec<Crate>,
}

impl Workspace {
    /// The workspace that this program belongs to.
    ///
    /// # Errors
    /// When Cargo does not know it.
    pub fn load() -> anyhow::Result<Self> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
        let mut crates: Vec<Crate> = metadata.packages.iter().map(Crate::of).collect();
        crates.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { root: metadata.workspace_root.into(), crates })
    }

    /// The text of a file, by its path from the root.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, path: &str) -> anyhow::Result<String> {
        fs::read_to_string(self.root.join(path)).with_context(|| format!("reading {path}"))
    }

    /// Does a crate of this name belong to it?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.crates.iter().any(|member| member.name == name)
    }
}

impl Crate {
    /// Does it depend on this crate, if only in its tests?
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.needs.contains(name) || self.tests_need.contains(name)
    }

    fn of(package: &cargo_metadata::Package) -> Self {
        let named = |dev: bool| {
            let kind = move |kind| (kind == DependencyKind::Development) == dev;
            let chosen = package.dependencies.iter().filter(move |needed| kind(needed.kind));
            chosen.map(|needed| needed.name.clone()).collect()
        };
        let mut folder: PathBuf = package.manifest_path.clone().into();
        folder.pop();
        Self {
            name: package.name.to_string(),
            folder,
            needs: named(false),
            tests_need: named(true),
        }
    }
}
