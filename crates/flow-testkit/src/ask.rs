//! What the provider reads of a request: just enough to choose an answer and to count.
//!
//! This is not a codec. Members that are missing or of another type count as absent; nothing fails but JSON that
//! is none, which is answered as the real providers do.

mod parts;

use serde_json::Value;

use crate::digest::Ids;
use crate::target::Api;

use parts::{
    aws_image, has_member, holds, image_of, kiro_now, ollama_images, result_of, result_text,
    text_of, texts, tool_names,
};

/// Last turn that an id of Responses tells from others.
const TURN_MAX: usize = 0xFF;

/// What a request asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    /// Responses: a summary of the thinking is shown.
    pub(crate) show_reasoning: bool,
    /// Responses: the thinking is given in a form that only the provider reads.
    pub(crate) encrypt_reasoning: bool,
    pub(crate) system: String,
    /// First words of the user.
    pub(crate) opening: String,
    /// Everything that the user said, a message each.
    pub(crate) said: Vec<String>,
    /// Answers that the request already holds.
    pub(crate) answers: usize,
    pub(crate) images: Vec<(String, usize)>,
    /// Results that follow the last answer.
    pub(crate) results: Vec<String>,
    /// Names of the tools that are offered.
    pub(crate) tools: Vec<String>,
    pub(crate) cache_marks: bool,
    /// Estimated tokens of everything, and of what an earlier request already held.
    pub(crate) tokens: u64,
    pub(crate) tokens_before: u64,
}

// === impl Ask ===

impl Ask {
    /// Reads a request's body.
    pub(crate) fn read(api: Api, body: &Value) -> Self {
        let mut ask = Self {
            model: text_of(body.get("model").or_else(|| kiro_now(body)?.get("modelId"))),
            stream: body
                .get("stream")
                .and_then(Value::as_bool)
                .unwrap_or(api.streams_unasked()),
            include_usage: body.pointer("/stream_options/include_usage") == Some(&true.into()),
            show_reasoning: body
                .pointer("/reasoning/summary")
                .is_some_and(Value::is_string),
            encrypt_reasoning: holds(body.get("include"), "reasoning.encrypted_content"),
            tools: tool_names(body),
            cache_marks: has_member(body, "cache_control") || has_member(body, "cachePoint"),
            ..Self::default()
        };
        for member in [
            "system",
            "systemInstruction",
            "system_instruction",
            "instructions",
        ] {
            ask.hear(&texts(body.get(member)).join("\n"));
        }
        let tools = body.get("tools").or_else(|| body.get("toolConfig"));
        ask.tokens = tokens(&ask.system) + tools.map_or(0, |tools| tokens(&tools.to_string()));
        if let Some(turn) = body.get("previous_response_id").and_then(Value::as_str) {
            ask.answers = turn_of(turn).map_or(0, |turn| turn + 1);
        }
        match api {
            Api::Responses => ask.items(body.get("input")),
            Api::Completions | Api::OllamaGenerate => ask.prompt(body),
            Api::Kiro => ask.kiro(body),
            Api::Gemini => ask.messages(body.get("contents")),
            Api::OpenAi | Api::Anthropic | Api::Ollama | Api::Cohere | Api::Converse => {
                ask.messages(body.get("messages"));
            }
        }
        ask
    }

    fn messages(&mut self, messages: Option<&Value>) {
        for message in messages.and_then(Value::as_array).into_iter().flatten() {
            let content = message.get("content").or_else(|| message.get("parts"));
            let content = content.unwrap_or(&Value::Null);
            self.tokens += tokens(&message.to_string());
            match text_of(message.get("role")).as_str() {
                "system" | "developer" => self.hear(&texts(Some(content)).join("\n")),
                "assistant" | "model" => self.answered(),
                "tool" => self.results.push(result_text(content)),
                _ => {
                    self.user(content);
                    self.images.extend(ollama_images(message));
                }
            }
        }
    }

