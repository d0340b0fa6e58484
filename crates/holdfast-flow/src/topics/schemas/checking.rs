//! Are messages what the topic's schema asks for?

use std::rc::Rc;

use holdfast_state::{Abort, Id, Read};
use serde::Serialize;

use super::{known, row::Judging};
use crate::{
    json_schema::{Fault, Schema, Steps},
    topics::{data::Data, events::Event, sequence::doubt},
};

/// How many steps the messages of one command may take together.
const STEPS: u64 = 1_000_000;

/// The schema that judges a topic, and the steps that are left.
#[derive(Debug)]
pub(in crate::topics) struct Checking {
    /// Its number.
    pub(in crate::topics) number: u64,
    schema: Rc<Schema>,
    steps: Steps,
}

/// Where data is not what a schema asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The number of the schema.
    pub schema: u64,
    /// JSON Pointer into the data.
    pub at: String,
    /// The keyword that does not let it through: one of JSON Schema; `data_base64` for bytes,
    /// which are not JSON; or `cost`, where judging took more steps than one command may.
    pub keyword: &'static str,
}

impl Checking {
    /// Of a topic; `None` where it has no schema.
    pub(in crate::topics) fn of(state: &impl Read, topic: &Id) -> Result<Option<Self>, Abort> {
        let row = state.get::<Judging>(topic.as_str())?;
        let Some(number) = row.and_then(|row| row.latest) else { return Ok(None) };
        let schema = known::numbered(state, topic, number)?;
        Ok(Some(Self { number, schema, steps: Steps(STEPS) }))
    }

    /// Is this message what is asked for?
    pub(in crate::topics) fn check(
        &mut self,
        data: &Data,
        event: Option<&Event>,
    ) -> Result<Option<Violation>, Abort> {
        let found = |at: String, keyword| Violation { schema: self.number, at, keyword };
        if event.is_some_and(|event| event.data_base64.is_some()) {
            return Ok(Some(found(String::new(), "data_base64")));
        }
        let value = serde_json::from_str(data.as_str());
        let value = value.map_err(|error| doubt(format!("data is no JSON: {error}")))?;
        Ok(match self.schema.validate(&value, &mut self.steps) {
            Ok(()) => None,
            Err(Fault::Invalid { pointer, keyword }) => Some(found(pointer, keyword)),
            Err(Fault::TooCostly) => Some(found(String::new(), "cost")),
        })
    }
}
