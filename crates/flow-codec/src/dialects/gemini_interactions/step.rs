//! Steps, and the contents that they are made of.

use flow_model::{Media, Part, Role};

use crate::dialects::{arguments, inline_media, other_part, raws, text_part, url_media};
use crate::json::{Json, Kind};

use super::owned;

/// The members of a step or content, unread.
pub(super) struct Step<'a> {
    pub(super) kind: String,
    pub(super) text: Option<Json<'a>>,
    pub(super) annotations: Option<Json<'a>>,
    pub(super) signature: Option<Json<'a>>,
    /// The text of a call that grows.
    pub(super) partial: Option<Json<'a>>,
    pub(super) content: Option<Json<'a>>,
    role: Option<Json<'a>>,
    summary: Option<Json<'a>>,
    id: Option<Json<'a>>,
    call_id: Option<Json<'a>>,
    name: Option<Json<'a>>,
    given: Option<Json<'a>>,
    came: Option<Json<'a>>,
    is_error: Option<Json<'a>>,
    mime: Option<Json<'a>>,
    data: Option<Json<'a>>,
    uri: Option<Json<'a>>,
    whole: Json<'a>,
}

/// Reads contents: a string, a list, or one.
pub(super) fn contents(json: &mut Json<'_>, found: &mut Vec<Part>) {
    match json.kind() {
        Kind::String => found.push(text_part(json.owned().unwrap_or_default())),
        Kind::Array => {
            json.array();
            while json.element() {
                content(json, found);
            }
        }
        Kind::Object => content(json, found),
        Kind::Number | Kind::Bool | Kind::Null | Kind::None => json.skip(),
    }
}

fn content(json: &mut Json<'_>, found: &mut Vec<Part>) {
    if let Some(step) = Step::read(json) {
        return step.leaf(found);
    }
    match json.owned() {
        Some(text) => found.push(text_part(text)),
        None => found.push(other_part("unknown", json.verbatim())),
    }
}

// === impl Step ===

impl<'a> Step<'a> {
    pub(super) fn read(json: &mut Json<'a>) -> Option<Self> {
        let whole = *json;
        if !json.object() {
            return None;
        }
        let mut step = Self {
            kind: String::new(),
            text: None,
            annotations: None,
            signature: None,
            partial: None,
            content: None,
            role: None,
            summary: None,
            id: None,
            call_id: None,
            name: None,
            given: None,
            came: None,
            is_error: None,
            mime: None,
            data: None,
            uri: None,
            whole,
        };
        while let Some(name) = json.member() {
            if json.kind() != Kind::Null {
                step.member(&name, json);
            }
        }
        Some(step)
    }

    fn member(&mut self, name: &str, json: &mut Json<'a>) {
        let here = Some(*json);
        match name {
            "type" => self.kind = json.owned().unwrap_or_default(),
            "text" => self.text = here,
            "annotations" => self.annotations = here,
            "signature" => self.signature = here,
            "partial_arguments" => self.partial = here,
            "content" => self.content = here,
            "role" => self.role = here,
            "summary" => self.summary = here,
            "id" => self.id = here,
            "call_id" => self.call_id = here,
            "name" => self.name = here,
            "arguments" => self.given = here,
            "result" => self.came = here,
            "is_error" => self.is_error = here,
            "mime_type" => self.mime = here,
            "data" => self.data = here,
            "uri" => self.uri = here,
            _ => {}
        }
    }

    /// Returns whether this is something said, and no step of its own.
    pub(super) fn is_content(&self) -> bool {
        let kinds = ["text", "image", "audio", "document", "video"];
        self.role.is_none() && kinds.contains(&self.kind.as_str())
    }

    /// Returns whether this is something that the user said.
    pub(super) fn is_input(&self) -> bool {
        self.kind == "user_input"
    }