    /// Reads the items of Responses: what the model made in one go, such as thinking and calls, is one answer.
    fn items(&mut self, input: Option<&Value>) {
        let mut answering = false;
        for item in match input {
            Some(Value::Array(items)) => items.as_slice(),
            Some(words) => std::slice::from_ref(words),
            None => &[],
        } {
            let kind = text_of(item.get("type"));
            let role = text_of(item.get("role"));
            self.tokens += tokens(&item.to_string());
            let answers = if kind.ends_with("_output") {
                let output = item.get("output").unwrap_or(&Value::Null);
                self.results.push(texts(Some(output)).join("\n"));
                false
            } else if role == "system" || role == "developer" {
                self.hear(&texts(item.get("content")).join("\n"));
                false
            } else if role == "user" || item.is_string() {
                self.user(item.get("content").unwrap_or(item));
                false
            } else {
                true
            };
            if answers && !answering {
                self.answered();
            } else if answers {
                self.tokens_before = self.tokens;
            }
            answering = answers;
        }
    }

    fn prompt(&mut self, body: &Value) {
        let prompt = body.get("prompt").unwrap_or(&Value::Null);
        self.tokens += tokens(&prompt.to_string());
        self.user(prompt);
        self.images.extend(ollama_images(body));
    }

    fn kiro(&mut self, body: &Value) {
        let history = body.pointer("/conversationState/history");
        let history = history.and_then(Value::as_array).into_iter().flatten();
        for message in history.chain(body.pointer("/conversationState/currentMessage")) {
            self.tokens += tokens(&message.to_string());
            let Some(said) = message.get("userInputMessage") else {
                self.answered();
                continue;
            };
            let results = said.pointer("/userInputMessageContext/toolResults");
            for result in results.and_then(Value::as_array).into_iter().flatten() {
                self.results.push(texts(result.get("content")).join("\n"));
            }
            for image in said
                .get("images")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.images.extend(aws_image(image));
            }
            self.user(said.get("content").unwrap_or(&Value::Null));
        }
    }

    fn hear(&mut self, system: &str) {
        self.system.push_str(system);
    }

    fn answered(&mut self) {
        self.answers += 1;
        self.tokens_before = self.tokens;
        self.results.clear();
        self.images.clear();
    }

    fn user(&mut self, content: &Value) {
        let words = texts(Some(content)).join("\n");
        if !words.is_empty() {
            if self.opening.is_empty() {
                self.opening.clone_from(&words);
            }
            self.said.push(words);
        }
        for part in content.as_array().into_iter().flatten() {
            if let Some(result) = result_of(part) {
                self.results.push(result);
            }
            if let Some(image) = image_of(part) {
                self.images.push(image);
            }
        }
    }

    /// Returns the last words of the user.
    pub(crate) fn last(&self) -> &str {
        self.said.last().map_or("", String::as_str)
    }
}

/// Returns the id of a Responses answer. It tells the turn, so that a request that names it instead of holding the
/// conversation can be answered without a memory.
pub(crate) fn response_id(ids: &Ids, turn: usize) -> String {
    let place = turn % (TURN_MAX + 1);
    format!("resp_{place:02x}{}", ids.hex(&format!("answer {turn}"), 48))
}

/// Returns the turn that a Responses answer was.
fn turn_of(id: &str) -> Option<usize> {
    let digits = id.strip_prefix("resp_")?.get(..2)?;
    usize::from_str_radix(digits, 16).ok()
}

/// Returns an estimate of the tokens of a text, by the widths that common tokenizers show.
pub(crate) fn tokens(text: &str) -> u64 {
    let (narrow, wide) = text.chars().fold((0_u64, 0_u64), |(narrow, wide), letter| {
        if letter.is_ascii() {
            (narrow + 1, wide)
        } else {
            (narrow, wide + 1)
        }
    });
    narrow.div_ceil(4) + (wide * 7).div_ceil(10)
}

#[cfg(test)]
mod tests;
