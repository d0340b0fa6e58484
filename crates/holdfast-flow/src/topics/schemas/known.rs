//! Compiled schemas, kept by each thread that evaluates: a memory of what was compiled before,
//! outside the state, so that a message does not compile the schema that judges it.
//!
//! What is found is what compiling the row would give, since a schema is known by its text and by
//! nothing else. It is bounded, and the one that was not used for longest goes.

use std::{cell::RefCell, rc::Rc};

use holdfast_state::{Abort, Id, Read};

use super::{row::Schemas, text::SchemaText};
use crate::{json_schema::Schema, topics::sequence::doubt};

/// How many schemas a thread remembers.
const KNOWN_MAX: usize = 32;

/// A schema that was compiled, and its text.
struct Known {
    text: SchemaText,
    schema: Rc<Schema>,
}

thread_local! {
    /// The one that was used last at the end.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// A schema of a topic that is there.
pub(super) fn numbered(state: &impl Read, topic: &Id, number: u64) -> Result<Rc<Schema>, Abort> {
    let row = state.get::<Schemas>((topic.as_str(), number))?;
    of(row.ok_or_else(|| doubt(format!("schema {number} of {topic} is gone")))?.schema)
}

/// The schema that a text is.
pub(super) fn of(text: SchemaText) -> Result<Rc<Schema>, Abort> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(at) = known.iter().position(|known| known.text == text) {
            let found = known.remove(at);
            let schema = Rc::clone(&found.schema);
            known.push(found);
            return Ok(schema);
        }
        let compiled = Schema::compile(text.as_str());
        let compiled = compiled.map_err(|error| doubt(format!("a schema is none: {error}")))?;
        if known.len() == KNOWN_MAX {
            known.remove(0);
        }
        let schema = Rc::new(compiled);
        known.push(Known { text, schema: Rc::clone(&schema) });
        Ok(schema)
    })
}
