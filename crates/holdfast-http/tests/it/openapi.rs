//! The description of the API: complete, consistent, and changed on purpose only.

use std::collections::BTreeSet;

use holdfast_http::{openapi::describe, router::BuiltIn};
use holdfast_node::{Registry, registry::method_name};
use serde_json::Value;

use crate::{lab, server::TestServer};

#[test]
fn it_changes_on_purpose_only() {
    let description = describe(&Registry::all());
    assert_eq!(description, describe(&Registry::all()));
    insta::assert_snapshot!(serde_json::to_string_pretty(&description).unwrap());
}

#[test]
fn the_server_shows_the_description_of_what_it_answers() {
    let server = TestServer::start();
    assert_eq!(server.client().get("/openapi.json").json(), describe(&lab::registry()));
}

#[test]
fn every_command_is_described_and_nothing_else_is() {
    for registry in [Registry::all(), lab::registry()] {
        let description = describe(&registry);
        let mut expected: BTreeSet<_> =
            BuiltIn::ALL.iter().map(|(_, path)| (path.to_string(), "get".to_owned())).collect();
        for entry in registry.commands() {
            expected.insert((entry.path.to_owned(), method_name(entry.method).to_lowercase()));
        }
        let mut found = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for (path, operations) in description["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                found.insert((path.clone(), method.clone()));
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} is there twice");
                check_parameters(path, operation);
            }
        }
        assert_eq!(found, expected);
        check_references(&description, &description);
    }
}

/// Whatever stands in braces is a required path parameter, and the other way round.
fn check_parameters(path: &str, operation: &Value) {
    let in_path = path.split('/').filter(|part| part.starts_with('{'));
    let in_path: BTreeSet<_> = in_path.map(|part| part.trim_matches(['{', '}'])).collect();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let declared = parameters.filter(|parameter| parameter["in"] == "path").map(|parameter| {
        assert_eq!(parameter["required"], true, "{path}");
        parameter["name"].as_str().unwrap()
    });
    assert_eq!(declared.collect::<BTreeSet<_>>(), in_path, "{path}");
}

fn check_references(root: &Value, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref") {
                let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(root.pointer(pointer).is_some(), "{pointer} leads nowhere");
            }
            fields.values().for_each(|value| check_references(root, value));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(root, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_refusal_of_a_command_is_in_its_description() {
    let registry = Registry::all();
    let description = describe(&registry);
    for entry in registry.commands() {
        let method = method_name(entry.method).to_lowercase();
        let responses = &description["paths"][entry.path][&method]["responses"];
        for refusal in entry.refusals {
            let status = holdfast_http::problem::of_class(refusal.class).0.as_u16().to_string();
            let schema = &responses[&status]["content"]["application/problem+json"]["schema"];
            let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array();
            let listed = codes.is_some_and(|codes| codes.contains(&refusal.code.into()));
            assert!(listed, "{} does not list {}", entry.name, refusal.code);
        }
    }
}
