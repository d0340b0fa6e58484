//! Running the tools, and saying how it went.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

/// A call of Cargo, from the root of the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// What follows `cargo`.
    pub arguments: &'static [&'static str],
    /// Set for this call.
    pub environment: &'static [(&'static str, &'static str)],
}

impl Call {
    /// A call of `cargo` with these arguments.
    #[must_use]
    pub const fn cargo(arguments: &'static [&'static str]) -> Self {
        Self { arguments, environment: &[] }
    }

    /// The same with something set in its environment.
    #[must_use]
    pub const fn with(self, environment: &'static [(&'static str, &'static str)]) -> Self {
        Self { environment, ..self }
    }

    /// What one would type.
    #[must_use]
    pub fn text(&self) -> String {
        let set = self.environment.iter().map(|(name, value)| format!("{name}='{value}' "));
        format!("{}cargo {}", set.collect::<String>(), self.arguments.join(" "))
    }

    /// Runs it, its output going where ours goes.
    ///
    /// # Errors
    /// When it cannot be started, or says no.
    pub fn run(&self, root: &Path) -> anyhow::Result<()> {
        let text = self.text();
        println!("\n$ {text}");
        let status = self.command(root).status().with_context(|| text.clone())?;
        if status.success() { Ok(()) } else { bail!("{text}: {status}") }
    }

    /// Can it be run at all?
    #[must_use]
    pub fn succeeds_quietly(&self, root: &Path) -> bool {
        let mut command = self.command(root);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn command(&self, root: &Path) -> Command {
        // The Cargo that runs us, so that `cargo +toolchain xtask` means what it says.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(root).args(self.arguments).envs(self.environment.iter().copied());
        // Set by somebody to renew the scenarios; nothing is renewed from here.
        command.env_remove("UPDATE_SCENARIOS");
        command
    }
}

/// Formats, and mends what clippy knows how to mend.
///
/// # Errors
/// When a tool cannot be run or gives up.
pub fn fix(root: &Path) -> anyhow::Result<()> {
    const CLIPPY: Call = Call::cargo(&[
        "clippy",
        "--fix",
        "--workspace",
        "--all-targets",
        "--allow-dirty",
        "--allow-staged",
    ]);
    CLIPPY.run(root)?;
    Call::cargo(&["fmt", "--all"]).run(root)
}