    /// Returns who speaks, and the wire's word where that is nobody known.
    pub(super) fn speaker(&self) -> (Role, Option<String>) {
        if let Some(role) = owned(self.role) {
            return match role.as_str() {
                "user" => (Role::User, None),
                "model" | "assistant" => (Role::Assistant, None),
                _ => (Role::Other, Some(role)),
            };
        }
        let role = match self.kind.as_str() {
            "user_input" => Role::User,
            "function_result" => Role::Tool,
            "model_output" | "thought" => Role::Assistant,
            kind if kind.ends_with("_call") || kind.ends_with("_result") => Role::Assistant,
            _ if self.is_content() => Role::User,
            kind => return (Role::Other, Some(kind.to_owned())),
        };
        (role, None)
    }

    /// Adds the parts of a step or of a turn.
    pub(super) fn parts(self, found: &mut Vec<Part>) {
        let holds = matches!(self.kind.as_str(), "user_input" | "model_output" | "");
        match self.content {
            Some(mut content) if holds => contents(&mut content, found),
            // An answer that has only begun holds nothing.
            None if self.kind == "model_output" => {}
            _ => self.leaf(found),
        }
    }

    /// Adds the part of a step that holds no contents.
    fn leaf(mut self, found: &mut Vec<Part>) {
        let known = match self.kind.as_str() {
            "text" => Some(Part::Text {
                text: owned(self.text).unwrap_or_default(),
                citations: raws(self.annotations),
                cache: None,
            }),
            "thought" => return self.thought(found),
            "image" => self.media().map(|media| Part::Image { media }),
            "audio" => self.media().map(|media| Part::Audio {
                media,
                transcript: None,
                id: None,
            }),
            "document" | "video" => self.media().map(|media| Part::File { media, name: None }),
            kind if kind.ends_with("_call") => Some(self.call()),
            kind if kind.ends_with("_result") => Some(self.result()),
            _ => None,
        };
        found.push(known.unwrap_or_else(|| other_part(&self.kind, self.whole.verbatim())));
    }

    pub(super) fn is_signed(&self) -> bool {
        let signature = self.signature.and_then(|mut json| json.string());
        signature.is_some_and(|signature| !signature.is_empty())
    }

    fn thought(&self, found: &mut Vec<Part>) {
        let signed = self.is_signed();
        let mut parts = Vec::new();
        if let Some(mut summary) = self.summary {
            contents(&mut summary, &mut parts);
        }
        let (mut all, mut others) = (String::new(), Vec::new());
        for part in parts {
            match part {
                Part::Text { text, .. } => all.push_str(&text),
                part => others.push(part),
            }
        }
        found.push(Part::Thinking {
            redacted: signed && all.is_empty(),
            text: all,
            signed,
        });
        found.append(&mut others);
    }

    fn call(&self) -> Part {
        // Only functions and tools of a server of MCP have names of their own.
        let name = owned(self.name).filter(|name| !name.is_empty());
        Part::ToolCall {
            id: owned(self.id),
            name: name.unwrap_or_else(|| self.kind.clone()),
            arguments: self
                .given
                .map_or_else(String::new, |mut given| arguments(&mut given)),
            server: self.kind != "function_call",
        }
    }

    fn result(&self) -> Part {
        let server = self.kind != "function_result";
        let mut content = Vec::new();
        if let Some(mut came) = self.came {
            // A program returns text, contents, or any value; what the provider's tools return is of their own.
            let of_contents = came.kind() == Kind::String || (!server && is_contents(came));
            if of_contents {
                contents(&mut came, &mut content);
            } else {
                content.push(other_part(&self.kind, came.verbatim()));
            }
        }
        Part::ToolResult {
            call_id: owned(self.call_id),
            name: owned(self.name),
            content,
            is_error: self.is_error.and_then(|mut json| json.bool()) == Some(true),
            server,
        }
    }

    fn media(&self) -> Option<Media> {
        let document = self.whole.document();
        let mime = owned(self.mime);
        if let Some(data) = self.data.and_then(|mut data| data.string()) {
            return Some(inline_media(mime, data, document));
        }
        let uri = self.uri.and_then(|mut uri| uri.string())?;
        let media = url_media(uri, document);
        let mime = mime.or(media.mime);
        Some(Media { mime, ..media })
    }
}

/// Returns whether a value is a list of contents.
fn is_contents(mut json: Json<'_>) -> bool {
    json.array() && json.element() && Step::read(&mut json).is_some_and(|step| step.is_content())
}
