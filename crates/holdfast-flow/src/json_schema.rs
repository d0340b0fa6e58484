//! JSON Schema: a subset of draft 2020-12, compiled, evaluated within bounds, and compared.
//!
//! What is here is judged exactly, and what is not here is refused when a schema is compiled: a
//! keyword that is passed over would let through what its author meant to keep out. Nothing is
//! fetched: `$ref` stays within the schema. Patterns mean what ECMA-262 says, and are matched in linear time. A schema and an
//! instance give the same answer everywhere, and take a counted number of steps.
//!
//! Two schemas can be compared: is everything that the one lets through let through by the
//! other? The answer may be that this cannot be told, never a wrong yes.
//!
//! Read in this order: [`number`] (how numbers compare), `pattern`, [`schema`] (what is compiled),
//! [`compile`], [`validate`], [`mod@compare`]. It knows nothing of topics.

pub mod compare;
pub mod compile;
pub mod number;
mod pattern;
pub mod schema;
pub mod validate;

pub use compare::{Difference, compare};
pub use compile::NotASchema;
pub use schema::Schema;
pub use validate::{Fault, Steps};
