//! One operation of the description, and what all of them share.

use std::collections::BTreeMap;

use holdfast_state::command::{Entry, Kind as CommandKind, foreign::ToldBy};
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::{
    endpoint::takes_body,
    problem::{Kind, of_class},
    router::BuiltIn,
};

/// A command.
pub(super) fn describe(entry: &Entry, schemas: &mut Schemas) -> Value {
    let (primitive, verb) = entry.name.split_once('.').unwrap_or(("", entry.name));
    let mut operation = json!({
        "operationId": format!("{primitive}_{verb}"),
        "summary": entry.summary,
        "tags": [primitive],
        "parameters": parameters_of(entry, schemas),
        "responses": responses(entry, schemas),
    });
    if takes_body(entry.method) {
        operation["requestBody"] = request_body(entry, schemas);
    }
    operation
}

/// JSON, and other forms with a media type of their own; in words, those that header fields tell.
fn request_body(entry: &Entry, schemas: &mut Schemas) -> Value {
    let mut body = json!({
        "required": true,
        "content": { "application/json": { "schema": schemas.body(entry) } },
    });
    for form in entry.asked_in {
        match form.told_by {
            ToldBy::MediaType(media_type) => {
                body["content"][media_type] = json!({ "schema": schemas.asked(form) });
            }
            ToldBy::Fields(prefix) => {
                let told = format!("With header fields `{prefix}*`, whatever the media type: ");
                body["description"] = (told + form.summary).into();
            }
        }
    }
    body
}

fn parameters_of(entry: &Entry, schemas: &mut Schemas) -> Value {
    let mut parameters = Vec::new();
    for field in schemas.fields(entry) {
        let in_path = entry.path_fields().any(|name| name == field.name);
        if in_path || !takes_body(entry.method) {
            parameters.push(json!({
                "name": field.name,
                "in": if in_path { "path" } else { "query" },
                "required": in_path || field.required,
                "schema": field.schema,
            }));
        }
    }
    let shared: &[&str] = match entry.kind {
        CommandKind::Write => &["IdempotencyKey", "After", "DeadlineMs"],
        CommandKind::Query => &["Consistency", "After", "DeadlineMs"],
    };
    let conditions: &[&str] = match (entry.conditional, entry.kind) {
        (false, _) => &[],
        (true, CommandKind::Write) => &["IfMatch", "IfNoneMatch"],
        (true, CommandKind::Query) => &["IfNoneMatch"],
    };
    let shared = shared.iter().chain(conditions);
    parameters
        .extend(shared.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    parameters.into()
}

fn responses(entry: &Entry, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    let mut done = done(entry, schemas);
    if entry.tailed_from.is_some() {
        done["content"]["text/event-stream"] = json!({ "schema": {
            "type": "string",
            "description": "What there is and what comes, as server-sent events.",
        } });
    }
    responses.insert("200".to_owned(), done);
    if entry.conditional && entry.kind == CommandKind::Query {
        let headers = headers_of(&["At", "Durability", "ETag"]);
        let same = json!({ "description": "The client has it already.", "headers": headers });
        responses.insert("304".to_owned(), same);
    }
    let mut by_status: BTreeMap<u16, Vec<(&str, &str)>> = BTreeMap::new();
    for refusal in entry.refusals {
        let status = of_class(refusal.class).0.as_u16();
        by_status.entry(status).or_default().push((refusal.code, refusal.summary));
    }
    for (told, kind) in [
        (entry.asked_in.is_empty(), Kind::UnsupportedMediaType),
        (entry.answered_in.is_empty(), Kind::NotAcceptable),
    ] {
        if !told {
            by_status.entry(kind.info().status.as_u16()).or_default();
        }
    }
    for kind in Kind::ALL {
        // What every command may answer shares a status with what this one refuses.
        if let Some(codes) = by_status.get_mut(&kind.info().status.as_u16()) {
            codes.push((kind.info().code, kind.info().title));
        }
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), refused(&codes));
    }
    let default = json!({ "$ref": "#/components/responses/Problem" });
    responses.insert("default".to_owned(), default);
    responses.into()
}

/// What the outcome is in each of its forms.
fn done(entry: &Entry, schemas: &mut Schemas) -> Value {
    let mut headers = vec!["At", "Durability", "Replayed"];
    headers.extend(entry.conditional.then_some("ETag"));
    let mut done = json!({
        "description": "The outcome.",
        "headers": headers_of(&headers),
        "content": { "application/json": { "schema": schemas.outcome(entry) } },
    });
    for form in entry.answered_in {
        done["content"][form.media_type] = json!({ "schema": schemas.answered(form) });
        for (name, summary) in form.fields {
            let schema = json!({ "type": "string" });
            let description = format!("{summary} With {}.", form.media_type);
            done["headers"][name] = json!({ "description": description, "schema": schema });
        }
    }
    done
}

