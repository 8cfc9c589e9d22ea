//! The flows and cases of `spec.toml`, as rows and readings: for the tests of every evaluator.
//!
//! A flow is described by the few members of its row that matter (`row`), and by its texts in order, each with its
//! kind; the first messages, `known` of them, earlier flows of its conversation brought. A running flow has a
//! reading too, which evaluators must not look at.

use flow_model::{Choice, ErrorReading, Message, Part, Reading, Role, Row};
use flow_query::{Checked, Filter, Texts};
use serde::Deserialize;
use serde_json::{Value, json};

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) flows: Vec<Flow>,
    pub(crate) cases: Vec<Case>,
}

/// A flow, described.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flow {
    pub(crate) name: String,
    #[serde(default)]
    row: serde_json::Map<String, Value>,
    #[serde(default)]
    texts: Vec<(String, String)>,
    /// Messages of the prompt that are not new.
    #[serde(default)]
    pub(crate) known: usize,
}

/// A filter and the names of the flows that it selects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) filter: String,
    pub(crate) selects: Vec<String>,
}

impl Spec {
    /// Reads the file of the tree.
    pub(crate) fn read() -> Self {
        toml::from_str(include_str!("../spec.toml")).unwrap()
    }
}

impl Flow {
    /// Returns the row: of an ended call without any counts, but for what the file says. Ids rise with `number`.
    pub(crate) fn row(&self, number: usize) -> Row {
        let mut row = json!({
            "id": format!("019a0000-0000-7000-8000-{number:012}"),
            "started_at": 1_790_000_000_000_000_u64 + number as u64 * 1_000_000,
            "state": "completed", "end": "ended", "method": "POST", "path": "/",
            "streaming": false, "estimated": false, "tokens": {},
            "request_bytes": 0, "response_bytes": 0, "events": 0,
            "tools": [], "gap": false, "truncated": false, "diagnostics": false,
        });
        for (name, value) in &self.row {
            row[name] = value.clone();
        }
        if self.is_running() {
            row["end"] = Value::Null;
        }
        let row: Row = serde_json::from_value(row).unwrap();
        let members = serde_json::to_value(&row).unwrap();
        for name in self.row.keys() {
            assert!(members.get(name).is_some(), "a row has no member {name}");
        }
        row
    }

    /// Returns whether the flow has not ended.
    pub(crate) fn is_running(&self) -> bool {
        let state = self.row.get("state").and_then(Value::as_str);
        matches!(state, Some("pending" | "streaming"))
    }

    /// Returns the reading: the texts, and nothing else.
    pub(crate) fn reading(&self) -> Reading {
        let mut reading = Reading::default();
        let mut answer = Vec::new();
        for (kind, text) in &self.texts {
            let (role, part) = part(kind, text);
            match kind.as_str() {
                "system" => reading.request.system.push(part),
                "error" => {
                    reading.response.error = Some(ErrorReading {
                        message: Some(text.clone()),
                        ..ErrorReading::default()
                    });
                }
                kind if kind.starts_with("answer") => answer.push(part),
                _ => reading.request.messages.push(message(role, vec![part])),
            }
        }
        reading.response.choices.push(Choice {
            index: 0,
            message: message(Role::Assistant, answer),
            stop_reason: None,
            stop: None,
            logprobs: None,
        });
        reading
    }

    /// Returns whether a filter selects the flow, by the evaluator in memory.
    pub(crate) fn is_selected(&self, number: usize, filter: &Checked) -> bool {
        let reading = self.reading();
        let texts = if self.is_running() {
            Texts::default()
        } else {
            Texts::after(&reading, self.known)
        };
        filter.matches(&self.row(number), &texts)
    }
}

impl Case {
    /// Returns the filter, checked.
    pub(crate) fn checked(&self) -> Checked {
        let filter = Filter::from_json(&self.filter).unwrap();
        let checked = filter.check();
        checked.unwrap_or_else(|errors| panic!("{}: {errors:?}", self.filter))
    }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
    }
}

fn part(kind: &str, text: &str) -> (Role, Part) {
    let plain = Part::Text {
        text: text.to_owned(),
        citations: Vec::new(),
        cache: None,
    };
    match kind {
        "system" | "user" | "error" => (Role::User, plain),
        "assistant" | "answer" => (Role::Assistant, plain),
        "thinking" | "answer_thinking" => (
            Role::Assistant,
            Part::Thinking {
                text: text.to_owned(),
                signed: false,
                redacted: false,
            },
        ),
        "tool_arguments" | "answer_tool_arguments" => (
            Role::Assistant,
            Part::ToolCall {
                id: None,
                name: "tool".to_owned(),
                arguments: text.to_owned(),
                server: false,
            },
        ),
        "tool_result" => (
            Role::Tool,
            Part::ToolResult {
                call_id: None,
                name: None,
                content: vec![plain],
                is_error: false,
                server: false,
            },
        ),
        other => panic!("no kind of text is {other}"),
    }
}
