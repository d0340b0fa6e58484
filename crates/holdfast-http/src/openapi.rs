//! The API described: OpenAPI 3.1, made from the registry.
//!
//! Nothing is listed here that the registry knows: paths, parameters, bodies and
//! refusals all come from its rows, schemas from the types themselves. The same
//! registry gives the same bytes.

mod operation;
mod schemas;

use holdfast_node::{Registry, registry::method_name};
use serde_json::{Map, Value, json};

use schemas::Schemas;

use crate::{problem::Kind, router::BuiltIn};

/// The description of everything that a server of this registry answers.
#[must_use]
pub fn describe(registry: &Registry) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for entry in registry.commands() {
        let operation = operation::describe(entry, &mut schemas);
        let path = paths.entry(entry.path).or_insert_with(|| json!({}));
        path[method_name(entry.method).to_lowercase()] = operation;
    }
    for (built_in, path) in BuiltIn::ALL {
        paths.insert((*path).to_owned(), json!({ "get": operation::built_in(*built_in) }));
    }
    let mut components = schemas.finish();
    components.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What must be true together is committed together.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "key": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "parameters": operation::parameters(),
            "headers": operation::headers(),
            "responses": { "Problem": problem_response() },
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn problem_response() -> Value {
    json!({
        "description": "Anything else that keeps the request from an answer.",
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } }
        },
    })
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details. Codes are stable; /errors/CODE explains each.",
        "required": ["type", "title", "status", "code", "retry"],
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": {
                "type": "string",
                "description": "The command's refusals, or one that every command may answer.",
                "examples": Kind::ALL.iter().map(|kind| kind.info().code).collect::<Vec<_>>(),
            },
            "detail": { "type": "string" },
            "operation": {
                "type": "object",
                "description": "Which of the request's operations it is about.",
                "required": ["index"],
                "properties": {
                    "index": { "type": "integer", "minimum": 0 },
                    "name": { "type": "string" },
                },
            },
            "pointer": {
                "type": "string",
                "format": "json-pointer",
                "description": "The field of the request that it is about.",
            },
            "facts": { "type": "object", "description": "What was found, by name." },
            "retry": {
                "enum": ["never", "later", "same-key"],
                "description": "never: the same request gets the same answer. later: nothing has \
                    happened; ask again after a while. same-key: it may have happened; ask again \
                    with the same Idempotency-Key.",
            },
        },
    })
}
