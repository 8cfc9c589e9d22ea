//! Gemini's `generateContent`.

use super::Piece::{Number, Raw, Text};
use super::json::comma;
use super::sse::pieces;
use super::{Answer, Counts, Head, Reply, Single, Sse, ToolCall, put};

const DELTA_BYTES: usize = 120;

pub(super) fn single(single: &Single<'_>) -> String {
    let mut out = String::with_capacity(single.prompt.len() + single.system.len() + 300);
    put(
        &mut out,
        &[
            Raw(r#"{"contents":[{"parts":[{"text":"#),
            Text(single.prompt),
            Raw(r#"}],"role":"user"}],"systemInstruction":{"parts":[{"text":"#),
            Text(single.system),
            Raw(r#"}],"role":"user"},"generationConfig":{"temperature":0.2}}"#),
        ],
    );
    out
}

pub(super) fn around(head: &Head) -> (String, String) {
    let before = String::from(r#"{"contents":["#);
    let mut after = String::new();
    put(
        &mut after,
        &[
            Raw(r#"],"systemInstruction":{"parts":[{"text":"#),
            Text(&head.system.join("\n\n")),
            Raw(r#"}],"role":"user"},"tools":[{"functionDeclarations":["#),
        ],
    );
    for (place, tool) in head.tools.iter().enumerate() {
        put(&mut after, &[Raw(comma(place)), Raw("{")]);
        tool.declare(&mut after);
        after.push('}');
    }
    after.push_str(r#"]}],"generationConfig":{"temperature":0,"topP":1,"thinkingConfig":{"includeThoughts":true,"thinkingBudget":-1}}}"#);
    (before, after)
}

pub(super) fn user(out: &mut String, text: &str) {
    put(
        out,
        &[
            Raw(r#"{"role":"user","parts":[{"text":"#),
            Text(text),
            Raw("}]}"),
        ],
    );
}

pub(super) fn turn(out: &mut String, answer: &Answer, results: &[String]) {
    out.push_str(r#"{"role":"model","parts":["#);
    let mut place = 0;
    if !answer.text.is_empty() {
        put(out, &[Raw(r#"{"text":"#), Text(&answer.text), Raw("}")]);
        place += 1;
    }
    for (number, call) in answer.calls.iter().enumerate() {
        out.push_str(comma(place));
        called(out, call, if number == 0 { &answer.signature } else { "" });
        place += 1;
    }
    out.push_str("]}");
    if answer.calls.is_empty() {
        return;
    }
    out.push_str(r#",{"role":"user","parts":["#);
    for (place, (call, result)) in answer.calls.iter().zip(results).enumerate() {
        put(
            out,
            &[
                Raw(comma(place)),
                Raw(r#"{"functionResponse":{"id":""#),
                Raw(&call.id),
                Raw(r#"","name":"#),
                Text(&call.name),
                Raw(r#","response":{"output":"#),
                Text(result),
                Raw("}}}"),
            ],
        );
    }
    out.push_str("]}");
}

/// The signature of thinking stands beside the first call.
fn called(out: &mut String, call: &ToolCall, signature: &str) {
    put(
        out,
        &[
            Raw(r#"{"functionCall":{"id":""#),
            Raw(&call.id),
            Raw(r#"","name":"#),
            Text(&call.name),
            Raw(r#","args":"#),
            Raw(&call.arguments),
            Raw("}"),
        ],
    );
    if !signature.is_empty() {
        put(
            out,
            &[Raw(r#","thoughtSignature":""#), Raw(signature), Raw("\"")],
        );
    }
    out.push('}');
}

pub(super) fn whole(reply: &Reply<'_>) -> String {
    let mut out = String::with_capacity(reply.answer.text.len() + 500);
    out.push_str(r#"{"candidates":[{"content":{"parts":["#);
    let mut place = 0;
    if !reply.answer.text.is_empty() {
        put(
            &mut out,
            &[Raw(r#"{"text":"#), Text(&reply.answer.text), Raw("}")],
        );
        place += 1;
    }
    for call in &reply.answer.calls {
        out.push_str(comma(place));
        called(&mut out, call, "");
        place += 1;
    }
    out.push_str(r#"],"role":"model"},"finishReason":"STOP","index":0}]"#);
    tail(&mut out, reply, reply.counts);
    out
}

pub(super) fn stream(reply: &Reply<'_>) -> Sse {
    let answer = reply.answer;
    let mut sse = Sse::with_capacity(1000 + (answer.text.len() + answer.thinking.len()) * 5);
    for piece in pieces(&answer.thinking, DELTA_BYTES) {
        chunk(&mut sse, reply, false, |out| {
            put(
                out,
                &[Raw(r#"{"text":"#), Text(piece), Raw(r#","thought":true}"#)],
            );
        });
        sse.end_spoken();
    }
    for piece in pieces(&answer.text, DELTA_BYTES) {
        chunk(&mut sse, reply, false, |out| {
            put(out, &[Raw(r#"{"text":"#), Text(piece), Raw("}")]);
        });
        sse.end_spoken();
    }
    for (number, call) in answer.calls.iter().enumerate() {
        let signature = if number == 0 {
            answer.signature.as_str()
        } else {
            ""
        };
        chunk(&mut sse, reply, false, |out| called(out, call, signature));
        sse.end_spoken();
    }
    chunk(&mut sse, reply, true, |out| out.push_str(r#"{"text":""}"#));
    sse.end();
    sse
}

fn chunk(sse: &mut Sse, reply: &Reply<'_>, last: bool, part: impl FnOnce(&mut String)) {
    let out = sse.unnamed();
    out.push_str(r#"{"candidates":[{"content":{"parts":["#);
    part(out);
    out.push_str(r#"],"role":"model"}"#);
    if last {
        out.push_str(r#","finishReason":"STOP""#);
    }
    out.push_str(r#","index":0}]"#);
    let mut counts = reply.counts;
    if !last {
        // Until its end a stream counts the prompt and the thoughts alone.
        counts.output = counts.reasoning;
    }
    tail(out, reply, counts);
}

fn tail(out: &mut String, reply: &Reply<'_>, counts: Counts) {
    put(
        out,
        &[
            Raw(r#","usageMetadata":{"promptTokenCount":"#),
            Number(counts.input),
        ],
    );
    if counts.output > counts.reasoning {
        let shown = counts.output - counts.reasoning;
        put(out, &[Raw(r#","candidatesTokenCount":"#), Number(shown)]);
    }
    let total = counts.input + counts.output;
    put(out, &[Raw(r#","totalTokenCount":"#), Number(total)]);
    for (name, count) in [
        (r#","cachedContentTokenCount":"#, counts.cached),
        (r#","thoughtsTokenCount":"#, counts.reasoning),
    ] {
        if count > 0 {
            put(out, &[Raw(name), Number(count)]);
        }
    }
    put(
        out,
        &[
            Raw(r#"},"modelVersion":"#),
            Text(reply.model),
            Raw(r#","responseId":""#),
            Raw(reply.id),
            Raw("\"}"),
        ],
    );
}
