use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes = routes::routes();
    let table: BTreeSet<_> = routes
        .table()
        .iter()
        .map(|(method, path)| ((*path).to_owned(), (*method).to_owned()))
        .collect();
    let document = document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.insert((path.clone(), method.clone()));
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"].is_object(), "{method} {path}");
        }
    }
    assert_eq!(table, described);
    assert_eq!(table.len(), routes.table().len());
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    if let (Some(target), true) = (value.as_str(), key == "$ref") {
                        found.insert(target);
                    }
                    references(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.contains("#/components/schemas/Row"), "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let document = document();
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name}");
        }
    }
}

#[test]
fn the_committed_document_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json");
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == openapi_json(),
        "web/openapi.json is stale; run `cargo run -p flow-api --example openapi > web/openapi.json`"
    );
}
