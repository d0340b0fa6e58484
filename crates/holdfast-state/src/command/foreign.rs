//! Forms that others have defined, beside JSON, in which a command may be asked and answered.
//!
//! An edge knows media types and header fields and nothing of what they mean: the command says
//! which forms it takes ([`AskedForm`]) and gives ([`AnsweredForm`]), and has a function for
//! each, from what was sent to the spec's JSON, and from the outcome's JSON to what is sent.
//! Everything in between, fingerprints and stored answers included, is as without them.

use schemars::{Schema, SchemaGenerator};

use super::SpecError;

/// A request in a form that is not JSON.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a> {
    /// The whole `Content-Type`; empty when there is none.
    pub media_type: &'a str,
    /// The header fields of the form, names in lower case.
    pub fields: &'a [(&'a str, &'a [u8])],
    /// The body.
    pub body: &'a [u8],
}

/// What tells that a request is in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// The media type of its body, in lower case and without parameters.
    MediaType(&'static str),
    /// A header field whose name begins so, in lower case, whatever the body's media type.
    Fields(&'static str),
}

/// A form in which a command may be asked.
#[derive(Clone, Copy, Debug)]
pub struct AskedForm {
    /// What tells it. Forms are looked for in the order in which they are listed.
    pub told_by: ToldBy,
    /// One sentence.
    pub summary: &'static str,
    /// JSON Schema of the body, where that is JSON of its own.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The spec's JSON, without the fields that the path has.
    pub read: fn(Foreign<'_>) -> Result<Vec<u8>, SpecError>,
}

/// A form in which a command may be answered.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredForm {
    /// Its media type, in lower case and without parameters.
    pub media_type: &'static str,
    /// JSON Schema of the body.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Header fields beside it, and what they say.
    pub fields: &'static [(&'static str, &'static str)],
    /// The outcome's JSON in this form.
    pub write: fn(&[u8]) -> Rendered,
}

/// An outcome in a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The body.
    pub body: Vec<u8>,
    /// Header fields: visible ASCII.
    pub fields: Vec<(&'static str, String)>,
}
