//! Items: what `input` and `output` are made of.

use flow_model::{Part, Role};

use crate::dialects::{arguments, inline_media, other_part};
use crate::json::{Json, Kind};

use super::content::contents;
use super::{filled, owned};

/// Where in its item a part stands. The parts of one item are in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A part of the summary of reasoning.
    Summary(u64),
    /// A part of the reasoning itself.
    Thought(u64),
    /// A part of a message.
    Content(u64),
    /// Sound.
    Sound(u64),
    /// The call.
    Call,
    /// What came of it.
    Result,
    /// The item as it is.
    Whole,
}

/// The members of an item, unread.
pub(super) struct Item<'a> {
    pub(super) kind: String,
    pub(super) id: Option<String>,
    role: Option<String>,
    call_id: Option<Json<'a>>,
    name: Option<Json<'a>>,
    status: Option<Json<'a>>,
    content: Option<Json<'a>>,
    summary: Option<Json<'a>>,
    signature: Option<Json<'a>>,
    /// What a tool is called with, under any of its names.
    given: Option<Json<'a>>,
    /// What a tool returned, under any of its names.
    came: Option<Json<'a>>,
    error: Option<Json<'a>>,
    /// Who runs the call: `environment` or `execution`.
    place: Option<Json<'a>>,
    prompt: Option<Json<'a>>,
    format: Option<Json<'a>>,
    whole: Json<'a>,
}

// === impl Item ===

impl<'a> Item<'a> {
    pub(super) fn read(json: &mut Json<'a>) -> Option<Self> {
        let whole = *json;
        if !json.object() {
            return None;
        }
        let mut item = Self {
            kind: String::new(),
            id: None,
            role: None,
            call_id: None,
            name: None,
            status: None,
            content: None,
            summary: None,
            signature: None,
            given: None,
            came: None,
            error: None,
            place: None,
            prompt: None,
            format: None,
            whole,
        };
        while let Some(name) = json.member() {
            if json.kind() != Kind::Null {
                item.member(&name, json);
            }
        }
        // A message may go without its type.
        if item.kind.is_empty() && item.role.is_some() {
            "message".clone_into(&mut item.kind);
        }
        Some(item)
    }

    /// Reads an item, with the number of bytes that are kept of it: those of an image stay where they are.
    pub(super) fn sized(json: &mut Json<'a>) -> Option<(usize, Self)> {
        let start = json.offset();
        let item = Self::read(json)?;
        let bytes = json.end_offset().saturating_sub(start);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let is_image = item.kind == "image_generation_call";
        Some((if is_image { 0 } else { bytes }, item))
    }

    fn member(&mut self, name: &str, json: &mut Json<'a>) {
        let here = Some(*json);
        match name {
            "type" => self.kind = json.owned().unwrap_or_default(),
            "id" => self.id = json.owned(),
            "role" => self.role = json.owned(),
            "call_id" => self.call_id = here,
            "name" => self.name = here,
            "status" => self.status = here,
            "content" => self.content = here,
            "summary" => self.summary = here,
            "signature" => self.signature = here,
            "arguments" => self.given = self.given.or(here),
            "input" | "action" | "actions" | "queries" | "code" | "operation" => self.given = here,
            "output" | "outputs" | "result" | "results" | "tools" => self.came = here,
            "error" => self.error = here,
            "environment" | "execution" => self.place = here,
            "revised_prompt" => self.prompt = here,
            "output_format" => self.format = here,
            _ => {}
        }
    }

    /// Returns whether this is a message of somebody else than the assistant.
    pub(super) fn is_foreign(&self) -> bool {
        let role = self.role.as_deref();
        self.kind == "message" && role.is_some_and(|role| role != "assistant")
    }

