//! `OpenAI` responses.

use super::Piece::{Number, Raw, Text};
use super::json::comma;
use super::sse::pieces;
use super::{Answer, Head, Reply, Single, Sse, ToolCall, put};

const DELTA_BYTES: usize = 24;

pub(super) fn single(single: &Single<'_>) -> String {
    let mut out = String::with_capacity(single.prompt.len() + single.system.len() + 300);
    put(
        &mut out,
        &[
            Raw(r#"{"model":"#),
            Text(single.model),
            Raw(r#","instructions":"#),
            Text(single.system),
            Raw(r#","input":"#),
            Text(single.prompt),
            Raw(if single.stream {
                r#","store":false,"stream":true}"#
            } else {
                r#","store":false}"#
            }),
        ],
    );
    out
}

pub(super) fn around(head: &Head) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::from("],\"tools\":["));
    put(
        &mut before,
        &[
            Raw(r#"{"model":"#),
            Text(&head.model),
            Raw(r#","instructions":"#),
            Text(&head.system.join("\n\n")),
            Raw(r#","input":["#),
        ],
    );
    for (place, tool) in head.tools.iter().enumerate() {
        put(
            &mut after,
            &[
                Raw(comma(place)),
                Raw(r#"{"type":"function","strict":false,"#),
            ],
        );
        tool.declare(&mut after);
        after.push('}');
    }
    put(
        &mut after,
        &[
            Raw(
                r#"],"tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"effort":"medium","summary":"auto"},"store":false,"stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"#,
            ),
            Text(&head.session),
            Raw("}"),
        ],
    );
    (before, after)
}

pub(super) fn user(out: &mut String, text: &str) {
    put(
        out,
        &[
            Raw(r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"#),
            Text(text),
            Raw("}]}"),
        ],
    );
}

pub(super) fn turn(out: &mut String, answer: &Answer, results: &[String]) {
    let mut place = 0;
    items(answer, |item| {
        out.push_str(comma(place));
        item.put(out, None, true);
        place += 1;
    });
    for (call, result) in answer.calls.iter().zip(results) {
        put(
            out,
            &[
                Raw(r#",{"type":"function_call_output","call_id":"call_"#),
                Raw(&call.id),
                Raw(r#"","output":"#),
                Text(result),
                Raw("}"),
            ],
        );
    }
}

/// One item of an answer.
#[derive(Clone, Copy)]
enum Item<'a> {
    Reasoning(&'a Answer),
    Message(&'a str),
    Call(&'a ToolCall),
}

fn items<'a>(answer: &'a Answer, mut each: impl FnMut(Item<'a>)) {
    if !answer.signature.is_empty() {
        each(Item::Reasoning(answer));
    }
    if !answer.text.is_empty() {
        each(Item::Message(&answer.text));
    }
    for call in &answer.calls {
        each(Item::Call(call));
    }
}

impl Item<'_> {
    /// Writes the item, with its id where one is given, and with its content where it is full.
    fn put(self, out: &mut String, id: Option<(&str, u64)>, full: bool) {
        let kind = match self {
            Self::Reasoning(_) => ("reasoning", "rs"),
            Self::Message(_) => ("message", "msg"),
            Self::Call(_) => ("function_call", "fc"),
        };
        put(out, &[Raw(r#"{"type":""#), Raw(kind.0), Raw("\"")]);
        if let Some((id, place)) = id {
            put(
                out,
                &[
                    Raw(r#","id":""#),
                    Raw(kind.1),
                    Raw("_"),
                    Raw(id),
                    Number(place),
                    Raw("\""),
                ],
            );
        }
        match self {
            Self::Reasoning(_) if !full => out.push_str(r#","summary":[]"#),
            Self::Reasoning(answer) => put(
                out,
                &[
                    Raw(r#","summary":[{"type":"summary_text","text":"#),
                    Text(&answer.thinking),
                    Raw(r#"}],"encrypted_content":""#),
                    Raw(&answer.signature),
                    Raw("\""),
                ],
            ),
            Self::Message(_) if !full => {
                out.push_str(r#","status":"in_progress","role":"assistant","content":[]"#);
            }
            Self::Message(text) => put(
                out,
                &[
                    Raw(
                        r#","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"#,
                    ),
                    Text(text),
                    Raw("}]"),
                ],
            ),
            Self::Call(call) => put(
                out,
                &[
                    Raw(r#","status":"completed","name":"#),
                    Text(&call.name),
                    Raw(r#","arguments":"#),
                    Text(if full { &call.arguments } else { "" }),
                    Raw(r#","call_id":"call_"#),
                    Raw(&call.id),
                    Raw("\""),
                ],
            ),
        }
        out.push('}');
    }

    /// Returns the words of the item's increments, and its text.
    const fn grown(&self) -> (&'static str, &str) {
        match self {
            Self::Reasoning(answer) => (
                r#"response.reasoning_summary_text","summary_index":0"#,
                answer.thinking.as_str(),
            ),
            Self::Message(text) => (r#"response.output_text","content_index":0"#, text),
            Self::Call(call) => (
                "response.function_call_arguments\"",
                call.arguments.as_str(),
            ),
        }
    }
}

pub(super) fn whole(reply: &Reply<'_>) -> String {
    let mut out = String::with_capacity(reply.answer.text.len() + 900);
    response(&mut out, reply, "completed");
    out
}

pub(super) fn stream(reply: &Reply<'_>) -> Sse {
    let answer = reply.answer;
    let mut sse = Sse::with_capacity(4000 + (answer.text.len() + answer.thinking.len()) * 10);
    for name in ["created", "in_progress"] {
        let event = ["response.", name].concat();
        let out = sse.named(&event);
        put(
            out,
            &[Raw(r#"{"type":""#), Raw(&event), Raw(r#"","response":"#)],
        );
        response(out, reply, "in_progress");
        out.push('}');
        sse.end();
    }
    let mut place = 0;
    items(answer, |item| {
        streamed(&mut sse, reply, item, place);
        place += 1;
    });
    let out = sse.named("response.completed");
    out.push_str(r#"{"type":"response.completed","response":"#);
    response(out, reply, "completed");
    out.push('}');
    sse.end();
    sse
}

fn streamed(sse: &mut Sse, reply: &Reply<'_>, item: Item<'_>, place: u64) {
    for (name, full) in [("added", false), ("done", true)] {
        if full {
            increments(sse, reply, item, place);
        }
        let event = ["response.output_item.", name].concat();
        let out = sse.named(&event);
        put(
            out,
            &[
                Raw(r#"{"type":""#),
                Raw(&event),
                Raw(r#"","output_index":"#),
                Number(place),
                Raw(r#","item":"#),
            ],
        );
        item.put(out, Some((reply.id, place)), full);
        out.push('}');
        sse.end();
    }
}

fn increments(sse: &mut Sse, reply: &Reply<'_>, item: Item<'_>, place: u64) {
    let (words, text) = item.grown();
    // The name of the event stands before what is beside the increment.
    let (name, beside) = words.split_once('"').unwrap_or((words, ""));
    let prefix = match item {
        Item::Reasoning(_) => "rs_",
        Item::Message(_) => "msg_",
        Item::Call(_) => "fc_",
    };
    let event = [name, ".delta"].concat();
    for piece in pieces(text, DELTA_BYTES) {
        put(
            sse.named(&event),
            &[
                Raw(r#"{"type":""#),
                Raw(&event),
                Raw(r#"","item_id":""#),
                Raw(prefix),
                Raw(reply.id),
                Number(place),
                Raw(r#"","output_index":"#),
                Number(place),
                Raw(beside),
                Raw(r#","delta":"#),
                Text(piece),
                Raw("}"),
            ],
        );
        sse.end_spoken();
    }
}

fn response(out: &mut String, reply: &Reply<'_>, status: &str) {
    put(
        out,
        &[
            Raw(r#"{"id":"resp_"#),
            Raw(reply.id),
            Raw(r#"","object":"response","created_at":"#),
            Number(reply.created),
            Raw(r#","status":""#),
            Raw(status),
            Raw(r#"","error":null,"incomplete_details":null,"model":"#),
            Text(reply.model),
            Raw(r#","output":["#),
        ],
    );
    if status != "completed" {
        out.push_str(r#"],"store":false,"usage":null}"#);
        return;
    }
    let mut place = 0_u64;
    items(reply.answer, |item| {
        out.push_str(if place == 0 { "" } else { "," });
        item.put(out, Some((reply.id, place)), true);
        place += 1;
    });
    let counts = reply.counts;
    put(
        out,
        &[
            Raw(r#"],"store":false,"usage":{"input_tokens":"#),
            Number(counts.input),
            Raw(r#","input_tokens_details":{"cached_tokens":"#),
            Number(counts.cached),
            Raw(r#"},"output_tokens":"#),
            Number(counts.output),
            Raw(r#","output_tokens_details":{"reasoning_tokens":"#),
            Number(counts.reasoning),
            Raw(r#"},"total_tokens":"#),
            Number(counts.input + counts.output),
            Raw("}}"),
        ],
    );
}
