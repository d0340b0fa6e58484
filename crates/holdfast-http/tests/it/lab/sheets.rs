//! Something with a version: a write that takes conditions, a read that has a tag.

use holdfast_state::{
    Id, IfMatch, IfNoneMatch, Stop, Table, TableId, Tx,
    command::{Class, Command, Method, Query, Refusal, RefusalInfo, Write},
    table::Read,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) struct Sheets;

impl Table for Sheets {
    const ID: TableId = TableId(0x7f02);
    const NAME: &'static str = "lab.sheets";
    type Key<'k> = &'k str;
    type Row = holdfast_state::Version;
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WriteSpec {
    id: Id,
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadSpec {
    id: Id,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Sheet {
    id: Id,
    version: u64,
}

#[derive(Debug, Serialize)]
pub(crate) enum Other {
    Differs,
}

impl Refusal for Other {
    const ALL: &'static [RefusalInfo] = &[RefusalInfo {
        code: "lab_differs",
        class: Class::Precondition,
        summary: "The sheet is not as it is meant to be.",
    }];

    fn code(&self) -> &'static str {
        "lab_differs"
    }
}

pub(super) struct WriteSheet;

impl Command for WriteSheet {
    const NAME: &'static str = "lab.write_sheet";
    const SUMMARY: &'static str = "Writes a sheet.";
    const METHOD: Method = Method::Patch;
    const PATH: &'static str = "/v1/lab/sheets/{id}";
    const CONDITIONAL: bool = true;
    type Spec = WriteSpec;
    type Outcome = Sheet;
    type Refusal = Other;
}

impl Write for WriteSheet {
    fn run(tx: &mut Tx<'_>, spec: &WriteSpec) -> Result<Sheet, Stop<Other>> {
        let found = tx.get::<Sheets>(&spec.id)?;
        let differs = spec.if_match.is_some_and(|condition| !condition.holds(found));
        let exists = spec.if_none_match.is_some_and(|condition| !condition.holds(found));
        if differs || exists {
            return Err(Stop::Refused(Other::Differs));
        }
        tx.put::<Sheets>(&spec.id, &tx.version())?;
        Ok(Sheet { id: spec.id.clone(), version: tx.version().get() })
    }
}

pub(super) struct ReadSheet;

impl Command for ReadSheet {
    const NAME: &'static str = "lab.read_sheet";
    const SUMMARY: &'static str = "Reads a sheet.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/lab/sheets/{id}";
    const CONDITIONAL: bool = true;
    type Spec = ReadSpec;
    type Outcome = Sheet;
    type Refusal = Other;
}

impl Query for ReadSheet {
    fn run(state: &impl Read, spec: &ReadSpec) -> Result<Sheet, Stop<Other>> {
        let found = state.get::<Sheets>(&spec.id)?.ok_or(Stop::Refused(Other::Differs))?;
        Ok(Sheet { id: spec.id.clone(), version: found.get() })
    }
}