fn refused(codes: &[(&str, &str)]) -> Value {
    let lines: Vec<_> =
        codes.iter().map(|(code, summary)| format!("- `{code}`: {summary}")).collect();
    let names: Vec<_> = codes.iter().map(|(code, _)| code).collect();
    json!({
        "description": lines.join("\n"),
        "headers": headers_of(&["At", "Durability", "Replayed"]),
        "content": { "application/problem+json": { "schema": { "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "properties": { "code": { "enum": names } } },
        ] } } },
    })
}

fn headers_of(names: &[&str]) -> Value {
    let headers = names.iter().map(|name| {
        let (field, _) = HEADERS.iter().find(|(_, known)| known == name).expect("it is listed");
        ((*field).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }))
    });
    Value::Object(headers.collect())
}

/// What the edge answers itself.
pub(super) fn built_in(built_in: BuiltIn) -> Value {
    let (id, summary, content) = match built_in {
        BuiltIn::Health => ("health", "The process lives.", "application/json"),
        BuiltIn::Ready => {
            ("ready", "The partition leads, or follows one that does.", "application/json")
        }
        BuiltIn::Metrics => ("metrics", "Counts.", "application/openmetrics-text"),
        BuiltIn::Info => {
            ("info", "What this server is, who leads, and what the log is on.", "application/json")
        }
        BuiltIn::Changes => {
            ("changes", "Committed writes in version order; waits for more.", "application/json")
        }
        BuiltIn::OpenApi => ("openapi", "This description.", "application/json"),
        BuiltIn::ErrorPage => ("error_page", "The page about a problem.", "text/markdown"),
    };
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "tags": ["server"],
        "responses": {
            "200": { "description": summary, "content": { content: {} } },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    match built_in {
        BuiltIn::Changes => {
            operation["parameters"] = changes_parameters();
            operation["responses"]["200"]["content"]["text/event-stream"] = json!({});
        }
        BuiltIn::ErrorPage => {
            let schema = json!({ "type": "string" });
            operation["parameters"] =
                json!([{ "name": "code", "in": "path", "required": true, "schema": schema }]);
        }
        BuiltIn::Info => {
            let schema = crate::info::schema();
            operation["responses"]["200"]["content"][content] = json!({ "schema": schema });
        }
        BuiltIn::Health | BuiltIn::Ready | BuiltIn::Metrics | BuiltIn::OpenApi => {}
    }
    operation
}

fn changes_parameters() -> Value {
    let number = || json!({ "type": "integer", "minimum": 0 });
    let parameter = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let [tables, parts] =
        std::array::from_fn(|_| json!({ "type": "array", "items": { "type": "string" } }));
    json!([
        parameter("after", "Changes after this version; 0 for all.", number()),
        parameter("table", "Only this table; may be repeated.", tables),
        parameter("key", "Only rows with this as the first part of their keys; may be repeated for more parts.", parts),
        parameter("wait", "Seconds to wait for the first change.", number()),
        parameter("limit", "Transactions in one answer.", number()),
        {
            "name": "Last-Event-ID", "in": "header", "schema": number(),
            "description": "Goes on after this version; sent by clients that reconnect.",
        },
    ])
}

/// Header fields of requests.
pub(super) fn parameters() -> Value {
    let parameter = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    let key = json!({ "type": "string", "pattern": "^[!-~]{1,255}$" });
    let at = json!({ "type": "string", "pattern": "^[0-9]+:[0-9]+$" });
    let level = json!({ "type": "string", "pattern": "^(linearizable|session|stale(=[0-9]+)?)$" });
    let ms = json!({ "type": "integer", "minimum": 1 });
    let tag = || json!({ "type": "string", "pattern": "^(\\*|\"[0-9]+\")$" });
    json!({
        "IdempotencyKey": parameter("Idempotency-Key", "Makes the request repeatable.", key),
        "After": parameter("Holdfast-After", "The answer must have seen this version.", at),
        "Consistency": parameter("Holdfast-Consistency", "How fresh the answer must be.", level),
        "DeadlineMs": parameter("Holdfast-Deadline-Ms", "How long the answer is of use.", ms),
        "IfMatch": parameter("If-Match", "Only if this is there: its ETag, or *.", tag()),
        "IfNoneMatch": parameter("If-None-Match", "Only if this is not there: *, or an ETag.", tag()),
    })
}

const HEADERS: &[(&str, &str)] = &[
    ("Holdfast-At", "At"),
    ("Holdfast-Durability", "Durability"),
    ("Idempotency-Replayed", "Replayed"),
    ("ETag", "ETag"),
];

/// Header fields of responses.
pub(super) fn headers() -> Value {
    let header =
        |description: &str, schema: Value| json!({ "description": description, "schema": schema });
    let durability = json!({ "enum": ["memory", "fsync", "quorum-fsync", "object-store"] });
    let at = json!({ "type": "string", "pattern": "^[0-9]+:[0-9]+$" });
    json!({
        "At": header("The answer's partition and version.", at),
        "Durability": header("How safe an acknowledged write is.", durability),
        "Replayed": header("The stored answer of an earlier request.", json!({ "const": "true" })),
        "ETag": header("The version, in quotes.", json!({ "type": "string" })),
    })
}
