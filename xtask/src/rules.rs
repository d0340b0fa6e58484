//! All rules at once.
//!
//! A rule is a function that returns findings; none is found in a tree that keeps it. To add a
//! rule, write the function beside its kind with a test that shows it something wrong, and name
//! it in [`findings`].

use std::fmt;

use anyhow::bail;

use crate::{dependencies, documents, layers, protocol, sources, workspace::Workspace};

/// Something in the tree that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or crate that is to be changed.
    pub place: String,
    /// What is wrong with it.
    pub what: String,
}

impl Finding {
    /// A finding at a place.
    #[must_use]
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Everything that breaks a rule.
///
/// # Errors
/// When a file cannot be read.
pub fn findings(workspace: &Workspace) -> anyhow::Result<Vec<Finding>> {
    let mut found = layers::violations(&workspace.crates);
    found.extend(dependencies::check(workspace)?);
    found.extend(sources::check(workspace)?);
    found.extend(documents::check(workspace)?);
    found.extend(protocol::check(workspace)?);
    Ok(found)
}

/// Says what breaks a rule.
///
/// # Errors
/// When anything does.
pub fn keep(workspace: &Workspace) -> anyhow::Result<()> {
    let found = findings(workspace)?;
    for finding in &found {
        eprintln!("{finding}");
    }
    if found.is_empty() { Ok(()) } else { bail!("{} findings", found.len()) }
}
