//! `OpenAI` chat completions, as many providers speak them.

use super::Piece::{Number, Raw, Text};
use super::json::comma;
use super::sse::pieces;
use super::{Answer, Counts, Head, Reply, Single, Sse, put};

const DELTA_BYTES: usize = 24;

pub(super) fn single(single: &Single<'_>) -> String {
    let mut out = String::with_capacity(single.prompt.len() + single.system.len() + 300);
    put(
        &mut out,
        &[
            Raw(r#"{"messages":[{"role":"system","content":"#),
            Text(single.system),
            Raw(r#"},{"role":"user","content":"#),
            Text(single.prompt),
            Raw(r#"}],"model":"#),
            Text(single.model),
            Raw(if single.stream {
                r#","stream":true,"stream_options":{"include_usage":true}}"#
            } else {
                r#","temperature":0.2}"#
            }),
        ],
    );
    out
}

pub(super) fn around(head: &Head) -> (String, String) {
    let mut before = String::new();
    put(
        &mut before,
        &[
            Raw(r#"{"model":"#),
            Text(&head.model),
            Raw(r#","messages":[{"role":"system","content":"#),
            Text(&head.system.join("\n\n")),
            Raw("},"),
        ],
    );
    let mut after = String::from("],\"tools\":[");
    for (place, tool) in head.tools.iter().enumerate() {
        put(
            &mut after,
            &[Raw(comma(place)), Raw(r#"{"type":"function","function":{"#)],
        );
        tool.declare(&mut after);
        after.push_str("}}");
    }
    after.push_str(
        r#"],"tool_choice":"auto","stream":true,"stream_options":{"include_usage":true}}"#,
    );
    (before, after)
}

pub(super) fn user(out: &mut String, text: &str) {
    put(
        out,
        &[Raw(r#"{"role":"user","content":"#), Text(text), Raw("}")],
    );
}

pub(super) fn turn(out: &mut String, answer: &Answer, results: &[String]) {
    message(out, answer);
    for (call, result) in answer.calls.iter().zip(results) {
        put(
            out,
            &[
                Raw(r#",{"role":"tool","tool_call_id":"call_"#),
                Raw(&call.id),
                Raw(r#"","content":"#),
                Text(result),
                Raw("}"),
            ],
        );
    }
}

fn message(out: &mut String, answer: &Answer) {
    out.push_str(r#"{"role":"assistant","content":"#);
    if answer.text.is_empty() {
        out.push_str("null");
    } else {
        put(out, &[Text(&answer.text)]);
    }
    if !answer.calls.is_empty() {
        out.push_str(r#","tool_calls":["#);
        for (place, call) in answer.calls.iter().enumerate() {
            put(
                out,
                &[
                    Raw(comma(place)),
                    Raw(r#"{"id":"call_"#),
                    Raw(&call.id),
                    Raw(r#"","type":"function","function":{"name":"#),
                    Text(&call.name),
                    Raw(r#","arguments":"#),
                    Text(&call.arguments),
                    Raw("}}"),
                ],
            );
        }
        out.push(']');
    }
    out.push('}');
}

pub(super) fn whole(reply: &Reply<'_>) -> String {
    let mut out = String::with_capacity(reply.answer.text.len() + 700);
    head(&mut out, reply, "chat.completion");
    out.push_str(r#","choices":[{"index":0,"message":"#);
    message(&mut out, reply.answer);
    put(
        &mut out,
        &[
            Raw(r#","logprobs":null,"finish_reason":""#),
            Raw(stop(reply.answer)),
            Raw(r#""}],"usage":"#),
        ],
    );
    usage(&mut out, reply.counts);
    out.push('}');
    out
}

pub(super) fn stream(reply: &Reply<'_>) -> Sse {
    let answer = reply.answer;
    let mut sse = Sse::with_capacity(2000 + answer.text.len() * 10);
    chunk(
        &mut sse,
        reply,
        &[Raw(r#"{"role":"assistant","content":""}"#)],
        "null",
    );
    sse.end();
    for piece in pieces(&answer.text, DELTA_BYTES) {
        chunk(
            &mut sse,
            reply,
            &[Raw(r#"{"content":"#), Text(piece), Raw("}")],
            "null",
        );
        sse.end_spoken();
    }
    for (place, call) in answer.calls.iter().enumerate() {
        let opened = [
            Raw(r#"{"tool_calls":[{"index":"#),
            Number(place as u64),
            Raw(r#","id":"call_"#),
            Raw(&call.id),
            Raw(r#"","type":"function","function":{"name":"#),
            Text(&call.name),
            Raw(r#","arguments":""}}]}"#),
        ];
        chunk(&mut sse, reply, &opened, "null");
        sse.end_spoken();
        for piece in pieces(&call.arguments, DELTA_BYTES) {
            let delta = [
                Raw(r#"{"tool_calls":[{"index":"#),
                Number(place as u64),
                Raw(r#","function":{"arguments":"#),
                Text(piece),
                Raw("}}]}"),
            ];
            chunk(&mut sse, reply, &delta, "null");
            sse.end_spoken();
        }
    }
    let stopped = if answer.calls.is_empty() {
        "\"stop\""
    } else {
        "\"tool_calls\""
    };
    chunk(&mut sse, reply, &[Raw("{}")], stopped);
    sse.end();
    let out = sse.unnamed();
    head(out, reply, "chat.completion.chunk");
    out.push_str(r#","choices":[],"usage":"#);
    usage(out, reply.counts);
    out.push('}');
    sse.end();
    sse.unnamed().push_str("[DONE]");
    sse.end();
    sse
}

fn chunk(sse: &mut Sse, reply: &Reply<'_>, delta: &[super::Piece<'_>], stop: &str) {
    let out = sse.unnamed();
    head(out, reply, "chat.completion.chunk");
    out.push_str(r#","choices":[{"index":0,"delta":"#);
    put(out, delta);
    put(
        out,
        &[
            Raw(r#","logprobs":null,"finish_reason":"#),
            Raw(stop),
            Raw("}]}"),
        ],
    );
}

fn head(out: &mut String, reply: &Reply<'_>, object: &str) {
    put(
        out,
        &[
            Raw(r#"{"id":"chatcmpl-"#),
            Raw(reply.id),
            Raw(r#"","object":""#),
            Raw(object),
            Raw(r#"","created":"#),
            Number(reply.created),
            Raw(r#","model":"#),
            Text(reply.model),
        ],
    );
}

fn usage(out: &mut String, counts: Counts) {
    put(
        out,
        &[
            Raw(r#"{"prompt_tokens":"#),
            Number(counts.input),
            Raw(r#","completion_tokens":"#),
            Number(counts.output),
            Raw(r#","total_tokens":"#),
            Number(counts.input + counts.output),
            Raw(r#","prompt_tokens_details":{"cached_tokens":"#),
            Number(counts.cached),
            Raw(r#"},"completion_tokens_details":{"reasoning_tokens":"#),
            Number(counts.reasoning),
            Raw("}}"),
        ],
    );
}

const fn stop(answer: &Answer) -> &'static str {
    if answer.calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    }
}
