//! The bodies of requests: the whole conversation up to a turn, in the form of each provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::agent::kept;
use super::client::{Client, Session};
use crate::conversation::{Conversation, Piece, Tool, Turn};
use crate::digest::Ids;
use crate::reply::{call_id, signature};
use crate::target::Api;

/// The picture that users show.
const PICTURE: &[u8] = include_bytes!("../../conversations/media/checkout.png");
const TITLE_SYSTEM: &str = "Write a short title for this conversation, in its language, of at most seven words. Answer with the title alone.";

/// What a request's body is made of.
pub(super) struct Scene<'a> {
    pub(super) client: Client,
    pub(super) model: &'a str,
    pub(super) stream: bool,
    pub(super) conversation: &'a Conversation,
    pub(super) tools: &'a [&'a Tool],
    pub(super) session: &'a Session,
    pub(super) turn: usize,
}

/// A message before it has a provider's form.
enum Message<'a> {
    User { text: &'a str, image: bool },
    Results(Vec<CallOf<'a>>),
    Assistant { turn: usize, pieces: Vec<Piece> },
}

/// A call of an earlier turn, with what the tool returned.
struct CallOf<'a> {
    id: String,
    name: &'a str,
    result: &'a str,
    failed: bool,
}

/// Returns the body of a turn's request.
pub(super) fn body(scene: &Scene<'_>) -> Value {
    let ids = Ids::new(&scene.session.opening);
    let messages = messages(scene, &ids);
    match scene.client {
        Client::OpenAiPython => openai(scene, &ids, &messages),
        Client::ClaudeCode | Client::AnthropicPython => anthropic(scene, &ids, &messages),
        Client::GeminiCli => gemini(scene, &ids, &messages),
    }
}

/// Returns the body of a side call that asks for a title.
pub(super) fn title(client: Client, model: &str, session: &Session) -> Value {
    let opening = session.opening.as_str();
    match client {
        Client::OpenAiPython => json!({"model": model, "stream": true, "messages": [
            {"role": "developer", "content": TITLE_SYSTEM}, {"role": "user", "content": opening}]}),
        Client::ClaudeCode | Client::AnthropicPython => {
            json!({"model": model, "max_tokens": 64, "temperature": 0, "stream": true,
            "system": [{"type": "text", "text": TITLE_SYSTEM}],
            "messages": [{"role": "user", "content": opening}],
            "metadata": {"user_id": user_id(session)}})
        }
        Client::GeminiCli => json!({"systemInstruction": {"parts": [{"text": TITLE_SYSTEM}]},
            "contents": [{"role": "user", "parts": [{"text": opening}]}]}),
    }
}

fn messages<'a>(scene: &Scene<'a>, ids: &Ids) -> Vec<Message<'a>> {
    let api = scene.client.api();
    let mut messages = Vec::new();
    let mut before: Option<(usize, &Turn)> = None;
    for (index, turn) in scene
        .conversation
        .turns
        .iter()
        .enumerate()
        .take(scene.turn + 1)
    {
        let results = before.map(|(index, turn)| calls(api, ids, index, turn));
        messages.extend(
            results
                .filter(|results| !results.is_empty())
                .map(Message::Results),
        );
        if let Some(user) = &turn.user {
            let text = if index == 0 {
                scene.session.opening.as_str()
            } else {
                user.trim()
            };
            messages.push(Message::User {
                text,
                image: turn.image,
            });
        }
        if index < scene.turn {
            let stopped = turn.leave_after.is_some();
            let pieces = if stopped {
                kept(turn)
            } else {
                turn.answer.clone()
            };
            messages.push(Message::Assistant {
                turn: index,
                pieces,
            });
        }
        before = Some((index, turn));
    }
    messages
}

fn calls<'a>(api: Api, ids: &Ids, index: usize, turn: &'a Turn) -> Vec<CallOf<'a>> {
    let pieces = turn.answer.iter().enumerate();
    pieces
        .filter_map(|(place, piece)| match piece {
            Piece::Call {
                tool,
                result,
                failed,
                ..
            } => Some(CallOf {
                id: call_id(api, ids, index, place),
                name: tool,
                result: result.trim_matches('\n'),
                failed: *failed,
            }),
            _ => None,
        })
        .collect()
}