    /// Returns where the tools are that the item adds to those of the request.
    pub(super) fn added_tools(&self) -> Option<Json<'a>> {
        self.came.filter(|_| self.kind == "additional_tools")
    }

    /// Returns where the parts of a message are.
    pub(super) fn content(&self) -> Option<Json<'a>> {
        self.content.filter(|_| self.kind == "message")
    }

    /// Returns who speaks, and the wire's word where that is nobody known.
    pub(super) fn speaker(&self) -> (Role, Option<String>) {
        let role = match self.role.as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system" | "developer") => Role::System,
            Some("tool") => Role::Tool,
            Some(other) => return (Role::Other, Some(other.to_owned())),
            None => match self.kind.as_str() {
                kind if kind.ends_with("_output") => Role::Tool,
                "mcp_approval_response" => Role::User,
                "reasoning"
                | "program"
                | "mcp_list_tools"
                | "mcp_approval_request"
                | "compaction" => Role::Assistant,
                kind if kind.ends_with("_call") => Role::Assistant,
                kind => return (Role::Other, Some(kind.to_owned())),
            },
        };
        (role, None)
    }

    /// Hands out the parts of the item. `answered` says that it stands in a response.
    pub(super) fn parts(mut self, answered: bool, each: &mut impl FnMut(Place, Part)) {
        match self.kind.as_str() {
            "message" if !(answered && self.is_foreign()) => self.message(each),
            "reasoning" => self.reasoning(each),
            "image_generation_call" => self.image(each),
            kind if kind.ends_with("_output") => {
                let part = self.returned(answered);
                each(Place::Result, part);
            }
            _ => match self.is_server() {
                Some(server) => self.call(server, each),
                None => each(Place::Whole, other_part(&self.kind, self.whole.verbatim())),
            },
        }
    }

    fn message(&self, each: &mut impl FnMut(Place, Part)) {
        let mut number = 0;
        let Some(mut content) = self.content else {
            return;
        };
        contents(&mut content, &mut |part| {
            let place = match part {
                Part::Thinking { .. } => Place::Thought(number),
                _ => Place::Content(number),
            };
            each(place, part);
            number += 1;
        });
    }

    fn reasoning(&self, each: &mut impl FnMut(Place, Part)) {
        let signature = self.signature.and_then(|mut json| json.string());
        let mut signed = signature.is_some_and(|signature| !signature.is_empty());
        let summary = thoughts(self.summary).into_iter();
        let summary = summary.map(|(number, text)| (Place::Summary(number), text));
        let content = thoughts(self.content).into_iter();
        let content = content.map(|(number, text)| (Place::Thought(number), text));
        let mut all: Vec<(Place, String)> = summary.chain(content).collect();
        let redacted = all.is_empty();
        if redacted {
            all.push((Place::Summary(0), String::new()));
        }
        for (place, text) in all {
            let part = Part::Thinking {
                text,
                // One signature is for all of the item; its first part carries it.
                signed: std::mem::take(&mut signed),
                redacted,
            };
            each(place, part);
        }
    }

    /// Returns whether the provider runs the call; none where the item is no call.
    fn is_server(&self) -> Option<bool> {
        Some(match self.kind.as_str() {
            "function_call" | "custom_tool_call" | "apply_patch_call" | "computer_call"
            | "local_shell_call" => false,
            "web_search_call"
            | "file_search_call"
            | "code_interpreter_call"
            | "mcp_call"
            | "program"
            | "x_search_call" => true,
            "shell_call" => {
                let kind = self.place.and_then(|mut json| json.fields(["type"]));
                kind.is_some_and(|[kind]| owned(kind).is_some_and(|kind| kind != "local"))
            }
            "tool_search_call" => !self.is_clients(),
            _ => return None,
        })
    }

    fn is_clients(&self) -> bool {
        owned(self.place).is_some_and(|place| place == "client")
    }

    fn call(&self, server: bool, each: &mut impl FnMut(Place, Part)) {
        let own = matches!(self.kind.as_str(), "function_call" | "custom_tool_call");
        let id = if own {
            owned(self.call_id)
        } else {
            filled(self.call_id).or_else(|| self.id.clone())
        };
        // Only tools that the program or a server of MCP defines have names of their own.
        let named = own || self.kind == "mcp_call";
        let name = self.name.filter(|_| named);
        let part = Part::ToolCall {
            id: id.clone(),
            name: owned(name).unwrap_or_else(|| self.kind.clone()),
            arguments: self
                .given
                .map_or_else(String::new, |mut given| arguments(&mut given)),
            server,
        };
        each(Place::Call, part);
        if !server || (self.came.is_none() && self.error.is_none()) {
            return;
        }
        let mut content = Vec::new();
        for json in [self.came, self.error].into_iter().flatten() {
            self.came_back(json, &mut content);
        }
        let result = Part::ToolResult {
            call_id: id,
            name: None,
            content,
            is_error: self.error.is_some(),
            server: true,
        };
        each(Place::Result, result);
    }

    /// Reads what a tool returned: text, parts, or else as it is.
    fn came_back(&self, mut json: Json<'_>, content: &mut Vec<Part>) {
        let of_parts = matches!(
            self.kind.as_str(),
            "function_call_output"
                | "custom_tool_call_output"
                | "computer_call_output"
                | "code_interpreter_call"
        );
        if of_parts || json.kind() == Kind::String {
            contents(&mut json, &mut |part| content.push(part));
        } else {
            content.push(other_part(&self.kind, json.verbatim()));
        }
    }

    fn returned(&self, answered: bool) -> Part {
        let mut content = Vec::new();
        if let Some(came) = self.came {
            self.came_back(came, &mut content);
        }
        let server = match self.kind.as_str() {
            "program_output" => true,
            "tool_search_output" => !self.is_clients(),
            "shell_call_output" => answered,
            _ => false,
        };
        Part::ToolResult {
            call_id: filled(self.call_id),
            name: filled(self.name),
            content,
            is_error: owned(self.status).is_some_and(|status| status == "failed"),
            server,
        }
    }

    fn image(&self, each: &mut impl FnMut(Place, Part)) {
        let call = Part::ToolCall {
            id: self.id.clone(),
            name: self.kind.clone(),
            arguments: owned(self.prompt).unwrap_or_default(),
            server: true,
        };
        each(Place::Call, call);
        let data = self.came.and_then(|mut came| came.string());
        if let Some(data) = data.filter(|data| !data.is_empty()) {
            let mime = filled(self.format).map(|format| format!("image/{format}"));
            let media = inline_media(mime, data, self.whole.document());
            each(Place::Result, Part::Image { media });
        }
    }
}

/// Returns the texts of a summary or of reasoning, each with its number.
fn thoughts(json: Option<Json<'_>>) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let Some(mut json) = json else {
        return found;
    };
    let mut number = 0;
    contents(&mut json, &mut |part| {
        if let Part::Text { text, .. } | Part::Thinking { text, .. } = part {
            found.push((number, text));
        }
        number += 1;
    });
    found
}
