//! `ledger.transfer_linked`: several transfers, all or none.
//!
//! They are made in order, each seeing those before it, so one may spend what an
//! earlier one brought. The first refusal refuses all. Repeated as a whole it has
//! the same outcome; a list of which some exist and some do not is refused, as
//! one that was never made together.

use holdfast_state::{
    Stop, Tx,
    command::{Class, Command, Method, Refusal, RefusalInfo, Refused, Write},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::transfer::{TransferOutcome, TransferRefusal, TransferSpec, transfer};

/// The most transfers that can be linked.
pub const TRANSFERS_MAX: usize = 100;

/// The command.
#[derive(Debug)]
pub struct TransferLinked;

/// Which transfers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferLinkedSpec {
    /// 1 to 100 of them.
    pub transfers: Vec<TransferSpec>,
}

/// All transfers are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransferLinkedOutcome {
    /// Always the same.
    pub outcome: Linked,
    /// All had been made before, in the same words.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub existed: bool,
    /// Their outcomes, in the order asked.
    pub transfers: Vec<TransferOutcome>,
}

/// What the command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Linked {
    /// All transfers were made.
    Made,
}

/// Why no transfer is made, in order of precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferLinkedRefusal {
    /// None, or more than 100.
    WrongCount {
        /// How many there are.
        count: usize,
    },
    /// One of them is refused. The code is the transfer's own; the facts are its
    /// own and `index`.
    Transfer {
        /// Which, from 0.
        index: usize,
        /// Why.
        refusal: TransferRefusal,
    },
    /// Some exist and some do not.
    PartlyExists {
        /// The first that differs from the first of the list, from 0.
        index: usize,
    },
}

#[derive(Serialize)]
enum Facts {
    WrongCount { count: usize, max: usize },
    Transfer(serde_json::Map<String, serde_json::Value>),
    PartlyExists { index: usize },
}

impl Serialize for TransferLinkedRefusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let facts = match self {
            Self::WrongCount { count } => Facts::WrongCount { count: *count, max: TRANSFERS_MAX },
            Self::Transfer { index, refusal } => {
                let mut facts = Refused::new(refusal).facts;
                facts.insert("index".to_owned(), (*index).into());
                Facts::Transfer(facts)
            }
            Self::PartlyExists { index } => Facts::PartlyExists { index: *index },
        };
        facts.serialize(serializer)
    }
}

const OWN: [RefusalInfo; 2] = [
    RefusalInfo {
        code: "wrong_count",
        class: Class::Invalid,
        summary: "One to 100 transfers can be linked.",
    },
    RefusalInfo {
        code: "partly_exists",
        class: Class::Conflict,
        summary: "Some of the transfers exist and others do not.",
    },
];

/// The command's own refusals round those of a transfer.
const ALL: [RefusalInfo; TransferRefusal::ALL.len() + 2] = {
    let mut all = [OWN[0]; TransferRefusal::ALL.len() + 2];
    let mut index = 0;
    while index < TransferRefusal::ALL.len() {
        all[index + 1] = TransferRefusal::ALL[index];
        index += 1;
    }
    all[index + 1] = OWN[1];
    all
};

impl Refusal for TransferLinkedRefusal {
    const ALL: &'static [RefusalInfo] = &ALL;

    fn code(&self) -> &'static str {
        match self {
            Self::WrongCount { .. } => OWN[0].code,
            Self::Transfer { refusal, .. } => refusal.code(),
            Self::PartlyExists { .. } => OWN[1].code,
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::WrongCount { .. } => Some("/transfers"),
            Self::Transfer { refusal, .. } => refusal.pointer(),
            Self::PartlyExists { .. } => None,
        }
    }

    fn element(&self) -> Option<String> {
        match self {
            Self::WrongCount { .. } => None,
            Self::Transfer { index, .. } | Self::PartlyExists { index } => {
                Some(format!("/transfers/{index}"))
            }
        }
    }
}

impl Command for TransferLinked {
    const NAME: &'static str = "ledger.transfer_linked";
    const SUMMARY: &'static str = "Makes several transfers, all or none.";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/v1/ledger/linked-transfers";
    type Spec = TransferLinkedSpec;
    type Outcome = TransferLinkedOutcome;
    type Refusal = TransferLinkedRefusal;
}

impl Write for TransferLinked {
    /// A refusal leaves the transfers before the refused one in the transaction:
    /// whoever runs it takes the transaction back, as for every refusal.
    fn run(
        tx: &mut Tx<'_>,
        spec: &TransferLinkedSpec,
    ) -> Result<TransferLinkedOutcome, Stop<TransferLinkedRefusal>> {
        let count = spec.transfers.len();
        if count == 0 || count > TRANSFERS_MAX {
            return Err(Stop::Refused(TransferLinkedRefusal::WrongCount { count }));
        }
        let mut transfers: Vec<TransferOutcome> = Vec::with_capacity(count);
        for (index, each) in spec.transfers.iter().enumerate() {
            let refused = |refusal| TransferLinkedRefusal::Transfer { index, refusal };
            transfers.push(transfer(tx, each).map_err(|stop| stop.map(refused))?);
        }
        let existed = transfers[0].existed;
        if let Some(index) = transfers.iter().position(|each| each.existed != existed) {
            return Err(Stop::Refused(TransferLinkedRefusal::PartlyExists { index }));
        }
        Ok(TransferLinkedOutcome { outcome: Linked::Made, existed, transfers })
    }
}
