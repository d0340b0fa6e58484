//! `documents.list`: the documents of a collection, by id, page by page.
//!
//! A page ends at its limit or with the document that brings it to 1 MiB.

use std::ops::ControlFlow;

use holdfast_state::{
    Id, Read, Stop,
    command::{Command, Method, Never, Query},
    page::PageSize,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    get::Document,
    walk::{Range, Which, walk},
};

/// A page of this many bytes of values is long enough.
pub const PAGE_BYTES: usize = 1 << 20;

/// The command.
#[derive(Debug)]
pub struct ListDocuments;

/// Which documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDocumentsSpec {
    /// Their collection.
    pub collection: Id,
    /// Only those whose ids begin so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Id>,
    /// Only from this id on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Id>,
    /// Only those before this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Id>,
    /// `next` of the page before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Id>,
    /// How many documents at most.
    #[serde(default)]
    pub limit: PageSize,
}

/// A page of documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DocumentsPage {
    /// The documents.
    pub documents: Vec<Document>,
    /// Cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Id>,
}

impl Command for ListDocuments {
    const NAME: &'static str = "documents.list";
    const SUMMARY: &'static str = "Lists the documents of a collection in the order of their ids.";
    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/v1/collections/{collection}/documents";
    type Spec = ListDocumentsSpec;
    type Outcome = DocumentsPage;
    type Refusal = Never;
}

impl Query for ListDocuments {
    fn run(state: &impl Read, spec: &ListDocumentsSpec) -> Result<DocumentsPage, Stop<Never>> {
        let range = Range::new(spec.prefix.as_ref(), spec.from.as_ref(), spec.to.as_ref());
        let range = match &spec.cursor {
            Some(cursor) => range.after(cursor),
            None => range,
        };
        let (mut documents, mut bytes) = (Vec::<Document>::new(), 0);
        let more = walk(state, &spec.collection, range, Which::There, |id, row| {
            if documents.len() == spec.limit.rows() || bytes >= PAGE_BYTES {
                return ControlFlow::Break(());
            }
            bytes += row.value.as_str().len();
            documents.push(Document::of(&spec.collection, id, row));
            ControlFlow::Continue(())
        })?;
        let next = more.and_then(|()| documents.last().map(|document| document.id.clone()));
        Ok(DocumentsPage { documents, next })
    }
}
