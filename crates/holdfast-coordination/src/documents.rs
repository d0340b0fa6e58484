//! Documents: JSON under a collection and an id, with a version.
//!
//! A *document* is a JSON value with the *version* of the transaction that wrote it last:
//! its entity tag. Writes may be conditional upon it (`if_match`, `if_none_match`), so
//! that of two who read the same version one is told that the other was first. A
//! *collection* is a name that documents share; it is there while they are.
//!
//! Promises, at every version: a document is what its last write said; its version rises
//! with each write and is never used again, also not after it was deleted; a refused
//! write changes nothing; from `expires_at` on, and from the end of the session on which
//! it hangs, nobody sees it, and not an instant before is it gone.
//!
//! Left to others: watching (the change feed), idempotency keys (engine), entity tags in
//! header fields (edge), who may read whose documents (namespaces).
//!
//! Read in this order: [`value`], `merge` (values); `refusals`; [`row`] (what is stored),
//! `place` (a document as it stands, and changing it), `condition`, `walk`; [`get`],
//! [`check`], [`list`]; [`mod@put`], [`mod@patch`], [`mod@delete`], [`expire`],
//! `session`; [`index`]; `instrument`.

pub mod check;
mod condition;
pub mod delete;
pub mod expire;
pub mod get;
pub mod index;
mod instrument;
pub mod list;
mod merge;
pub mod patch;
mod place;
pub mod put;
mod refusals;
pub mod row;
mod session;
pub mod value;
mod walk;

use holdfast_state::{TableId, TimerHandler, command::Entry, table::Table as _};

pub use condition::Unmet;
pub use delete::{DeleteDocumentRefusal, DeleteDocumentSpec, delete};
pub use get::Document;
pub use instrument::INSTRUMENTS;
pub use patch::{PatchDocumentRefusal, PatchDocumentSpec, patch};
pub use put::{PutDocumentRefusal, PutDocumentSpec, put};
pub(crate) use session::let_go;
pub use value::Value;

/// Everything that can be asked of documents.
pub const COMMANDS: &[Entry] = &[
    Entry::write::<put::PutDocument>(),
    Entry::write::<patch::PatchDocument>(),
    Entry::write::<delete::DeleteDocument>(),
    Entry::query::<get::GetDocument>(),
    Entry::query::<check::CheckDocument>(),
    Entry::query::<list::ListDocuments>(),
    Entry::write::<index::create::CreateIndex>(),
    Entry::write::<index::drop::DropIndex>(),
    Entry::query::<index::list::ListIndexes>(),
    Entry::query::<index::query::QueryDocuments>(),
];

/// The timers of documents: name and handler.
pub const TIMERS: &[(&str, TimerHandler)] =
    &[(expire::HANDLER, expire::expire), (index::FILL, index::fill)];

/// The tables of documents: number and name. Numbers `0x0400..=0x043f` are theirs.
pub const TABLES: &[(TableId, &str)] = &[
    (row::Documents::ID, row::Documents::NAME),
    (row::Collections::ID, row::Collections::NAME),
    (row::Entries::ID, row::Entries::NAME),
];
