//! `ledger.transfer`: Moves an amount from one account to another, at once or pending.
//!
//! Generated: see `crates/holdfast-node/tests/it/client_types.rs`.

use crate::{
    api::ledger::{TransferOutcome, TransferSpec},
    command::{Command, Kind, Method},
};

impl Command for TransferSpec {
    type Outcome = TransferOutcome;
    const NAME: &'static str = "ledger.transfer";
    const KIND: Kind = Kind::Write;
    const METHOD: Method = Method::Post;

    fn target(&self) -> String {
        "/v1/ledger/transfers".to_owned()
    }
}
