//! Several commands as one transaction: all of them or none, at one place in the order.
//!
//! ```
//! use holdfast_client::{Operations, api::{leases::GuardLeaseSpec, topics::AppendSpec}};
//!
//! # fn example() -> Result<(), holdfast_client::Error> {
//! let mut operations = Operations::all();
//! operations.add(&GuardLeaseSpec::new("scheduler", 17))?;
//! operations.named("told", &AppendSpec::new("ticks", "tick"))?;
//! let spec = operations.spec();
//! assert_eq!(spec.operations.len(), 2);
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```

use serde::de::DeserializeOwned;

use crate::{
    api::{
        OperationSpec,
        transactions::{Mode, TransactionOutcome, TransactionSpec},
    },
    command::Command,
    error::Error,
    json::Json,
};

/// Operations of a transaction, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operations(TransactionSpec);

impl Operations {
    /// All are done, or none: the first refusal is the answer.
    #[must_use]
    pub fn all() -> Self {
        Self(TransactionSpec::new(Vec::new()))
    }

    /// Each is done or refused by itself.
    #[must_use]
    pub fn each() -> Self {
        Self(TransactionSpec { mode: Some(Mode::Each), ..TransactionSpec::new(Vec::new()) })
    }

    /// Adds a command.
    ///
    /// # Errors
    /// [`Error::Unsendable`]: it cannot be JSON.
    pub fn add<C: Command>(&mut self, command: &C) -> Result<(), Error> {
        self.0.operations.push(operation(command)?);
        Ok(())
    }

    /// Adds a command under a name, by which later ones can refer to its result.
    ///
    /// # Errors
    /// [`Error::Unsendable`]: it cannot be JSON.
    pub fn named<C: Command>(&mut self, name: &str, command: &C) -> Result<(), Error> {
        let name = Some(name.to_owned());
        self.0.operations.push(OperationSpec { name, ..operation(command)? });
        Ok(())
    }

    /// Adds an operation as JSON, which may hold references to results of earlier ones:
    /// `{"$from": NAME, "path": POINTER}`.
    pub fn push(&mut self, operation: OperationSpec) {
        self.0.operations.push(operation);
    }

    /// The command that runs them.
    #[must_use]
    pub fn spec(self) -> TransactionSpec {
        self.0
    }
}

fn operation<C: Command>(command: &C) -> Result<OperationSpec, Error> {
    let args = Json::of(command).map_err(|error| Error::Unsendable(error.to_string()))?;
    Ok(OperationSpec::new(C::NAME, args))
}

impl TransactionOutcome {
    /// The outcome of the operation at this place, which was this command.
    ///
    /// # Errors
    /// [`Error::Unreadable`]: there is none, or it is another; in mode `each`, a refusal.
    pub fn result<C: Command<Outcome: DeserializeOwned>>(
        &self,
        index: usize,
    ) -> Result<C::Outcome, Error> {
        let nothing = Json::default();
        let result = self.results.get(index).unwrap_or(&nothing);
        let command = || format!("operation {index}, {}", C::NAME);
        result.read().map_err(|source| Error::Unreadable { command: command(), source })
    }
}
