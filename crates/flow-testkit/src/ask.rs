//! What the provider reads of a request: just enough to choose an answer and to count.
//!
//! This is not a codec. Members that are missing or of another type count as absent; nothing fails but JSON that
//! is none, which is answered as the real providers do.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use serde_json::Value;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// Whose manner is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `OpenAI` chat completions.
    OpenAi,
    /// Anthropic messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Chat(Api),
    GeminiGenerate { model: String, framing: Framing },
    CountTokens(Api),
    Models(Api),
    Unknown(Api),
}

/// How the events of an answer follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Whole,
    Sse,
    JsonArray,
}

/// What a request asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ask {
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) system: String,
    /// First words of the user.
    pub(crate) opening: String,
    /// Last words of the user.
    pub(crate) last: String,
    /// Answers that the request already holds.
    pub(crate) answers: usize,
    pub(crate) images: Vec<(String, usize)>,
    /// Results that follow the last answer.
    pub(crate) results: Vec<String>,
    pub(crate) tools: bool,
    pub(crate) cache_marks: bool,
    /// Estimated tokens of everything, and of what an earlier request already held.
    pub(crate) tokens: u64,
    pub(crate) tokens_before: u64,
}

// === impl Target ===

impl Target {
    /// Returns what a request target asks for. Whatever stands before the version segment is ignored.
    pub(crate) fn of(target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        if let Some((_, rest)) = path.rsplit_once("/models/")
            && let Some((model, method)) = rest.rsplit_once(':')
        {
            let model = model.to_owned();
            let framing = match method {
                "generateContent" => Framing::Whole,
                "streamGenerateContent" if query.split('&').any(|pair| pair == "alt=sse") => {
                    Framing::Sse
                }
                "streamGenerateContent" => Framing::JsonArray,
                "countTokens" => return Self::CountTokens(Api::Gemini),
                _ => return Self::Unknown(Api::Gemini),
            };
            return Self::GeminiGenerate { model, framing };
        }
        if path.ends_with("/chat/completions") {
            Self::Chat(Api::OpenAi)
        } else if path.ends_with("/messages") {
            Self::Chat(Api::Anthropic)
        } else if path.ends_with("/messages/count_tokens") {
            Self::CountTokens(Api::Anthropic)
        } else if path.ends_with("/v1beta/models") {
            Self::Models(Api::Gemini)
        } else if path.ends_with("/models") {
            Self::Models(Api::OpenAi)
        } else if path.contains("/v1beta") {
            Self::Unknown(Api::Gemini)
        } else if path.contains("anthropic") {
            Self::Unknown(Api::Anthropic)
        } else {
            Self::Unknown(Api::OpenAi)
        }
    }
}

// === impl Ask ===

impl Ask {
    /// Reads a request's body.
    pub(crate) fn read(api: Api, body: &Value) -> Self {
        let (messages, system) = match api {
            Api::OpenAi => ("messages", ""),
            Api::Anthropic => ("messages", "system"),
            Api::Gemini => ("contents", "systemInstruction"),
        };
        let mut ask = Self {
            model: text_of(body.get("model")),
            stream: body.get("stream").and_then(Value::as_bool) == Some(true),
            include_usage: body
                .pointer("/stream_options/include_usage")
                .and_then(Value::as_bool)
                == Some(true),
            system: texts(either(body, system, "system_instruction")).join("\n"),
            tools: body
                .get("tools")
                .and_then(Value::as_array)
                .is_some_and(|tools| !tools.is_empty()),
            cache_marks: has_member(body, "cache_control"),
            ..Self::default()
        };
        let fixed = tokens(&ask.system)
            + body
                .get("tools")
                .map_or(0, |tools| tokens(&tools.to_string()));
        ask.tokens = fixed;
        for message in body
            .get(messages)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            ask.message(message);
        }
        ask
    }

    fn message(&mut self, message: &Value) {
        let role = message
            .get("role")
            .and_then(Value::as_str)
            .unwrap_or("user");
        let content = message
            .get("content")
            .or_else(|| message.get("parts"))
            .unwrap_or(&Value::Null);
        self.tokens += tokens(&message.to_string());
        match role {
            "system" | "developer" => self.system.push_str(&texts(Some(content)).join("\n")),
            "assistant" | "model" => {
                self.answers += 1;
                self.tokens_before = self.tokens;
                self.results.clear();
                self.images.clear();
            }
            "tool" => self.results.push(texts(Some(content)).join("\n")),
            _ => self.user(content),
        }
    }

    fn user(&mut self, content: &Value) {
        let words = texts(Some(content)).join("\n");
        if !words.is_empty() {
            if self.opening.is_empty() {
                self.opening.clone_from(&words);
            }
            self.last = words;
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

fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn either<'a>(value: &'a Value, one: &str, other: &str) -> Option<&'a Value> {
    value.get(one).or_else(|| value.get(other))
}

/// Returns the texts of a content, whether it is a string, a list of parts, or an object with parts.
fn texts(content: Option<&Value>) -> Vec<String> {
    match content {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .map(str::to_owned)
            .collect(),
        Some(Value::Object(object)) => match object.get("parts") {
            Some(parts) => texts(Some(parts)),
            None => object
                .get("text")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .into_iter()
                .collect(),
        },
        _ => Vec::new(),
    }
}

fn result_of(part: &Value) -> Option<String> {
    if part.get("type").and_then(Value::as_str) == Some("tool_result") {
        return Some(texts(part.get("content")).join("\n"));
    }
    let response = either(part, "functionResponse", "function_response")?.get("response")?;
    let member = ["output", "result", "error"]
        .iter()
        .find_map(|name| response.get(name).and_then(Value::as_str));
    Some(member.map_or_else(|| response.to_string(), str::to_owned))
}

/// Returns the media type and the number of bytes of a picture.
fn image_of(part: &Value) -> Option<(String, usize)> {
    if let Some(url) = part.pointer("/image_url/url").and_then(Value::as_str) {
        let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
        let media = head.split(';').next().unwrap_or_default();
        return Some((media.to_owned(), decoded_bytes(data)));
    }
    if part.get("type").and_then(Value::as_str) == Some("image") {
        let source = part.get("source")?;
        let data = text_of(source.get("data"));
        return Some((text_of(source.get("media_type")), decoded_bytes(&data)));
    }
    let inline = either(part, "inlineData", "inline_data")?;
    let data = text_of(inline.get("data"));
    Some((
        text_of(either(inline, "mimeType", "mime_type")),
        decoded_bytes(&data),
    ))
}

fn decoded_bytes(data: &str) -> usize {
    BASE64
        .decode(data)
        .or_else(|_| BASE64_URL.decode(data))
        .map_or(0, |bytes| bytes.len())
}

fn has_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(object) => {
            object.contains_key(name) || object.values().any(|value| has_member(value, name))
        }
        Value::Array(items) => items.iter().any(|item| has_member(item, name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