fn openai(scene: &Scene<'_>, ids: &Ids, messages: &[Message<'_>]) -> Value {
    let mut list = vec![json!({"role": "developer", "content": scene.conversation.system.trim()})];
    for message in messages {
        match message {
            Message::User { text, image: false } => {
                list.push(json!({"role": "user", "content": text}));
            }
            Message::User { text, image: true } => {
                let url = format!("data:image/png;base64,{}", STANDARD.encode(PICTURE));
                list.push(json!({"role": "user", "content": [
                    {"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]}));
            }
            Message::Results(results) => list.extend(results.iter().map(
                |call| json!({"role": "tool", "tool_call_id": call.id, "content": call.result}),
            )),
            Message::Assistant { turn, pieces } => list.push(openai_answer(ids, *turn, pieces)),
        }
    }
    let tools: Vec<Value> = scene
        .tools
        .iter()
        .map(|tool| {
            json!({"type": "function", "function": {
        "name": tool.name, "description": tool.description, "parameters": tool.parameters}})
        })
        .collect();
    let mut body = object(json!({"model": scene.model, "messages": list}));
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
        body.insert("parallel_tool_calls".into(), true.into());
    }
    body.insert("reasoning_effort".into(), "medium".into());
    if scene.stream {
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    Value::Object(body)
}

fn openai_answer(ids: &Ids, turn: usize, pieces: &[Piece]) -> Value {
    let text: String = pieces.iter().filter_map(text_of).collect();
    let calls: Vec<Value> = pieces
        .iter()
        .enumerate()
        .filter_map(|(place, piece)| match piece {
            Piece::Call { tool, input, .. } => {
                let arguments = Value::Object(input.clone()).to_string();
                Some(
                    json!({"id": call_id(Api::OpenAi, ids, turn, place), "type": "function",
                "function": {"name": tool, "arguments": arguments}}),
                )
            }
            _ => None,
        })
        .collect();
    let content = if text.is_empty() {
        Value::Null
    } else {
        text.into()
    };
    let mut message = object(json!({"role": "assistant", "content": content}));
    if !calls.is_empty() {
        message.insert("tool_calls".into(), calls.into());
    }
    Value::Object(message)
}

fn anthropic(scene: &Scene<'_>, ids: &Ids, messages: &[Message<'_>]) -> Value {
    let mark = json!({"type": "ephemeral"});
    let mut list: Vec<Value> = Vec::new();
    for message in messages {
        let (role, content) = match message {
            Message::User { text, image } => ("user", anthropic_user(text, *image)),
            Message::Results(results) => ("user", results.iter().map(|call| {
                json!({"type": "tool_result", "tool_use_id": call.id, "content": call.result, "is_error": call.failed})
            }).collect()),
            Message::Assistant { turn, pieces } => ("assistant", anthropic_answer(ids, *turn, pieces)),
        };
        list.push(json!({"role": role, "content": content}));
    }
    // Agents set a breakpoint at the end of the conversation, so that the next turn reads all of it from the cache.
    if let Some(Value::Object(last)) = list
        .last_mut()
        .and_then(|last| last.pointer_mut("/content/0"))
    {
        last.insert("cache_control".into(), mark.clone());
    }
    let tools: Vec<Value> = scene
        .tools
        .iter()
        .map(|tool| {
            json!({
        "name": tool.name, "description": tool.description, "input_schema": tool.parameters})
        })
        .collect();
    let mut body = object(json!({
        "model": scene.model,
        "max_tokens": 32000,
        "messages": list,
        "system": [{"type": "text", "text": scene.conversation.system.trim(), "cache_control": mark}],
    }));
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    if scene.client == Client::ClaudeCode {
        body.insert(
            "metadata".into(),
            json!({"user_id": user_id(scene.session)}),
        );
    }
    body.insert(
        "thinking".into(),
        json!({"type": "enabled", "budget_tokens": 10000}),
    );
    body.insert("stream".into(), scene.stream.into());
    Value::Object(body)
}

fn anthropic_user(text: &str, image: bool) -> Vec<Value> {
    let mut parts = vec![json!({"type": "text", "text": text})];
    if image {
        parts.push(
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png",
            "data": STANDARD.encode(PICTURE)}}),
        );
    }
    parts
}

fn anthropic_answer(ids: &Ids, turn: usize, pieces: &[Piece]) -> Vec<Value> {
    let parts = pieces.iter().enumerate();
    parts
        .map(|(place, piece)| match piece {
            Piece::Thinking { text } => {
                json!({"type": "thinking", "thinking": text.trim_matches('\n'),
                "signature": signature(ids, turn, place)})
            }
            Piece::Text { text } | Piece::Refusal { text } => {
                json!({"type": "text", "text": text.trim_matches('\n')})
            }
            Piece::Call { tool, input, .. } => json!({"type": "tool_use",
                "id": call_id(Api::Anthropic, ids, turn, place), "name": tool, "input": input}),
        })
        .collect()
}

fn gemini(scene: &Scene<'_>, ids: &Ids, messages: &[Message<'_>]) -> Value {
    let contents: Vec<Value> = messages.iter().map(|message| {
        let (role, parts) = match message {
            Message::User { text, image } => ("user", gemini_user(text, *image)),
            Message::Results(results) => ("user", results.iter().map(|call| {
                json!({"functionResponse": {"id": call.id, "name": call.name, "response": {"output": call.result}}})
            }).collect()),
            Message::Assistant { turn, pieces } => ("model", gemini_answer(ids, *turn, pieces)),
        };
        json!({"role": role, "parts": parts})
    }).collect();
    let declarations: Vec<Value> = scene.tools.iter().map(|tool| json!({
        "name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters})).collect();
    let mut body = object(json!({
        "contents": contents,
        "systemInstruction": {"role": "user", "parts": [{"text": scene.conversation.system.trim()}]},
    }));
    if !declarations.is_empty() {
        body.insert(
            "tools".into(),
            json!([{"functionDeclarations": declarations}]),
        );
    }
    let thinking = json!({"includeThoughts": true, "thinkingBudget": 8192});
    body.insert(
        "generationConfig".into(),
        json!({"temperature": 0, "topP": 1, "thinkingConfig": thinking}),
    );
    Value::Object(body)
}

fn gemini_user(text: &str, image: bool) -> Vec<Value> {
    let mut parts = vec![json!({"text": text})];
    if image {
        parts.push(
            json!({"inlineData": {"mimeType": "image/png", "data": STANDARD.encode(PICTURE)}}),
        );
    }
    parts
}

fn gemini_answer(ids: &Ids, turn: usize, pieces: &[Piece]) -> Vec<Value> {
    let thinking = pieces
        .iter()
        .position(|piece| matches!(piece, Piece::Thinking { .. }));
    let mut signature = thinking.map(|place| signature(ids, turn, place));
    let parts = pieces.iter().enumerate();
    parts
        .filter_map(|(place, piece)| match piece {
            Piece::Thinking { .. } | Piece::Refusal { .. } => None,
            Piece::Text { text } => Some(json!({"text": text.trim_matches('\n')})),
            Piece::Call { tool, input, .. } => {
                let id = call_id(Api::Gemini, ids, turn, place);
                let call = json!({"functionCall": {"name": tool, "args": input, "id": id}});
                let mut part = object(call);
                if let Some(signature) = signature.take() {
                    part.insert("thoughtSignature".into(), signature.into());
                }
                Some(Value::Object(part))
            }
        })
        .collect()
}

fn text_of(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Text { text } | Piece::Refusal { text } => Some(text.trim_matches('\n')),
        _ => None,
    }
}

/// Returns the string that Claude Code puts into `metadata.user_id`: JSON in a string.
fn user_id(session: &Session) -> String {
    let device = Ids::new(&session.id).hex("device", 64);
    json!({"device_id": device, "account_uuid": "", "session_id": session.id}).to_string()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
