//! Tools as OpenAI's models are shown them: a namespace of TypeScript types.
//!
//! The form is OpenAI's own and undocumented; it is known from what models repeat and from the counts that come
//! back. Only its length matters here, so that what is rare (defaults, bounds, patterns) is left out.

use flow_model::{Raw, Tool};
use serde_json::{Map, Value};

/// Bytes of a schema that is rendered; a longer one is counted as it stands.
pub(crate) const SCHEMA_BYTES_MAX: usize = 256 << 10;
/// Depth of types within types; deeper ones are `any`.
const SCHEMA_DEPTH_MAX: usize = 24;
/// Bytes of all declarations. A type that names itself twice on every level would double with each of them.
const DECLARATIONS_BYTES_MAX: usize = 4 << 20;

/// Returns the declarations of tools.
pub(crate) fn declarations<'a>(tools: impl Iterator<Item = &'a Tool>) -> String {
    let mut out = String::from("# Tools\n\n## functions\n\nnamespace functions {\n\n");
    for tool in tools {
        comment(&mut out, tool.description.as_deref());
        out.push_str("type ");
        out.push_str(&tool.name);
        match tool.schema.as_ref().map(Raw::as_str) {
            Some(text) if text.len() > SCHEMA_BYTES_MAX => {
                out.push_str(" = (_: ");
                out.push_str(text);
            }
            Some(text) => match serde_json::from_str::<Value>(text) {
                Ok(value) if has_properties(&value) => {
                    out.push_str(" = (_: ");
                    render(&mut out, &value, 0);
                }
                _ => out.push_str(" = ("),
            },
            None => out.push_str(" = ("),
        }
        out.push_str(") => any;\n\n");
    }
    out.push_str("} // namespace functions");
    out
}

fn has_properties(schema: &Value) -> bool {
    properties(schema).is_some_and(|properties| !properties.is_empty())
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn comment(out: &mut String, text: Option<&str>) {
    for line in text.unwrap_or_default().lines() {
        out.push_str("// ");
        out.push_str(line);
        out.push('\n');
    }
}

fn render(out: &mut String, schema: &Value, depth: usize) {
    if depth > SCHEMA_DEPTH_MAX || out.len() > DECLARATIONS_BYTES_MAX {
        out.push_str("any");
        return;
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return union(out, values, |out, value| {
            out.push_str(&value.to_string());
        });
    }
    let choices = ["anyOf", "oneOf"]
        .iter()
        .find_map(|name| schema.get(name)?.as_array());
    if let Some(choices) = choices {
        return union(out, choices, |out, choice| render(out, choice, depth + 1));
    }
    match schema.get("type") {
        Some(Value::Array(names)) => union(out, names, |out, name| named(out, schema, name, depth)),
        Some(name) => named(out, schema, name, depth),
        None if properties(schema).is_some() => object(out, schema, depth),
        None => out.push_str("any"),
    }
}

fn union(out: &mut String, items: &[Value], mut each: impl FnMut(&mut String, &Value)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(" | ");
        }
        each(out, item);
    }
}

fn named(out: &mut String, schema: &Value, name: &Value, depth: usize) {
    match name.as_str() {
        Some("integer" | "number") => out.push_str("number"),
        Some("array") => {
            render(out, schema.get("items").unwrap_or(&Value::Null), depth + 1);
            out.push_str("[]");
        }
        Some("object") => object(out, schema, depth),
        Some(name) => out.push_str(name),
        None => out.push_str("any"),
    }
}

fn object(out: &mut String, schema: &Value, depth: usize) {
    let Some(properties) = properties(schema) else {
        out.push_str("object");
        return;
    };
    let required = schema.get("required").and_then(Value::as_array);
    out.push_str("{\n");
    for (name, value) in properties {
        comment(out, value.get("description").and_then(Value::as_str));
        out.push_str(name);
        let needed = required.is_some_and(|list| list.iter().any(|one| one.as_str() == Some(name)));
        out.push_str(if needed { ": " } else { "?: " });
        render(out, value, depth + 1);
        out.push_str(",\n");
    }
    out.push('}');
}
