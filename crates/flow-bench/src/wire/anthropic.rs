//! Anthropic messages.

use super::Piece::{Number, Raw, Text};
use super::json::comma;
use super::sse::pieces;
use super::{Answer, Counts, Head, Reply, Single, Sse, put};

const DELTA_BYTES: usize = 40;
/// What every message of a user ends with: the ends of its last block, its content and itself.
const MESSAGE_END: &str = "}]}";

pub(super) fn single(single: &Single<'_>) -> String {
    let mut out = String::with_capacity(single.prompt.len() + single.system.len() + 300);
    put(
        &mut out,
        &[
            Raw(r#"{"model":"#),
            Text(single.model),
            Raw(r#","max_tokens":1024,"system":"#),
            Text(single.system),
            Raw(r#","messages":[{"role":"user","content":"#),
            Text(single.prompt),
            Raw("}]"),
            Raw(if single.stream {
                r#","stream":true}"#
            } else {
                "}"
            }),
        ],
    );
    out
}

pub(super) fn around(head: &Head) -> (String, String) {
    let (mut before, mut after) = (String::new(), String::from("],\"system\":["));
    put(
        &mut before,
        &[
            Raw(r#"{"model":"#),
            Text(&head.model),
            Raw(r#","messages":["#),
        ],
    );
    for (place, text) in head.system.iter().enumerate() {
        put(
            &mut after,
            &[
                Raw(comma(place)),
                Raw(r#"{"type":"text","text":"#),
                Text(text),
                // The prefix that all sessions share is cached, and the whole.
                Raw(if place == 0 {
                    "}"
                } else {
                    r#","cache_control":{"type":"ephemeral"}}"#
                }),
            ],
        );
    }
    after.push_str("],\"tools\":[");
    for (place, tool) in head.tools.iter().enumerate() {
        put(
            &mut after,
            &[
                Raw(comma(place)),
                Raw(r#"{"name":"#),
                Text(&tool.name),
                Raw(r#","description":"#),
                Text(&tool.description),
                Raw(r#","input_schema":"#),
            ],
        );
        tool.schema(&mut after);
        after.push('}');
    }
    let mut user = String::new();
    put(
        &mut user,
        &[
            Raw(r#"{"device_id":"5e1f0c","account_uuid":"","session_id":"#),
            Text(&head.session),
            Raw("}"),
        ],
    );
    put(
        &mut after,
        &[
            Raw(r#"],"metadata":{"user_id":"#),
            Text(&user),
            Raw(
                r#"},"max_tokens":32000,"thinking":{"type":"enabled","budget_tokens":31999},"stream":true}"#,
            ),
        ],
    );
    (before, after)
}

pub(super) fn user(out: &mut String, text: &str) {
    put(
        out,
        &[
            Raw(r#"{"role":"user","content":[{"type":"text","text":"#),
            Text(text),
            Raw(MESSAGE_END),
        ],
    );
}

pub(super) fn turn(out: &mut String, answer: &Answer, results: &[String]) {
    out.push_str(r#"{"role":"assistant","content":["#);
    content(out, answer);
    out.push_str("]}");
    if answer.calls.is_empty() {
        return;
    }
    out.push_str(r#",{"role":"user","content":["#);
    for (place, (call, result)) in answer.calls.iter().zip(results).enumerate() {
        put(
            out,
            &[
                Raw(comma(place)),
                Raw(r#"{"tool_use_id":"toolu_01"#),
                Raw(&call.id),
                Raw(r#"","type":"tool_result","content":"#),
                Text(result),
                Raw("}"),
            ],
        );
    }
    out.push_str("]}");
}

pub(super) fn history(out: &mut String, history: &str) {
    match history.strip_suffix(MESSAGE_END) {
        Some(rest) => {
            out.push_str(rest);
            out.push_str(r#","cache_control":{"type":"ephemeral"}"#);
            out.push_str(MESSAGE_END);
        }
        None => out.push_str(history),
    }
}

fn content(out: &mut String, answer: &Answer) {
    let mut place = 0;
    if !answer.signature.is_empty() {
        put(
            out,
            &[
                Raw(r#"{"type":"thinking","thinking":"#),
                Text(&answer.thinking),
                Raw(r#","signature":""#),
                Raw(&answer.signature),
                Raw("\"}"),
            ],
        );
        place += 1;
    }
    if !answer.text.is_empty() {
        put(
            out,
            &[
                Raw(comma(place)),
                Raw(r#"{"type":"text","text":"#),
                Text(&answer.text),
                Raw("}"),
            ],
        );
        place += 1;
    }
    for call in &answer.calls {
        put(
            out,
            &[
                Raw(comma(place)),
                Raw(r#"{"type":"tool_use","id":"toolu_01"#),
                Raw(&call.id),
                Raw(r#"","name":"#),
                Text(&call.name),
                Raw(r#","input":"#),
                Raw(&call.arguments),
                Raw("}"),
            ],
        );
        place += 1;
    }
}

pub(super) fn whole(reply: &Reply<'_>) -> String {
    let mut out = String::with_capacity(reply.answer.text.len() + 700);
    put(
        &mut out,
        &[
            Raw(r#"{"model":"#),
            Text(reply.model),
            Raw(r#","id":"msg_01"#),
            Raw(reply.id),
            Raw(r#"","type":"message","role":"assistant","content":["#),
        ],
    );
    content(&mut out, reply.answer);
    put(
        &mut out,
        &[
            Raw(r#"],"stop_reason":""#),
            Raw(stop(reply.answer)),
            Raw(r#"","stop_sequence":null,"usage":"#),
        ],
    );
    usage(&mut out, reply.counts, reply.counts.output);
    out.push('}');
    out
}

pub(super) fn stream(reply: &Reply<'_>) -> Sse {
    let answer = reply.answer;
    let mut sse = Sse::with_capacity(2000 + (answer.text.len() + answer.thinking.len()) * 5);
    start(&mut sse, reply);
    let mut index = 0;
    if !answer.signature.is_empty() {
        let opened = r#"{"type":"thinking","thinking":"","signature":""}"#;
        block(&mut sse, index, opened);
        deltas(
            &mut sse,
            index,
            r#"{"type":"thinking_delta","thinking":"#,
            &answer.thinking,
        );
        delta(
            &mut sse,
            index,
            r#"{"type":"signature_delta","signature":"#,
            &answer.signature,
        );
        sse.end();
        closed(&mut sse, index);
        index += 1;
    }
    if !answer.text.is_empty() {
        block(&mut sse, index, r#"{"type":"text","text":""}"#);
        deltas(
            &mut sse,
            index,
            r#"{"type":"text_delta","text":"#,
            &answer.text,
        );
        closed(&mut sse, index);
        index += 1;
    }
    for call in &answer.calls {
        let mut opened = String::new();
        put(
            &mut opened,
            &[
                Raw(r#"{"type":"tool_use","id":"toolu_01"#),
                Raw(&call.id),
                Raw(r#"","name":"#),
                Text(&call.name),
                Raw(r#","input":{}}"#),
            ],
        );
        block(&mut sse, index, &opened);
        deltas(
            &mut sse,
            index,
            r#"{"type":"input_json_delta","partial_json":"#,
            &call.arguments,
        );
        closed(&mut sse, index);
        index += 1;
    }
    stopped(&mut sse, reply);
    sse
}

fn start(sse: &mut Sse, reply: &Reply<'_>) {
    let out = sse.named("message_start");
    put(
        out,
        &[
            Raw(r#"{"type":"message_start","message":{"model":"#),
            Text(reply.model),
            Raw(r#","id":"msg_01"#),
            Raw(reply.id),
            Raw(
                r#"","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":"#,
            ),
        ],
    );
    usage(out, reply.counts, 1);
    out.push_str("}}");
    sse.end();
}

fn stopped(sse: &mut Sse, reply: &Reply<'_>) {
    let out = sse.named("message_delta");
    put(
        out,
        &[
            Raw(r#"{"type":"message_delta","delta":{"stop_reason":""#),
            Raw(stop(reply.answer)),
            Raw(r#"","stop_sequence":null},"usage":{"output_tokens":"#),
            Number(reply.counts.output),
            Raw("}}"),
        ],
    );
    sse.end();
    sse.named("message_stop")
        .push_str(r#"{"type":"message_stop"}"#);
    sse.end();
}

fn block(sse: &mut Sse, index: u64, opened: &str) {
    let out = sse.named("content_block_start");
    put(
        out,
        &[
            Raw(r#"{"type":"content_block_start","index":"#),
            Number(index),
            Raw(r#","content_block":"#),
            Raw(opened),
            Raw("}"),
        ],
    );
    sse.end();
    if index == 0 {
        sse.named("ping").push_str(r#"{"type": "ping"}"#);
        sse.end();
    }
}

fn deltas(sse: &mut Sse, index: u64, opened: &str, text: &str) {
    for piece in pieces(text, DELTA_BYTES) {
        delta(sse, index, opened, piece);
        sse.end_spoken();
    }
}

fn delta(sse: &mut Sse, index: u64, opened: &str, text: &str) {
    put(
        sse.named("content_block_delta"),
        &[
            Raw(r#"{"type":"content_block_delta","index":"#),
            Number(index),
            Raw(r#","delta":"#),
            Raw(opened),
            Text(text),
            Raw("}}"),
        ],
    );
}

fn closed(sse: &mut Sse, index: u64) {
    put(
        sse.named("content_block_stop"),
        &[
            Raw(r#"{"type":"content_block_stop","index":"#),
            Number(index),
            Raw("}"),
        ],
    );
    sse.end();
}

fn usage(out: &mut String, counts: Counts, output: u64) {
    put(
        out,
        &[
            Raw(r#"{"input_tokens":"#),
            Number(counts.input - counts.cached - counts.written),
            Raw(r#","cache_creation_input_tokens":"#),
            Number(counts.written),
            Raw(r#","cache_read_input_tokens":"#),
            Number(counts.cached),
            Raw(r#","cache_creation":{"ephemeral_5m_input_tokens":"#),
            Number(counts.written),
            Raw(r#","ephemeral_1h_input_tokens":0},"output_tokens":"#),
            Number(output),
            Raw(r#","service_tier":"standard"}"#),
        ],
    );
}

const fn stop(answer: &Answer) -> &'static str {
    if answer.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    }
}
