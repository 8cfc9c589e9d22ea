//! The parts of a request's messages: texts, pictures, results and the names of tools, in each provider's form.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

pub(super) fn text_of(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn either<'a>(value: &'a Value, one: &str, other: &str) -> Option<&'a Value> {
    value.get(one).or_else(|| value.get(other))
}

/// Returns the texts of a content, whether it is a string, a list of parts, or an object with parts.
pub(super) fn texts(content: Option<&Value>) -> Vec<String> {
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

/// Returns what a tool returned, from the content of a message of its own. Cohere's holds documents.
pub(super) fn result_text(content: &Value) -> String {
    let documents = content.as_array().into_iter().flatten();
    let documents: Vec<&str> = documents
        .filter_map(|part| part.pointer("/document/data")?.as_str())
        .collect();
    if documents.is_empty() {
        texts(Some(content)).join("\n")
    } else {
        documents.join("\n")
    }
}

pub(super) fn result_of(part: &Value) -> Option<String> {
    if part.get("type").and_then(Value::as_str) == Some("tool_result") {
        return Some(texts(part.get("content")).join("\n"));
    }
    if let Some(result) = part.get("toolResult") {
        return Some(texts(result.get("content")).join("\n"));
    }
    let response = either(part, "functionResponse", "function_response")?.get("response")?;
    let member = ["output", "result", "error"]
        .iter()
        .find_map(|name| response.get(name).and_then(Value::as_str));
    Some(member.map_or_else(|| response.to_string(), str::to_owned))
}

/// Returns the media type and the number of bytes of a picture.
pub(super) fn image_of(part: &Value) -> Option<(String, usize)> {
    let url = part
        .pointer("/image_url/url")
        .or_else(|| part.get("image_url"));
    if let Some(url) = url.and_then(Value::as_str) {
        let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
        let media = head.split(';').next().unwrap_or_default();
        return Some((media.to_owned(), decoded_bytes(data)));
    }
    if let Some(image) = part.get("image") {
        return aws_image(image);
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

/// Returns a picture of Bedrock or Kiro.
pub(super) fn aws_image(image: &Value) -> Option<(String, usize)> {
    let format = image.get("format")?.as_str()?;
    let data = image.pointer("/source/bytes")?.as_str()?;
    Some((format!("image/{format}"), decoded_bytes(data)))
}

/// Returns the pictures beside the content of a message. Ollama sends them without a type.
pub(super) fn ollama_images(message: &Value) -> impl Iterator<Item = (String, usize)> {
    let images = message.get("images").and_then(Value::as_array);
    let images = images.into_iter().flatten().filter_map(Value::as_str);
    images.map(|data| ("image".to_owned(), decoded_bytes(data)))
}

/// Returns Kiro's current message.
pub(super) fn kiro_now(body: &Value) -> Option<&Value> {
    body.pointer("/conversationState/currentMessage/userInputMessage")
}

/// Returns the names of the tools that a request offers; the type of those that have no name.
pub(super) fn tool_names(body: &Value) -> Vec<String> {
    let kiro = || kiro_now(body)?.pointer("/userInputMessageContext/tools");
    let tools = body
        .get("tools")
        .or_else(|| body.pointer("/toolConfig/tools"))
        .or_else(kiro);
    let mut names = Vec::new();
    for tool in tools.and_then(Value::as_array).into_iter().flatten() {
        let declared = either(tool, "functionDeclarations", "function_declarations");
        if let Some(declared) = declared.and_then(Value::as_array) {
            names.extend(declared.iter().map(|tool| text_of(tool.get("name"))));
            continue;
        }
        let inner = ["function", "toolSpec", "toolSpecification"]
            .iter()
            .find_map(|member| tool.get(member))
            .unwrap_or(tool);
        names.push(text_of(either(inner, "name", "type")));
    }
    names
}

pub(super) fn holds(list: Option<&Value>, word: &str) -> bool {
    let items = list.and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(|item| item == word))
}

fn decoded_bytes(data: &str) -> usize {
    BASE64
        .decode(data)
        .or_else(|_| BASE64_URL.decode(data))
        .map_or(0, |bytes| bytes.len())
}

pub(super) fn has_member(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(object) => {
            object.contains_key(name) || object.values().any(|value| has_member(value, name))
        }
        Value::Array(items) => items.iter().any(|item| has_member(item, name)),
        _ => false,
    }
}
